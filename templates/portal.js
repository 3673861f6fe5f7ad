// What a page of the portal gains by script; without it everything can still be read and done.
"use strict";

// The month's picker needs no button.
document.querySelectorAll(".of select").forEach(select => select.addEventListener("change", () => select.form.submit()));

// A table is sorted by a click on a heading, as in the bulletin.
document.querySelectorAll("table.sortable").forEach(table => {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("th[aria-sort]").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = row => row.cells[column].dataset.raw ?? row.cells[column].textContent;
      const compare = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === "" || y === "") return (x === "") - (y === ""); // what is missing comes last
        const order = isNaN(x) || isNaN(y) ? x.localeCompare(y, document.documentElement.lang) : x - y;
        return up ? order : -order;
      };
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort(compare));
    });
  });
});

// A run at work is told as it goes; at its end the page is read again.
const live = document.getElementById("live");
if (live && window.EventSource) {
  const events = new EventSource(live.dataset.events);
  const bar = document.getElementById("live-bar");
  const step = document.getElementById("live-step");
  const log = document.getElementById("log");
  let isFirst = true;
  live.hidden = false;
  events.onmessage = message => {
    const event = JSON.parse(message.data);
    if (event.state) {
      events.close();
      location.reload();
      return;
    }
    if (event.step) {
      bar.max = Math.max(event.total || 0, 1);
      bar.value = event.done || 0;
      step.textContent = event.step + " " + (event.done || 0) + "/" + (event.total || 0);
    }
    if (event.text) {
      if (isFirst) log.textContent = ""; // the stream begins at the beginning
      isFirst = false;
      log.append(event.text + "\n");
    }
  };
  events.onopen = () => { isFirst = true; };
}
