"use strict";
// Draws the charts whose options stand in #chart-data, and sorts tables.
// Functions live here, by kind of chart; the data block carries none.
(function () {
  const look = JSON.parse(document.getElementById("chart-data").textContent);
  const font = getComputedStyle(document.body).fontFamily;
  const text = { color: look.ink, fontFamily: font, fontSize: 12 };
  const quiet = { axisLine: { lineStyle: { color: look.line } }, axisTick: { show: false }, axisLabel: { color: look.ink, fontFamily: font } };
  const split = { splitLine: { lineStyle: { color: "#eceff3" } } };
  const separated = (value) => Number(value).toLocaleString("zh-CN");
  const low = (values) => Math.floor((Math.min(...values) - 1) / 5) * 5;

  const kinds = {
    ranking(o) {
      o.grid = { left: 80, right: 56, top: 8, bottom: 8 };
      o.yAxis = [{ type: "category", data: o.xAxis[0].data, ...quiet }];
      o.xAxis = [{ type: "value", show: false, min: 0 }];
      o.series[0].itemStyle = { color: look.blue };
      o.series[0].label = { show: true, position: "right", ...text, formatter: (p) => Number(p.value).toFixed(2) };
      o.series[0].barMaxWidth = 18;
    },
    heat(o) {
      o.grid = { left: 80, right: 8, top: 8, bottom: 28 };
      o.xAxis = [{ ...o.xAxis[0], type: "category", ...quiet }];
      o.yAxis = [{ ...o.yAxis[0], ...quiet }];
      o.visualMap = { show: false, min: look.heatFloor, max: look.heatFloor + 5 * look.heat.length, inRange: { color: look.heat } };
      o.series[0].label = { show: true, fontFamily: font, formatter: (p) => (p.value[2] === "-" ? "—" : Number(p.value[2]).toFixed(1)) };
      o.series[0].itemStyle = { borderColor: "#fff", borderWidth: 2 };
    },
    trend(o) {
      const values = o.series.flatMap((s) => s.data.map((d) => d.value)).filter((v) => v !== "-");
      o.grid = { left: 40, right: 96, top: 12, bottom: 28 };
      o.xAxis = [{ ...o.xAxis[0], type: "category", boundaryGap: false, ...quiet }];
      o.yAxis = [{ type: "value", min: low(values), max: 100, ...quiet, ...split }];
      const palette = [look.blue, "#b5651d", look.good, "#7a4988", "#4a4a4a", "#0f8b8d", "#9a7d0a", look.accent];
      o.series.forEach((s, i) => {
        s.symbolSize = 5;
        s.symbol = ["circle", "rect", "triangle", "diamond"][i % 4];
        s.lineStyle = { width: 2, color: palette[i % 8], type: ["solid", "dashed"][Math.floor(i / 4) % 2] };
        s.itemStyle = { color: palette[i % 8] };
        s.endLabel = { show: true, ...text, color: palette[i % 8], formatter: "{a}", distance: 8 };
        s.labelLayout = { moveOverlap: "shiftY" };
      });
    },
    bar(o) { columns(o); },
    pair(o) { columns(o); o.legend = legend(); },
    stack(o) { columns(o); o.series.forEach((s) => { s.stack = "all"; s.label.position = "inside"; s.label.formatter = (p) => (p.value > 3 ? p.value : ""); }); o.series[0].label.color = "#fff"; o.legend = legend(); },
    money(o) {
      columns(o);
      o.grid.left = 16;
      o.yAxis[0].show = false;
      o.series[0].label.formatter = (p) => separated(p.value);
      o.series[0].itemStyle = { color: (p) => (p.value < 0 ? look.accent : look.blue) };
    },
  };

  function legend() { return { show: true, right: 0, top: 0, icon: "rect", itemWidth: 12, itemHeight: 12, textStyle: text }; }

  function columns(o) {
    o.grid = { left: 36, right: 8, top: 28, bottom: 28 };
    o.xAxis = [{ ...o.xAxis[0], type: "category", ...quiet, axisLabel: { ...quiet.axisLabel, interval: 0 } }];
    o.yAxis = [{ type: "value", min: null, ...quiet, ...split }];
    o.series.forEach((s, i) => {
      s.itemStyle = { color: [look.blue, look.pale][i % 2] };
      s.barMaxWidth = 34;
      s.label = { show: true, position: "top", ...text };
    });
  }

  const drawn = look.charts.map((entry) => {
    const place = document.getElementById("chart-" + entry.id);
    const options = entry.options;
    delete options.title;
    delete options.color;
    options.legend = { show: false };
    options.tooltip = { trigger: "item", renderMode: "richText" };
    options.animation = false;
    kinds[entry.kind](options);
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(options);
    return chart;
  });
  const resize = () => drawn.forEach((chart) => chart.resize());
  window.addEventListener("resize", resize);
  window.addEventListener("beforeprint", resize);
  window.addEventListener("afterprint", resize);

  // Sorting: a click or Enter on a head; numbers by value, text by the locale.
  document.querySelectorAll("table[data-section] th[data-key]").forEach((head) => {
    head.tabIndex = 0;
    const sort = () => {
      const table = head.closest("table"), at = head.cellIndex, body = table.tBodies[0];
      const up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[at].dataset.raw;
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = isNaN(x) || isNaN(y) ? x.localeCompare(y, "zh") : x - y;
        return up ? order : -order;
      });
      body.append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
})();
