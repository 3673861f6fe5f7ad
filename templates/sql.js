"use strict";
// What the SQL page gains by script: completion, fields for the parameters
// while one types, a query that can be stopped, and a quick chart. Without it
// the form does the same with a page for each answer.
(function () {
  const form = document.getElementById("ask"), text = document.getElementById("sql-text");
  const list = document.getElementById("completions"), fields = document.getElementById("fields");
  const tables = {};
  document.querySelectorAll("[data-table]").forEach(table => {
    tables[table.dataset.table] = [...table.querySelectorAll("code")].map(code => code.textContent);
  });

  // Completion: tables by any part of their name; columns of the tables that
  // the text names, else of all.
  const words = "select from where group by order by limit with as join left join on and or not in is null between like case when then else end distinct having union all count sum avg min max round coalesce rank over partition by filter describe summarize pivot unpivot asc desc".split(" ");
  let chosen = 0, found = [], isMoved = false;
  const wordBefore = () => /[\p{L}\p{N}_.]*$/u.exec(text.value.slice(0, text.selectionStart))[0];
  function complete(always) {
    const word = wordBefore().toLowerCase(), last = word.slice(word.lastIndexOf(".") + 1);
    found = [];
    if (word.length > 1 || always) {
      const named = Object.keys(tables).filter(name => text.value.toLowerCase().includes(name));
      const columns = [...new Set((named.length ? named : Object.keys(tables)).flatMap(name => tables[name]))];
      const isOpen = new RegExp("\\b(" + [...new Set(Object.keys(tables).map(name => name.split(".")[0]))].join("|") + ")\\.").test(word);
      found = Object.keys(tables).filter(name => name.includes(word) && name !== word).map(name => ({ text: name, kind: "", from: word.length }));
      if (!isOpen) {
        found.push(...columns.filter(name => name.startsWith(last) && name !== last).map(name => ({ text: name, kind: named.find(table => tables[table].includes(name)) || "", from: last.length })));
        found.push(...words.filter(name => word && name.startsWith(word) && name !== word).map(name => ({ text: name, kind: "", from: word.length })));
      }
      found = found.slice(0, 12);
    }
    chosen = 0;
    isMoved = false;
    show();
  }
  function show() {
    list.replaceChildren(...found.map((one, i) => {
      const item = document.createElement("li");
      item.id = "completion-" + i;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(i === chosen));
      item.append(one.text);
      if (one.kind) {
        const small = document.createElement("small");
        small.textContent = one.kind;
        item.append(small);
      }
      item.addEventListener("mousedown", event => { event.preventDefault(); take(i); });
      return item;
    }));
    list.hidden = !found.length;
    if (found.length) text.setAttribute("aria-activedescendant", "completion-" + chosen);
    else text.removeAttribute("aria-activedescendant");
  }
  function take(i) {
    const one = found[i], at = text.selectionStart;
    text.setRangeText(one.text, at - one.from, at, "end");
    found = [];
    show();
    ask();
  }
  text.setAttribute("aria-autocomplete", "list");
  text.setAttribute("aria-controls", "completions");
  text.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(document.getElementById("run"));
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      complete(true);
    } else if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      isMoved = true;
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      show();
    } else if (found.length && (event.key === "Tab" && !event.shiftKey || event.key === "Enter" && isMoved)) {
      // Enter alone is a new line: who types on wants no word of ours.
      event.preventDefault();
      take(chosen);
    } else if (event.key === "Escape") {
      found = [];
      show();
    }
  });
  text.addEventListener("blur", () => { found = []; show(); });

  // A click on a column or a table's name with the key held down writes it.
  document.querySelectorAll(".tables code").forEach(code => {
    code.addEventListener("click", () => { text.setRangeText(code.textContent, text.selectionStart, text.selectionEnd, "end"); text.focus(); });
  });

  // A field for each $name of the text; what was typed into one stays.
  function ask() {
    const bare = text.value.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g, " ");
    const names = [...new Set([...bare.matchAll(/(?<![\p{L}\p{N}_$])\$([\p{L}\p{N}_]+)/gu)].map(match => match[1]))];
    const there = {};
    fields.querySelectorAll("input").forEach(input => { there[input.name] = input.parentElement; });
    if (names.length === Object.keys(there).length && names.every(name => there["p." + name])) return;
    fields.replaceChildren(...names.map(name => {
      if (there["p." + name]) return there["p." + name];
      const label = document.createElement("label"), input = document.createElement("input");
      input.name = "p." + name;
      input.autocomplete = "off";
      if (name === "month") input.value = fields.dataset.month;
      label.append("$" + name + " ", input);
      return label;
    }));
  }
  text.addEventListener("input", () => { ask(); complete(false); });

  // A query is fetched, so that it can be stopped: the service sees that its
  // reader left, and ends it.
  const stop = document.getElementById("stop"), clock = document.getElementById("clock");
  let running = null;
  form.addEventListener("submit", event => {
    const button = event.submitter, what = button ? button.value : "run";
    if (what !== "run" && what !== "plan") return;
    event.preventDefault();
    if (running) return;
    const data = new URLSearchParams(new FormData(form));
    data.set("do", what);
    running = new AbortController();
    const began = Date.now();
    // What stands there answers another text.
    document.getElementById("answer").setAttribute("aria-busy", "true");
    stop.hidden = false;
    const tick = () => { clock.textContent = clock.dataset.running + " " + ((Date.now() - began) / 1000).toFixed(0) + " s"; };
    tick();
    const timer = setInterval(tick, 1000);
    fetch(form.action, { method: "POST", body: data, signal: running.signal }).then(response => {
      if (response.redirected) { location.assign(response.url); return ""; }
      return response.text();
    }).then(page => {
      const parsed = new DOMParser().parseFromString(page, "text/html");
      for (const id of ["answer", "history", "link-box"]) {
        const fresh = parsed.getElementById(id);
        if (!fresh) { location.reload(); return; }
        if (id === "history") fresh.open = document.getElementById(id).open;
        document.getElementById(id).replaceWith(document.adoptNode(fresh));
      }
      clock.textContent = "";
      const link = document.getElementById("link");
      if (link) history.replaceState(null, "", link.getAttribute("href"));
      document.getElementById("answer").focus({ preventScroll: true });
      draw();
    }).catch(error => {
      clock.textContent = error.name === "AbortError" ? clock.dataset.stopped : clock.dataset.failed;
      document.getElementById("answer").replaceChildren();
      document.getElementById("answer").removeAttribute("aria-busy");
    }).finally(() => {
      clearInterval(timer);
      stop.hidden = true;
      running = null;
    });
  });
  stop.addEventListener("click", () => running && running.abort());

  // The quick chart: what is in the table, by any column, as bars or lines.
  const most = 200;
  let library = null;
  function draw() {
    const box = document.getElementById("chart-box"), table = document.querySelector("table.answer");
    if (!box || !table) return;
    const heads = [...table.tHead.rows[0].cells], numeric = heads.map(head => head.classList.contains("n"));
    const rows = [...table.tBodies[0].rows].slice(0, most);
    const name = i => heads[i].firstChild.textContent;
    const values = i => rows.map(row => row.cells[i].classList.contains("null") ? null : row.cells[i].textContent);
    const good = heads.map((_, i) => i).filter(i => numeric[i]);
    if (!good.length || rows.length < 2) return;
    const [title, wordX, wordY, bar, line, none] = box.dataset.words.split("|");
    const rest = heads.map((_, i) => i).filter(i => !numeric[i]);
    // The first column that tells the rows apart names them; the first number
    // that is no key is drawn.
    const tells = i => new Set(values(i)).size;
    const x = rest.length ? rest.reduce((best, i) => tells(i) > tells(best) ? i : best, rest[0]) : -1;
    const y = good.find(i => !/(_id|^position|^level|^place)$/.test(name(i))) ?? good[0];
    const pick = (word, options, value) => {
      const label = document.createElement("label"), select = document.createElement("select");
      options.forEach(([key, shown]) => select.add(new Option(shown, key, false, String(key) === String(value))));
      label.append(word + " ", select);
      select.addEventListener("change", paint);
      return [label, select];
    };
    const isDay = x >= 0 && /^DATE|^TIMESTAMP/.test(heads[x].dataset.type);
    const [kindLabel, kind] = pick(title, [["bar", bar], ["line", line], ["", none]], isDay ? "line" : "bar");
    const [xLabel, xs] = pick(wordX, heads.map((_, i) => [i, name(i)]), x);
    const [yLabel, ys] = pick(wordY, good.map(i => [i, name(i)]), y);
    const line1 = document.createElement("div"), canvas = document.createElement("div");
    line1.className = "line-of";
    line1.append(kindLabel, xLabel, yLabel);
    canvas.id = "chart";
    canvas.setAttribute("role", "img");
    box.replaceChildren(line1, canvas);
    box.hidden = false;
    library = library || new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = form.dataset.echarts;
      script.onload = () => done(window.echarts);
      script.onerror = failed;
      document.head.append(script);
    });
    let chart = null;
    function paint() {
      canvas.hidden = kind.value === "";
      if (canvas.hidden) return;
      library.then(echarts => {
        chart = chart || echarts.init(canvas, null, { renderer: "canvas" });
        const style = getComputedStyle(document.documentElement), color = key => style.getPropertyValue(key).trim();
        const font = { color: color("--ink"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
        canvas.setAttribute("aria-label", title + ": " + name(+ys.value) + " / " + name(+xs.value));
        chart.setOption({
          animation: false, textStyle: font, color: [color("--blue")], grid: { left: 12, right: 12, top: 16, bottom: 8, containLabel: true },
          tooltip: { trigger: "axis", renderMode: "richText" },
          xAxis: { type: "category", data: values(+xs.value), axisLabel: { ...font, hideOverlap: true }, axisTick: { show: false } },
          yAxis: { type: "value", scale: kind.value === "line", axisLabel: font, splitLine: { lineStyle: { color: color("--grid") } } },
          series: [{ type: kind.value, name: name(+ys.value), data: values(+ys.value).map(v => v === null ? "-" : Number(v)), barMaxWidth: 36, connectNulls: false }],
        }, true);
      }, () => { box.hidden = true; });
    }
    paint();
    new ResizeObserver(() => chart && chart.resize()).observe(canvas);
  }
  draw();
})();
