// Draws the numbers of a table (data-chart) beside it, by uPlot. Without this script the table says the same.
"use strict";

(() => {
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function numbers(table) {
    const rows = [...table.tBodies[0].rows];
    return [...table.tHead.rows[0].cells].map((_, column) => rows.map((row) => {
      const text = row.cells[column].dataset.value;
      return text === undefined || text === "" ? null : Number(text);
    }));
  }

  function draw(place) {
    const table = document.getElementById(place.dataset.chart);
    if (!table || !table.tBodies[0].rows.length) return;
    const columns = place.dataset.columns.split(" ").map(Number);
    const all = numbers(table);
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
    const colors = { good: color("--good"), bad: color("--bad"), accent: color("--accent"), warn: color("--warn") };
    const shades = place.dataset.colors.split(" ");
    const hasDays = place.dataset.span === "week" || place.dataset.span === "days";
    const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
      timeZone: place.dataset.zone, numberingSystem: "latn",
      ...(place.dataset.span === "days" ? {} : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
      ...(hasDays ? { month: "short", day: "numeric" } : {}),
    });
    const time = (seconds) => (seconds === null || seconds === undefined ? "" : clock.format(seconds * 1000).replace(/[\u200e\u200f]/g, ""));
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
    place.replaceChildren();
    new uPlot({
      width: place.clientWidth,
      height: 210,
      cursor: { y: false },
      legend: { live: true },
      scales: { x: { range: (_, first, last) => [first, Math.max(last, first + 600)] }, y: { range: (_, low, high) => [0, Math.max(high * 1.1, 0.001)] } },
      axes: [{ ...axis, space: hasDays ? 110 : 70, values: (_, ticks) => ticks.map(time) }, { ...axis, size: 60 }],
      series: [{ label: heads[0], value: (_, seconds) => time(seconds) }, ...columns.map((column, number) => ({
        label: heads[column], stroke: colors[shades[number]], width: 2, spanGaps: false, points: { size: 4 },
      }))],
    }, [all[0], ...columns.map((column) => all[column])], place);
  }

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.querySelector?.("[data-chart]") || event.target.closest?.("#rates")) drawAll();
  });
  let resizing = null;
  addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(drawAll, 150); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();
