// What the desk does in the browser beside htmx: it hears of what happens and has parts of the page made anew, counts
// seconds, and puts lists in order. Every page can be read, and every order given, without it.
"use strict";

(() => {
  const REFRESH_MS = 400;          // a part is not made anew more often than this
  const UNTOLD_MS = 5000;          // parts of whose progress there is no news are made anew this often
  const LINES_MOST = 60;

  let source = null;
  const waiting = new WeakMap();
  const body = document.body;
  const address = body.dataset.liveFrom;

  function refresh(element) {
    if (waiting.has(element)) return;
    waiting.set(element, setTimeout(() => {
      waiting.delete(element);
      if (element.isConnected) htmx.trigger(element, "refresh");
    }, Number(element.dataset.livePause) || REFRESH_MS));
  }

  function concerns(element, kind, fields) {
    const { liveArticle, liveEndpoint, liveKinds } = element.dataset;
    if (liveKinds && !liveKinds.split(" ").includes(kind)) return false;
    if (liveArticle) return fields.article === liveArticle || fields.event === element.dataset.liveEvent;
    if (liveEndpoint) return fields.endpoint === liveEndpoint;
    return true;
  }

  function line(kind, fields, list) {
    const item = document.createElement("li");
    const add = (tag, text, name) => {
      const part = document.createElement(tag);
      part.textContent = text;
      if (name) part.className = name;
      item.append(part);
      return part;
    };
    const time = add("time", fields.time.slice(11, 19));
    time.dateTime = fields.time;
    time.dir = "ltr";
    const shade = { delivered: "good", kill_confirmed: "good", failed: "bad", parked: "warn", paused: "warn" }[kind] || "";
    add("span", list.dataset[`kind_${kind}`] || kind, `badge ${shade}`);
    if (fields.article) {
      const link = add("a", fields.article);
      link.href = `/desk/articles/${encodeURIComponent(fields.article)}`;
      link.dir = "auto";
    }
    if (fields.endpoint) add("bdi", fields.endpoint);
    if (fields.status && !fields.error) add("span", String(fields.status));
    if (fields.error) add("small", fields.error);
    if (fields.milliseconds) add("small", `${fields.milliseconds} ms`);
    return item;
  }

  function happened(kind, message) {
    let fields;
    try { fields = JSON.parse(message.data); } catch { return; }
    for (const list of document.querySelectorAll("[data-live-list]")) {
      list.prepend(line(kind, fields, list));
      while (list.children.length > LINES_MOST) list.lastElementChild.remove();
      const empty = list.parentElement.querySelector(".empty");
      if (empty) empty.hidden = true;
    }
    for (const element of document.querySelectorAll("[data-live]")) {
      if (concerns(element, kind, fields)) refresh(element);
    }
  }

  function show(on) {
    for (const element of document.querySelectorAll("[data-live-state]")) {
      element.textContent = on ? element.dataset.on : element.dataset.off;
      element.classList.toggle("is-on", on);
      element.classList.toggle("is-off", !on);
    }
  }

  function listen() {
    if (source || !address || document.hidden || !document.querySelector("[data-live], [data-live-list]")) return;
    source = new EventSource(address);
    source.onopen = () => show(true);
    source.onerror = () => {
      show(false);
      if (source.readyState === EventSource.CLOSED) { source = null; setTimeout(listen, 5000); }
    };
    for (const kind of ["accepted", "carried_out", "delivered", "failed", "parked", "paused", "kill_confirmed"]) {
      source.addEventListener(kind, (message) => happened(kind, message));
    }
  }

  function rest() {
    if (!source) return;
    source.close();
    source = null;
  }

  // Browsers open few connections to one host: a page that nobody looks at gives its own back.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { rest(); return; }
    listen();
    document.querySelectorAll("[data-live]").forEach(refresh);
  });

  setInterval(() => {
    const now = Date.now();
    for (const element of document.querySelectorAll("[data-since]")) {
      element.textContent = span((now - Date.parse(element.dataset.since)) / 1000);
    }
  }, 1000);
  setInterval(() => {
    if (!document.hidden) document.querySelectorAll("[data-untold]").forEach(refresh);
  }, UNTOLD_MS);

  function span(seconds) {
    if (!(seconds > 0)) return "0 s";
    if (seconds < 120) return `${Math.round(seconds)} s`;
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
    if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
    return `${Math.round(seconds / 86400)} d`;
  }

  // Lists: by the buttons of an entry, by Alt and an arrow, by dragging. The form sends the order that there is.
  function move(item, step) {
    const list = item.parentElement;
    const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    if (step < 0) list.insertBefore(item, other); else list.insertBefore(other, item);
    changed(list, item);
  }

  function changed(list, item) {
    const form = list.closest("form");
    const place = [...list.children].indexOf(item) + 1;
    const status = form.querySelector("[data-order-status]");
    if (status) status.textContent = status.dataset.words.replace("{place}", place).replace("{all}", list.children.length);
    const save = form.querySelector("[data-unsaved]");
    if (save) save.hidden = false;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    event.preventDefault();
    move(button.closest("li"), Number(button.dataset.move));
    button.focus();
  });
  document.addEventListener("keydown", (event) => {
    const item = event.target.closest?.(".picks li");
    if (!item || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const focused = document.activeElement;
    move(item, event.key === "ArrowUp" ? -1 : 1);
    focused.focus();
  });
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".picks li") || null;
    if (dragged) { dragged.classList.add("is-dragged"); event.dataTransfer.effectAllowed = "move"; }
  });
  document.addEventListener("dragover", (event) => {
    const over = event.target.closest?.(".picks li");
    if (!dragged || !over || over === dragged || over.parentElement !== dragged.parentElement) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    over.parentElement.insertBefore(dragged, event.clientY < top + height / 2 ? over : over.nextElementSibling);
  });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("is-dragged");
    changed(dragged.parentElement, dragged);
    dragged = null;
  });

  // A button that orders something is pressed once.
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button[data-once]")) setTimeout(() => { button.disabled = true; });
  });
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[data-once]")) button.disabled = false;
  });

  document.addEventListener("htmx:afterSettle", listen);
  listen();
})();
