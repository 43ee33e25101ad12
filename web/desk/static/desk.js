// What the desk does in the browser beside htmx: it hears of what happens and has parts of the page made anew, counts
// seconds, and puts lists in order. Every page can be read, and every order given, without it.
"use strict";

(() => {
  const REFRESH_MS = 400;          // a part is not made anew more often, or sooner after news (shared_answers.py)
  const LINES_MOST = 40;           // as many have their headlines (story_lines.py)
  const DOUBT_MS = 4000;           // so long without a stream a page is still called live

  let source = null;
  let doubt = null;
  const waiting = new WeakMap();
  const body = document.body;
  let address = body.dataset.liveFrom;

  function refresh(element) {
    if (waiting.has(element)) return;
    waiting.set(element, setTimeout(() => {
      waiting.delete(element);
      if (element.isConnected) htmx.trigger(element, "refresh");
    }, Number(element.dataset.livePause) || REFRESH_MS));
  }

  function concerns(element, news) {
    const { liveArticle, liveEvent, liveEndpoint, liveKinds } = element.dataset;
    if (liveKinds && !liveKinds.split(" ").some((kind) => news.kinds.includes(kind))) return false;
    if (liveArticle) return news.articles.includes(liveArticle) || (liveEvent && news.events.includes(liveEvent));
    if (liveEndpoint) return news.endpoints.includes(liveEndpoint);
    return true;
  }

  function refreshAll(concerned = () => true) {
    document.querySelectorAll("[data-live]").forEach((element) => { if (concerned(element)) refresh(element); });
  }

  function appender(item) {
    return (tag, text, name) => {
      const part = document.createElement(tag);
      part.textContent = text;
      if (name) part.className = name;
      item.append(" ", part);
      return part;
    };
  }

  function addTime(add, moment, list) {
    const time = add("time", clock(moment, list.dataset.zone));
    time.dateTime = moment;
    time.dir = "ltr";
  }

  function clock(moment, zone) {
    return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: zone }).format(new Date(moment));
  }

  function addArticle(add, name, text) {
    const link = add("a", text);
    link.href = `/desk/articles/${encodeURIComponent(name)}`;
    link.dir = "auto";
  }

  function word(list, kind) {
    return list.dataset[`word_${kind.replaceAll(" ", "_")}`] || kind;
  }

  // A line for each article, the last one that something happened to first.
  function story(line, list) {
    const item = [...list.children].find((child) => child.dataset.article === line.article) || document.createElement("li");
    item.dataset.article = line.article;
    item.dataset.place = line.place;
    item.replaceChildren();
    const add = appender(item);
    addTime(add, line.time, list);
    add("span", word(list, line.what), "badge");
    addArticle(add, line.article, line.headline || line.article);
    if (line.receivers) {
      const isDone = line.done === line.receivers;
      add("span", `${line.done} / ${line.receivers}`, `badge ${isDone ? "good" : "warn"}`).dir = "ltr";
    }
    return item;
  }

  function single(fields, list) {
    const item = document.createElement("li");
    item.dataset.place = fields.place;
    const add = appender(item);
    addTime(add, fields.time, list);
    add("span", word(list, fields.kind), `badge ${fields.kind === "failed" ? "bad" : "warn"}`);
    if (fields.endpoint) add("bdi", fields.endpoint);
    if (fields.article) addArticle(add, fields.article, fields.article);
    if (fields.status && !fields.error) add("span", String(fields.status));
    const why = fields.translated?.[document.documentElement.lang] || fields.error || fields.reason;
    if (why) add("small", why).dir = "auto";
    return item;
  }

  // Of two that happened in the same millisecond, the later one.
  function isBefore(one, other) {
    const [moment, number] = one.dataset.place.split("-").map(Number);
    const [otherMoment, otherNumber] = other.dataset.place.split("-").map(Number);
    return moment < otherMoment || (moment === otherMoment && number < otherNumber);
  }

  // The newest stands first, whenever we heard of it.
  function put(items) {
    for (const list of document.querySelectorAll("[data-live-list]")) {
      for (const item of items(list)) {
        item.remove();
        list.insertBefore(item, [...list.children].find((other) => isBefore(other, item)) || null);
      }
      while (list.children.length > LINES_MOST) list.lastElementChild.remove();
      const empty = list.parentElement.querySelector(".empty");
      if (empty) empty.hidden = list.children.length > 0;
    }
  }

  // Whoever has come to something in the part by keyboard stays there.
  function replace(id, html) {
    const old = document.getElementById(id);
    if (!old) return;
    const place = focusable(old).indexOf(document.activeElement);
    old.outerHTML = html;
    const part = document.getElementById(id);
    htmx.process(part);
    count();
    if (place >= 0) focusable(part)[place]?.focus();
  }

  function focusable(part) {
    return [...part.querySelectorAll("a, button, summary, input")];
  }

  const told = {
    part: ({ id, html }) => replace(id, html),
    news: (news) => refreshAll((element) => concerns(element, news)),
    anew: () => refreshAll(),
    lines: (lines) => put((list) => lines.map((line) => story(line, list))),
    single: (fields) => put((list) => [single(fields, list)]),
    // What somebody has typed into the page stays there.
    ended: () => { rest(); address = ""; show(false); unhide("[data-ended]", true); },
  };

  function unhide(selector, visible) {
    for (const element of document.querySelectorAll(selector)) element.hidden = !visible;
  }

  function show(on) {
    clearTimeout(doubt);
    doubt = null;
    for (const element of document.querySelectorAll("[data-live-state]")) {
      element.textContent = on ? element.dataset.on : element.dataset.off;
      element.classList.toggle("is-on", on);
      element.classList.toggle("is-off", !on);
    }
  }

  // What this page shows: of anything else it need not hear.
  function shown() {
    const kinds = new Set();
    const query = new URLSearchParams();
    for (const { dataset } of document.querySelectorAll("[data-live]")) {
      if (!dataset.liveKinds && !dataset.liveArticle && !dataset.liveEndpoint) return "";
      dataset.liveKinds?.split(" ").forEach((kind) => kinds.add(kind));
      if (dataset.liveArticle) query.append("article", dataset.liveArticle);
      if (dataset.liveEvent) query.append("event", dataset.liveEvent);
      if (dataset.liveEndpoint) query.append("endpoint", dataset.liveEndpoint);
    }
    query.append("kinds", [...kinds].join(" "));
    return `${query}&`;
  }

  function listen() {
    if (source || !address || document.hidden || !document.querySelector("[data-live], [data-live-list]")) return;
    source = new EventSource(`${address}${address.includes("?") ? "&" : "?"}${shown()}since=${body.dataset.liveSince}`);
    source.onopen = () => show(true);
    source.onerror = () => {
      // The server ends each stream after a minute, and the browser asks again at once: that is no outage.
      doubt = doubt || setTimeout(() => show(false), DOUBT_MS);
      if (source.readyState === EventSource.CLOSED) { source = null; setTimeout(listen, 5000); }
    };
    for (const [kind, tell] of Object.entries(told)) {
      source.addEventListener(kind, (message) => tell(JSON.parse(message.data)));
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
    refreshAll();
  });

  function count() {
    const now = Date.now();
    for (const element of document.querySelectorAll("[data-since]")) {
      element.textContent = span((now - Date.parse(element.dataset.since)) / 1000);
    }
  }
  setInterval(count, 1000);

  function span(seconds) {
    if (!(seconds > 0)) seconds = 0;
    const [inSeconds, inMinutes, inHours, inDays] = body.dataset.units.split("|");
    const length = (words, unit) => words.replace("{count}", Math.round(seconds / unit));
    if (seconds < 120) return length(inSeconds, 1);
    if (seconds < 7200) return length(inMinutes, 60);
    if (seconds < 172800) return length(inHours, 3600);
    return length(inDays, 86400);
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

  // A part that could not be fetched stays as it was: that is said, until it is there again.
  const failing = new Set();
  function noteAnswer({ detail }, failed) {
    const path = detail.pathInfo?.requestPath?.split("?")[0];
    if (failed) failing.add(path); else failing.delete(path);
    unhide("[data-stale]", failing.size > 0);
  }
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) noteAnswer(event, false); });
  document.addEventListener("htmx:responseError", (event) => noteAnswer(event, true));
  document.addEventListener("htmx:sendError", (event) => noteAnswer(event, true));

  document.addEventListener("htmx:afterSettle", () => { listen(); count(); });
  listen();
  count();
  document.querySelector(".main-nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
})();
