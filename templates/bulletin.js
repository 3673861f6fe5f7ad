"use strict";
// Draws the charts of #page-data, highlights one community everywhere, sorts
// tables and opens the tree of units. Functions live here, by kind of chart;
// the data block carries none. Texts come in as text and go out as text.
(function () {
  // The chart library writes fonts of SVG text as a style attribute, which the
  // page's own policy forbids; set through the object model it is allowed.
  // Can go when apache/echarts no longer calls setAttribute("style", …).
  const setAttribute = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };

  const page = JSON.parse(document.getElementById("page-data").textContent);
  const look = page.look, words = page.words;
  const font = getComputedStyle(document.body).fontFamily;
  const text = { color: look.ink, fontFamily: font, fontSize: look.size };
  const faint = "#aab4c0";
  const quiet = { axisLine: { lineStyle: { color: look.line } }, axisTick: { show: false }, axisLabel: { color: look.ink, fontFamily: font, fontSize: look.size } };
  const split = { splitLine: { lineStyle: { color: look.grid } } };
  const none = { show: false, axisLine: { show: false }, axisTick: { show: false } };
  const separated = (value) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
  const signed = (value) => (value < 0 ? "−" : value > 0 ? "+" : "") + Math.abs(value).toFixed(2);
  const values = (series) => series.data.map((d) => d.value);
  const numbers = (list) => list.filter((v) => v !== "-");
  const clip = (name, most) => { const letters = [...name]; return letters.length > most ? letters.slice(0, most - 1).join("") + "…" : name; };
  const isNarrow = (width) => width < 560;

  // Each kind takes the options that only carry data and gives them their
  // look; picked is the highlighted community, "" for none.
  const kinds = {
    trend(o, picked, width, height) {
      const all = numbers(o.series.flatMap(values));
      const last = (s) => { const v = values(s)[s.data.length - 1]; return v === "-" ? -1 : v; };
      const order = [...o.series].sort((a, b) => last(b) - last(a)).map((s) => s.name);
      const marked = picked ? [picked] : [order[0], order[order.length - 1]];
      const lowest = Math.floor((Math.min(...all) - 1) / 5) * 5, highest = Math.ceil(Math.max(...all) / 5) * 5;
      // Names at the end keep 15 px from each other, from the top down.
      const away = {}, pixel = (height - 40) / (highest - lowest);
      let free = -Infinity;
      [...o.series].filter((s) => last(s) >= 0).sort((a, b) => last(b) - last(a)).forEach((s) => {
        const y = (highest - last(s)) * pixel;
        away[s.name] = Math.max(y, free) - y;
        free = Math.max(y, free) + 15;
      });
      o.grid = { left: 36, right: 112, top: 12, bottom: 28 };
      o.xAxis = [{ ...o.xAxis[0], type: "category", boundaryGap: false, ...quiet,
        axisLabel: { ...quiet.axisLabel, interval: (i) => (o.xAxis[0].data.length - 1 - i) % (isNarrow(width) ? 4 : 2) === 0 } }]; // this month has its name
      o.yAxis = [{ type: "value", min: lowest, max: highest, interval: highest - lowest > 40 ? 10 : 5, ...quiet, axisLine: { show: false }, ...split }];
      o.series.forEach((s, i) => {
        const isMarked = marked.includes(s.name), color = isMarked ? (s.name === order[order.length - 1] && !picked && order.length > 1 ? look.accent : look.blue) : faint;
        s.symbol = ["circle", "rect", "triangle", "diamond"][i % 4];
        s.symbolSize = isMarked ? 7 : 4;
        s.z = isMarked ? 5 : 2;
        s.lineStyle = { width: isMarked ? 3 : 1.4, color, type: i % 2 && !isMarked ? "dashed" : "solid" };
        s.itemStyle = { color };
        s.endLabel = { show: true, ...text, fontWeight: isMarked ? 700 : 400, color: isMarked ? color : look.muted, distance: 8, offset: [0, away[s.name] || 0],
          formatter: (p) => clip(p.seriesName, 6) + " " + Number(p.value).toFixed(2) };
      });
    },
    spread(o, picked) {
      const all = numbers(o.series.flatMap(values));
      const low = Math.floor((Math.min(...all) - 1) / 10) * 10;
      o.grid = { left: 36, right: 64, top: 22, bottom: 28 };
      o.xAxis = [{ ...o.xAxis[0], type: "category", ...quiet, axisLabel: { ...quiet.axisLabel, interval: 0 } }];
      o.yAxis = [{ type: "value", min: low, max: Math.ceil(Math.max(...all) / 10) * 10, ...quiet, axisLine: { show: false }, ...split }];
      const ends = o.xAxis[0].data.map((_, at) => {
        const column = o.series.map((s) => values(s)[at]), there = numbers(column);
        return { low: column.indexOf(Math.min(...there)), high: column.indexOf(Math.max(...there)) };
      });
      o.series.forEach((s, i) => {
        const isOwn = s.name === picked;
        s.symbolSize = isOwn ? 14 : 10;
        s.z = isOwn ? 6 : 3;
        s.itemStyle = { color: isOwn ? look.accent : look.blue + "8c" };
        s.label = { show: true, ...text, position: "right", color: isOwn ? look.ink : look.muted, fontWeight: isOwn ? 700 : 400,
          formatter: (p) => {
            if (isOwn) return Number(p.value).toFixed(1);
            const end = ends[p.dataIndex];
            return !picked && end.low === i && end.low !== end.high ? clip(p.seriesName, 5) : "";
          } };
      });
    },
    change(o, picked) {
      across(o, picked);
      o.grid.left = 76;
      const most = Math.max(...values(o.series[0]).map(Math.abs)) * 1.7;
      o.xAxis[0].min = -most; o.xAxis[0].max = most;
      o.series[0].label.formatter = (p) => signed(p.value);
      o.series[0].data.forEach((d) => {
        d.itemStyle = { color: d.value < 0 ? look.accent : look.good };
        d.label = { position: d.value < 0 ? "left" : "right" };
      });
      o.series[0].markLine = { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: look.ink, type: "solid", width: 1 }, data: [{ xAxis: 0 }] };
    },
    months(o, _, width) {
      upright(o);
      const rates = values(o.series.pop()), end = o.series[0].data.length - 1;
      o.series[0].data.forEach((d, i) => { d.itemStyle = { color: i === end ? look.blue : look.pale }; });
      o.series[0].label.formatter = (p) => separated(p.value);
      o.xAxis[0].axisLabel = { ...quiet.axisLabel, interval: 0, lineHeight: 16,
        formatter: (name, i) => (isNarrow(width) && (end - i) % 3 ? "" : name.replace(/^(\d{4})\D/, "").replace(/\s\d{4}$/, "")) + "\n" + (isNarrow(width) && (end - i) % 3 ? "" : rates[i] === "-" ? "" : rates[i] + "%") };
      o.grid.bottom = 44;
    },
    stack(o, picked) {
      across(o, picked);
      const done = values(o.series[0]), due = values(o.series[1]);
      o.series[0].stack = o.series[1].stack = "all";
      o.series[1].data = due.map((v, i) => ({ value: v - done[i] }));
      o.series[1].itemStyle = { color: "#fff", borderColor: look.accent, borderWidth: 1.5 }; // hollow, so that it is told apart in black and white
      o.series[0].label.show = false;
      o.series[1].label = { show: true, position: "right", ...text, formatter: (p) => done[p.dataIndex] + "/" + due[p.dataIndex] };
      o.grid.right = 64;
    },
    bullet(o, picked) {
      across(o, picked);
      const done = values(o.series[0]), due = values(o.series[1]);
      o.series[1].itemStyle = { color: look.pale };
      o.series[1].barWidth = 18; o.series[0].barWidth = 8;
      o.series[1].label = { show: true, position: "right", ...text, formatter: (p) => done[p.dataIndex] + "/" + due[p.dataIndex] };
      o.series[0].label.show = false;
      o.series[0].z = 4; o.series[0].barGap = "-100%"; o.series[1].z = 2;
      // The narrow bar stands on the wide one: an axis of its own.
      o.yAxis.push({ ...o.yAxis[0], show: false });
      o.series[0].yAxisIndex = 1;
      o.grid.right = 64;
    },
    bar(o, picked) { across(o, picked); o.series[0].label.formatter = (p) => separated(p.value); },
    fund(o, _, width) {
      upright(o);
      const amounts = values(o.series[0]), base = [];
      let level = 0;
      amounts.forEach((v, i) => {
        const isLevel = i === 0 || i === amounts.length - 1 || i === amounts.length - 3;
        base.push(isLevel ? 0 : Math.min(level, level + v));
        o.series[0].data[i].itemStyle = { color: isLevel ? look.blue : v < 0 ? look.accent : look.good };
        o.series[0].data[i].value = Math.abs(v);
        level = isLevel ? v : level + v;
      });
      o.series[0].stack = "all";
      o.series[0].label.formatter = (p) => separatedSign(amounts[p.dataIndex]);
      o.series[0].barMaxWidth = 64;
      o.series.unshift({ type: "bar", stack: "all", silent: true, itemStyle: { color: "transparent" }, data: base.map((value) => ({ value })) });
      o.yAxis[0].show = false;
      o.grid.left = 8;
      if (isNarrow(width)) { o.series[1].label.fontSize = 10; o.series[1].label.formatter = (p) => (amounts[p.dataIndex] / 10000).toFixed(1) + (page.lang === "en" ? "×10⁴" : page.lang === "zh-Hant" ? "萬" : "万"); }
      o.xAxis[0].axisLabel.interval = 0;
      if (isNarrow(width)) o.xAxis[0].axisLabel.fontSize = 10;
      o.xAxis[0].axisLabel.width = isNarrow(width) ? 42 : 110;
      o.xAxis[0].axisLabel.overflow = "break";
    },
  };
  const separatedSign = (value) => (value < 0 ? "−" : "") + separated(Math.abs(value));

  // Bars that lie, the first on top; from zero.
  function across(o, picked) {
    const names = o.xAxis[0].data;
    o.grid = { left: Math.min(130, 16 + 13 * Math.max(...names.map((n) => Math.min(n.length, 8)))), right: 48, top: 4, bottom: 4 };
    o.yAxis = [{ type: "category", data: names, inverse: true, ...quiet, axisLine: { show: false }, axisLabel: { ...quiet.axisLabel, width: 112, overflow: "truncate",
      color: (name) => (picked && name === picked ? look.accent : look.ink) } }];
    o.xAxis = [{ type: "value", ...none, splitLine: { show: false } }];
    o.series.forEach((s) => {
      s.itemStyle = { color: look.blue };
      s.barMaxWidth = 18;
      s.label = { show: true, position: "right", ...text };
    });
  }

  function upright(o) {
    o.grid = { left: 36, right: 8, top: 22, bottom: 28 };
    o.xAxis = [{ ...o.xAxis[0], type: "category", ...quiet, axisLabel: { ...quiet.axisLabel } }];
    o.yAxis = [{ type: "value", ...none, splitLine: { show: false } }];
    o.grid.left = 8;
    o.series.forEach((s) => {
      s.itemStyle = { color: look.blue };
      s.barMaxWidth = 34;
      s.label = { show: true, position: "top", ...text };
    });
  }

  const picker = document.getElementById("pick"), only = document.getElementById("only");
  const picked = () => (picker ? picker.value : "") || page.own || "";

  const drawn = page.charts.map((entry) => {
    const place = document.getElementById("chart-" + entry.id);
    // Lying bars need a line each; a chart of many is taller.
    const lying = entry.options.xAxis[0].data.length;
    if (["change", "stack", "bullet", "bar"].includes(entry.kind) && lying > 12) place.style.height = lying * 22 + 16 + "px";
    const chart = echarts.init(place, null, { renderer: "svg", width: place.clientWidth, height: place.clientHeight });
    const draw = () => {
      const options = JSON.parse(JSON.stringify(entry.options));
      delete options.title;
      delete options.color;
      options.legend = { show: false };
      options.animation = false;
      options.aria = { enabled: false };
      options.tooltip = { trigger: "item", renderMode: "richText", backgroundColor: "#fff", borderColor: look.line, textStyle: text, confine: true,
        formatter: (p) => (entry.tips[entry.kind === "fund" ? p.seriesIndex - 1 : p.seriesIndex] || [])[p.dataIndex] || "" };
      kinds[entry.kind](options, picked(), place.clientWidth, place.clientHeight);
      chart.setOption(options, true);
      // A picture that knows its own measure can be scaled when printed.
      const svg = place.querySelector("svg");
      svg.setAttribute("viewBox", "0 0 " + chart.getWidth() + " " + chart.getHeight());
      svg.setAttribute("aria-hidden", "true");
      svg.setAttribute("focusable", "false");
    };
    draw();
    return { draw, resize() { if (place.clientWidth && place.clientWidth !== chart.getWidth()) { chart.resize({ width: place.clientWidth, height: place.clientHeight }); draw(); } } };
  });
  let waiting;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => drawn.forEach((chart) => chart.resize()), 120); });

  // The picker marks one community in every table and chart.
  function pick() {
    only.disabled = !picker.value;
    if (!picker.value) only.checked = false;
    document.querySelectorAll("tr[data-unit]").forEach((row) => {
      const isOwn = row.dataset.unit === picker.value;
      row.classList.toggle("mine", isOwn);
      row.hidden = only.checked && !isOwn && row.closest("table").hasAttribute("data-section");
    });
    drawn.forEach((chart) => chart.draw());
  }
  if (picker) {
    picker.closest(".pick").hidden = false;
    picker.addEventListener("change", pick);
    only.addEventListener("change", pick);
  }

  // Sorting: a button in each head; numbers by value, text by the language. It
  // is no <button>, because Chromium leaves those out of heads that it repeats
  // on printed pages.
  const collator = new Intl.Collator(page.lang, { numeric: true });
  document.querySelectorAll("table[data-section] th[data-key]").forEach((head) => {
    const button = document.createElement("span");
    button.setAttribute("role", "button");
    button.tabIndex = 0;
    button.textContent = head.textContent;
    button.title = words.sort;
    head.replaceChildren(button);
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.click();
    });
    button.addEventListener("click", () => {
      const table = head.closest("table"), at = head.cellIndex, body = table.tBodies[0];
      const up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => { const cell = row.cells[at]; return "raw" in cell.dataset ? cell.dataset.raw : cell.textContent; };
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = isNaN(x) || isNaN(y) ? collator.compare(x, y) : x - y;
        return up ? order : -order;
      });
      body.append(...rows);
    });
  });

  // The tree: town, community, area, building grid; one level at a time.
  document.querySelectorAll(".script").forEach((part) => { part.hidden = false; });
  const place = document.getElementById("drill-place");
  const path = [];
  function element(name, className, content) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  }
  function openTree() {
    const here = path.length ? path[path.length - 1].kids || [] : page.drill;
    const trail = element("p", "trail");
    [{ name: words.town }, ...path].forEach((unit, i) => {
      if (i) trail.append(" › ");
      if (i === path.length) { trail.append(element("b", "", unit.name)); return; }
      const back = element("button", "", unit.name);
      back.type = "button";
      back.addEventListener("click", () => { path.length = i; openTree(); });
      trail.append(back);
    });
    const table = element("table", "tree"), head = table.createTHead().insertRow(), body = table.createTBody();
    [words.unit, words.households, words.place, words.total, ""].forEach((name, i) => {
      const cell = element(name ? "th" : "td", i && i < 4 ? "n" : "", name);
      if (name) cell.scope = "col";
      head.append(cell);
    });
    for (const unit of here) {
      const row = body.insertRow(), name = element("th");
      name.scope = "row";
      if (unit.kids) {
        const open = element("button", "", unit.name);
        open.type = "button";
        open.setAttribute("aria-label", words.open + " " + unit.name);
        open.addEventListener("click", () => { path.push(unit); openTree(); });
        name.append(open);
      } else name.textContent = unit.name;
      row.append(name, element("td", "n", unit.households), element("td", "n", unit.place), element("td", "n total", unit.total));
      const bar = row.insertCell(), svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), rect = document.createElementNS(svg.namespaceURI, "rect");
      svg.setAttribute("aria-hidden", "true");
      rect.setAttribute("width", Math.max(0, Number(unit.total) || 0) * 0.95 + "%");
      rect.setAttribute("height", "100%");
      svg.append(rect);
      bar.append(svg);
    }
    place.replaceChildren(trail, table);
  }
  if (place && page.drill) openTree();
})();
