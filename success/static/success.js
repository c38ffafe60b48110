/*
 * Celebrations and messages on your product's own pages: README.md, "On your product's pages".
 * Words are only set as text, styles by style sheets: the strictest content security policy fits. Nothing throws into your page. ES2019.
 */
(function () {
  "use strict";
  if (window.Success) return;
  const script = document.currentScript;
  const HOME = (script && script.src) || location.href;

  const TEXTS = {
    inbox: "Messages",
    unread: "{n} unread",
    fresh: "New",
    empty: "Nothing here yet. What you reach, and what helps next, will stand here.",
    failed: "Your messages could not be loaded.",
    open: "Open",
    close: "Close",
    reached: "You got there",
    also: "You also reached {names}.",
  };
  const PULSE = 5e3; // between two looks at how things stand
  const SILENT = 5e4; // a stream that says nothing for so long is dead, whatever the browser believes
  const POLL = 2e4;
  const HIDDEN = 6e4; // a page that nobody looks at gives its stream back
  const PARKED = 3e5; // one that had to give way to another tries again
  const LONGEST = 6e4; // between two tries

  // ------ nothing reaches the page

  const report = (error) => console.error("success.js:", error);

  /** Errors and rejections of the work end on the console. */
  const guarded = (work) =>
    function (...given) {
      try {
        const result = work.apply(this, given);
        return result && result.catch ? result.catch(report) : result;
      } catch (error) {
        report(error);
      }
    };

  function listen(target, name, work) {
    const guard = guarded(work);
    target.addEventListener(name, guard);
    return () => target.removeEventListener(name, guard);
  }

  const later = (work, delay) => setTimeout(guarded(work), delay);
  const sleep = (delay) => new Promise((done) => setTimeout(done, delay));
  const visible = () => document.visibilityState !== "hidden";

  // ------ what this browser remembers

  /** By user: whoever signs in after her takes nothing over. */
  function memoryOf(token) {
    const kept = {};
    const name = (key) => `success.${whose(token)}.${key}`;
    return {
      get(key) {
        try {
          return JSON.parse(localStorage.getItem(name(key))) || [];
        } catch (error) {
          return kept[key] || [];
        }
      },
      set(key, value) {
        kept[key] = value;
        try {
          localStorage.setItem(name(key), JSON.stringify(value));
        } catch (error) {}
      },
    };
  }

  function whose(token) {
    try {
      const claims = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
      return claims.supplier || claims.sub;
    } catch (error) {
      return token;
    }
  }

  /** Of these celebrations those that no other tab has shown: now they are this one's. */
  async function claim(memory, ids) {
    const take = () => {
      const shown = memory.get("shown");
      const free = ids.filter((id) => !shown.includes(id));
      memory.set("shown", shown.concat(free).slice(-99));
      return free;
    };
    // Other tabs read a little later what this one stores: so long it is held. A sandboxed page is refused the lock.
    const lock = (done) => navigator.locks.request("success", () => (done(take()), sleep(500))).catch(() => done());
    const mine = navigator.locks && (await new Promise(lock));
    if (mine) return mine;
    const me = String(Math.random()); // the last to ask has it
    memory.set("asking", me);
    await sleep(200 + 100 * Math.random());
    return memory.get("asking") === me ? take() : [];
  }

  // ------ the connection

  /** One user's: a stream of events, or asking now and then while there is none. */
  function connect(options) {
    const home = options.api || HOME;
    const api = new URL("/api/v1/", home).href;
    const stream = new URL(options.stream || "/stream/", home).href;
    const handlers = {};
    const stops = [];
    let { token } = options;
    let memory = memoryOf(token);
    let state = "";
    let closed = false;

    function emit(name, data) {
      for (const handler of handlers[name] || []) guarded(handler)(data);
      if (options.onEvent) guarded(options.onEvent)(name, data);
    }

    const idle = () => closed || state === "ended" || navigator.onLine === false;

    function become(now) {
      if (state !== now) emit("state", (state = now));
    }

    // ------ the API

    /** Begun once, however many ask at the same time. */
    function once(work) {
      let running = null;
      return () => {
        const forget = () => (running = null);
        if (!running) (running = work()).then(forget, forget);
        return running;
      };
    }

    const renew = once(async () => {
      try {
        token = String(await options.getToken());
        memory = memoryOf(token);
        later(say);
      } catch (error) {
        report(error);
        if (!options.getToken) end(); // nobody gives one
        throw error;
      }
    });

    async function call(method, path, headers) {
      const body = method === "POST" ? "{}" : undefined;
      const ask = () => {
        const about = Object.assign({ Authorization: `Bearer ${token}` }, body && { "Content-Type": "application/json" }, headers);
        return fetch(api + path, { method, body, headers: about, credentials: "omit" });
      };
      if (!token) await renew();
      const used = token;
      const answer = await ask();
      if (answer.status !== 401 || !options.getToken) return answer;
      if (used === token) await renew();
      return ask();
    }

    // ------ the stream

    let source = null;
    let last = 0; // the id of the latest event: where to go on after a break
    let heardAt = 0; // from when on it is silent
    let alive = false; // whether it said anything: a proxy may hold all of it back
    let failures = 0;
    let retry = null;
    let parkedUntil = 0;
    let hiddenAt = visible() ? 0 : Date.now();

    function drop() {
      if (source) source.close();
      source = null;
      clearTimeout(retry);
    }

    const open = once(async () => {
      if (source || idle()) return;
      if (!window.EventSource || Date.now() < parkedUntil) return become("polling");
      try {
        const answer = await call("POST", "stream-tickets/");
        if (answer.status === 401) return end();
        if (answer.status !== 201) throw answer.status;
        follow((await answer.json()).ticket);
      } catch (error) {
        lost();
      }
    });

    function follow(ticket) {
      if (closed) return;
      heardAt = Date.now();
      alive = false;
      const mine = (source = new EventSource(`${stream}?ticket=${encodeURIComponent(ticket)}${last ? `&last_event_id=${last}` : ""}`));
      mine.onopen = guarded(() => {
        become("stream");
        refresh();
      });
      mine.onerror = guarded(() => mine === source && lost());
      for (const name of ["hello", "beat", "bye", "celebration", "notification", "coach"]) {
        listen(mine, name, (event) => {
          if (mine !== source) return;
          last = Math.max(last, event.lastEventId);
          heardAt = Date.now();
          alive = true;
          const data = JSON.parse(event.data);
          if (name === "beat") failures = 0; // it holds
          else if (name === "bye") goodbye(data.reason);
          else if (name !== "hello") received(name, data);
        });
      }
    }

    /** No stream: it is tried again, each time later and never by all pages at once. What it would bring is asked for. */
    function lost(delay) {
      drop();
      if (closed || state === "ended") return;
      become(navigator.onLine === false ? "offline" : "polling");
      const longest = Math.min(LONGEST, 1e3 * 2 ** failures++);
      retry = later(open, delay === undefined ? longest * (0.5 + Math.random() / 2) : delay);
      refresh();
    }

    function goodbye(reason) {
      drop();
      if (reason === "elsewhere") {
        parkedUntil = Date.now() + PARKED;
        become("polling");
      } else if (reason === "restart") lost(3e3 * Math.random());
      else if (options.getToken) renew().then(open, () => lost());
      else end();
    }

    function end() {
      drop();
      become("ended");
    }

    // ------ asked for

    let etag = "";
    let askedAt = 0;
    let unread = 0;
    let waiting = []; // the celebrations that nobody saw on any device

    /** What waits and how much is unread; whether that was to be had. */
    const look = once(async () => {
      try {
        const answer = await call("GET", "suppliers/me/pushes/", etag && { "If-None-Match": etag });
        if (answer.status === 401) end();
        if (answer.status !== 200) return answer.status === 304;
        etag = answer.headers.get("ETag") || "";
        const found = await answer.json();
        waiting = found.results.filter((one) => one.event === "celebration").map((one) => idOf(one.data));
        found.results.forEach((one) => received(one.event, one.data));
        if (unread !== found.unread) {
          unread = found.unread;
          renderAll();
          emit("unread", unread);
        }
        return true;
      } catch (error) {
        return false;
      }
    });

    async function refresh() {
      if (idle()) return false;
      askedAt = Date.now();
      return look();
    }

    let soon = null;

    /** Something changed: how things stand is asked, once for all of it. */
    function changed() {
      clearTimeout(soon);
      soon = later(refresh, 150);
    }

    const told = new Set(); // what is asked for too comes twice

    function received(name, data) {
      const id = `${name} ${name === "celebration" ? idOf(data) : data.id}`;
      if (!told.has(id)) {
        told.add(id);
        emit(name, data);
        if (name === "notification") changed();
      }
      if (name === "celebration" && options.celebrations !== false) celebrate(data);
    }

    // ------ celebrations

    const queue = new Map();
    let held = false; // whether some waited while nobody looked
    const idOf = (data) => `${data.key} ${data.at}`;

    function celebrate(data) {
      if (queue.has(idOf(data))) return;
      if (memory.get("shown").includes(idOf(data))) return seen(data.key); // by a tab that may not have got it through
      queue.set(idOf(data), data);
      held = held || !visible();
      show();
    }

    /** What waits is one card, for who is looking, in one tab. */
    const shown = once(async () => {
      if (closed || !visible() || !queue.size || card.isOpen()) return;
      if (held) await forgetSeen();
      await sleep(100); // what comes at the same time is one celebration
      held = !visible();
      if (held) return;
      const ids = Array.from(queue.keys());
      const mine = (await claim(memory, ids)).map((id) => queue.get(id));
      ids.forEach((id) => queue.delete(id));
      if (closed) return;
      if (mine.length) card.celebrate(mine);
      mine.forEach((data) => seen(data.key));
      later(show); // what came meanwhile
    });
    const show = guarded(shown);

    /** What waited may have been seen on another device. */
    async function forgetSeen() {
      const before = Array.from(queue.keys());
      if (await refresh()) before.forEach((id) => waiting.includes(id) || queue.delete(id));
    }

    // ------ seen: said until the server has heard it

    let unsaid = 0; // tries in a row that failed

    function seen(key) {
      const keys = memory.get("seen");
      if (!keys.includes(key)) memory.set("seen", keys.concat(key).slice(-99));
      emit("seen", { key });
      return say();
    }

    const say = once(async () => {
      try {
        while (!idle() && memory.get("seen").length) {
          const [key] = memory.get("seen");
          const { status } = await call("POST", `suppliers/me/milestones/${encodeURIComponent(key)}/seen/`);
          if (status === 401 || status === 429 || status >= 500) throw status;
          memory.set("seen", memory.get("seen").filter((one) => one !== key));
          changed();
        }
        unsaid = 0;
      } catch (error) {
        later(say, Math.min(LONGEST, 2e3 * 2 ** unsaid++));
      }
    });

    // ------ the world around

    let beatAt = Date.now();

    function pulse() {
      const now = Date.now();
      const slept = visible() && now - beatAt > 3 * PULSE;
      beatAt = now;
      if (source && (slept || now - heardAt > SILENT)) return lost(0);
      if (source && hiddenAt && now - hiddenAt > HIDDEN) {
        drop();
        become("polling");
      }
      if (parkedUntil && now > parkedUntil) wake();
      if (!(source && alive) && visible() && now - askedAt > POLL) refresh();
    }

    function wake() {
      hiddenAt = visible() ? 0 : hiddenAt || Date.now();
      if (hiddenAt) return;
      parkedUntil = failures = 0;
      if (state === "ended" && options.getToken) state = "";
      if (!source) {
        clearTimeout(retry);
        open();
      }
      refresh();
      show();
      say();
    }

    function begin() {
      if (closed) return;
      const timer = setInterval(guarded(pulse), PULSE);
      stops.push(
        () => clearInterval(timer),
        listen(document, "visibilitychange", wake),
        listen(window, "online", wake),
        listen(window, "offline", () => lost()),
        listen(window, "pagehide", drop),
        listen(window, "pageshow", (event) => event.persisted && wake()),
      );
      wake();
    }

    function close() {
      closed = true;
      drop();
      stops.forEach((stop) => stop());
      card.remove();
    }

    const locale = options.locale || document.documentElement.lang || undefined;
    const hub = { call, changed, locale, theme: options.theme, texts: Object.assign({}, TEXTS, options.texts), unread: () => unread };
    const card = cardOf(hub, show);
    const handle = {
      on: (name, handler) => ((handlers[name] = (handlers[name] || []).concat(handler)), handle),
      off: (name, handler) => ((handlers[name] = (handlers[name] || []).filter((one) => one !== handler)), handle),
      seen: guarded(seen),
      close: guarded(close),
    };
    later(begin);
    return { hub, handle };
  }

  // ------ looks

  const DARK = "color-scheme: dark; --A: #4fd1bd; --O: #06251f; --S: #1b2130; --T: #eef1f6; --M: #a7b0c0; --L: #323a4c; --W: #2a2d38;";

  // Where no theme is set, that of the system.
  const BOTH = `
    :host { color-scheme: light; --A: #0b7a6b; --O: #fff; --S: #fff; --T: #1d2433; --M: #5b6475; --L: #e4e7ec; --W: #fdf3e1; }
    :host([theme=dark]) { ${DARK} }
    @media (prefers-color-scheme: dark) { :host(:not([theme])) { ${DARK} } }
    :host { --a: var(--success-accent, var(--A)); --on: var(--success-on-accent, var(--O)); --s: var(--success-surface, var(--S));
      --t: var(--success-text, var(--T)); --m: var(--success-muted, var(--M)); --l: var(--success-line, var(--L));
      --r: var(--success-radius, 16px); font: 15px/1.5 var(--success-font, system-ui, sans-serif); }
    * { box-sizing: border-box; margin: 0; }
    button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
    :focus-visible { outline: 2px solid var(--a); outline-offset: 2px; }
    .aside { position: absolute; clip-path: inset(50%); }
    .x { width: 32px; height: 32px; color: var(--m); font-size: 24px; line-height: 1; }
    svg { display: block; fill: currentColor; }
    [hidden] { display: none; }
    .card, .panel { position: absolute; overflow: auto; overflow-wrap: anywhere; color: var(--t); background: var(--s); border: 1px solid var(--l);
      border-radius: var(--r); box-shadow: 0 24px 60px -12px rgba(15, 23, 42, .35); }
  `;

  const CARD = BOTH + `
    :host { position: fixed; inset: 0; z-index: var(--success-z, 2147483000); pointer-events: none; }
    canvas { position: absolute; width: 100%; height: 100%; }
    .card { pointer-events: auto; max-height: calc(100% - 32px); }
    .full { inset: 0; margin: auto; width: min(420px, 100% - 32px); height: fit-content; padding: 32px; text-align: center;
      background: linear-gradient(var(--W), var(--s) 130px); animation: come .5s cubic-bezier(.2, 1.2, .3, 1); }
    .note { right: 16px; bottom: 16px; width: min(380px, 100% - 32px); padding: 18px 48px 18px 20px; display: grid; grid-template-columns: 40px 1fr;
      gap: 14px; animation: come .35s; }
    .sign { width: 40px; height: 40px; padding: 10px; border-radius: 50%; background: var(--a); color: var(--on); }
    .full .sign { width: 64px; height: 64px; padding: 16px; margin: 0 auto 14px; }
    .kicker { color: var(--a); font-weight: 600; }
    h2 { font-size: 16px; line-height: 1.3; }
    .full h2 { font-size: 24px; margin: 2px 0 10px; }
    .text { margin-top: 6px; }
    .text ~ .text { color: var(--m); }
    .shut { background: var(--a); color: var(--on); font-weight: 600; border-radius: 99px; padding: 10px 28px; margin-top: 22px; }
    .note .x { position: absolute; right: 10px; top: 10px; }
    @keyframes come { from { opacity: 0; transform: translateY(16px) scale(.97); } }
    @media (prefers-reduced-motion: reduce) { .card { animation: none; } }
  `;

  const INBOX = BOTH + `
    :host { position: relative; display: inline-block; }
    .bell { position: relative; width: 40px; height: 40px; border-radius: 50%; padding: 9px; }
    .badge { position: absolute; top: 0; right: 0; min-width: 18px; padding: 0 5px; border-radius: 9px; background: #c4314b; color: #fff;
      font: 700 11px/18px sans-serif; }
    .panel { z-index: var(--success-z, 2147483000); top: 48px; width: 380px; max-width: calc(100vw - 16px); }
    .head { display: flex; align-items: center; justify-content: space-between; padding: 12px 12px 12px 20px; border-bottom: 1px solid var(--l); }
    h2, h3 { font-size: inherit; font-weight: 650; }
    .scroll { max-height: min(460px, 70vh); overflow: auto; outline-offset: -2px; }
    ul { list-style: none; padding: 0; }
    li { position: relative; padding: 14px 20px 14px 34px; }
    li + li { border-top: 1px solid var(--l); }
    .new::before { content: ""; position: absolute; left: 15px; top: 21px; width: 8px; height: 8px; border-radius: 50%; background: var(--a); }
    p, time { color: var(--m); font-size: 14px; }
    a { display: block; margin-top: 4px; color: var(--a); font-weight: 600; font-size: 14px; }
    .said { padding: 32px; color: var(--m); }
  `;

  const BELL = "M12 3a6 6 0 0 0-6 6v4l-2 3a.7.7 0 0 0 .6 1h14.8a.7.7 0 0 0 .6-1l-2-3V9a6 6 0 0 0-6-6ZM9.6 19a2.5 2.5 0 0 0 4.8 0";
  const STAR = "M12 2.6l2.7 6 6.5.7-4.9 4.4 1.4 6.4L12 16.8l-5.7 3.3 1.4-6.4L2.8 9.3l6.5-.7Z";
  const CONFETTI = ["#0b7a6b", "#f2a541", "#e4576b", "#5b8def", "#f7d65a", "#8e6bd6"];

  /** Words go in as text. */
  function make(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") listen(made, name, value);
      else if (value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter(Boolean));
    return made;
  }

  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.appendChild(document.createElementNS(svg.namespaceURI, "path")).setAttribute("d", path);
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    return svg;
  }

  /** A constructed sheet is one that no policy has to allow. */
  function rooted(host, css) {
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    return root;
  }

  /** An address of the web, nothing that would run. */
  function web(address) {
    try {
      return /^https?:$/.test(new URL(address).protocol) ? address : "";
    } catch (error) {
      return "";
    }
  }

  // ------ the card

  /** `again` is asked for more once a card is closed. */
  function cardOf(hub, again) {
    const { texts } = hub;
    const status = make("div", { class: "aside", role: "status" }); // there before it speaks, or it is not heard
    const host = make("success-celebration", { theme: hub.theme });
    const root = rooted(host, CARD);
    let shut = null; // closes the card that is open
    root.append(status);
    stage();

    function stage() {
      if (!host.isConnected && document.body) document.body.append(host);
    }

    function celebrate(several) {
      const main = several.find((one) => one.type === "full") || several[several.length - 1];
      const others = several.filter((one) => one !== main).map((one) => `“${one.title}”`);
      const lines = String(main.text).split("\n");
      if (others.length) lines.splice(1, 0, texts.also.replace("{names}", () => others.join(", ")));
      stage();
      put(written(main, lines), main.type === "full");
      // Announced, and focus left where it is: who writes goes on writing.
      later(() => (status.textContent = [texts.reached, main.title, ...lines].join(". ")), 100);
    }

    function written(main, lines) {
      const full = main.type === "full";
      const words = [
        make("p", { class: "kicker" }, texts.reached),
        make("h2", { id: "title", part: "title" }, String(main.title)),
        ...lines.map((line) => make("p", { class: "text", part: "text" }, line)),
      ];
      const close = { type: "button", part: "close", class: full ? "shut" : "x", "aria-label": texts.close, click: () => shut() };
      const about = { class: full ? "full card" : "note card", part: "card", role: "region", "aria-labelledby": "title" };
      const sign = make("div", { class: "sign", part: "sign" }, icon(STAR));
      return make("section", about, sign, ...(full ? words : [make("div", {}, ...words)]), make("button", close, full ? texts.close : "×"));
    }

    /** It stands until it is closed, or long enough for who leaves it alone. */
    function put(card, full) {
      const sweep = scatter(root, full);
      let back = null; // where focus was before somebody went into the card
      let left = full ? 60 : 24; // half seconds
      const stops = [
        listen(document, "keydown", (event) => event.key === "Escape" && !event.defaultPrevented && shut()),
        listen(card, "focusin", (event) => (back = card.contains(event.relatedTarget) ? back : event.relatedTarget)),
      ];
      const timer = setInterval(guarded(() => visible() && !card.matches(":hover, :focus-within") && --left < 0 && shut()), 500);
      shut = () => {
        const inside = card.matches(":focus-within");
        shut = null;
        clearInterval(timer);
        stops.forEach((stop) => stop());
        sweep();
        card.remove();
        status.textContent = "";
        if (inside && back) back.focus();
        later(again, 300);
      };
      root.append(card);
    }

    function remove() {
      if (shut) shut();
      host.remove();
    }

    return { celebrate, remove, isOpen: () => Boolean(shut) };
  }

  /** Paper in the air for a moment, over a full card and not for who asked for less motion. Returns what sweeps it up. */
  function scatter(root, full) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const pen = full && !matchMedia("(prefers-reduced-motion: reduce)").matches && canvas.getContext("2d");
    if (!pen) return () => {};
    const width = (canvas.width = innerWidth);
    const height = (canvas.height = innerHeight);
    const paper = Array.from({ length: 110 }, (_, n) => {
      const angle = (Math.random() - 0.5) * 2.6;
      const speed = 260 + 560 * Math.random();
      return { x: width / 2, y: height / 2, dx: Math.sin(angle) * speed, dy: -Math.cos(angle) * speed, turn: n, size: 5 + (n % 6) };
    });
    let before = performance.now();
    const ends = before + 3e3;
    const sweep = () => canvas.remove();
    const draw = guarded((now) => {
      const passed = Math.min(0.05, (now - before) / 1e3);
      before = now;
      pen.clearRect(0, 0, width, height);
      if (now > ends || !canvas.isConnected) return sweep();
      pen.globalAlpha = Math.min(1, (ends - now) / 1e3);
      for (const one of paper) {
        one.dx *= 1 - passed;
        one.dy += (640 - one.dy) * passed;
        one.x += one.dx * passed;
        one.y += one.dy * passed;
        one.turn += 5 * passed;
        pen.setTransform(Math.cos(one.turn), Math.sin(one.turn), -Math.sin(one.turn), Math.cos(one.turn), one.x, one.y);
        pen.fillStyle = CONFETTI[one.size - 5];
        pen.fillRect(0, 0, one.size, one.size * 0.6);
      }
      pen.resetTransform();
      requestAnimationFrame(draw);
    });
    root.prepend(canvas);
    draw(before);
    return sweep;
  }

  // ------ the bell

  let current = null; // the connection of this page
  const inboxes = new Set();
  const renderAll = () => inboxes.forEach((inbox) => guarded(() => inbox.render())());

  class Inbox extends HTMLElement {
    connectedCallback() {
      inboxes.add(this);
      renderAll();
    }

    disconnectedCallback() {
      inboxes.delete(this);
      guarded(() => this.shut())();
    }

    render() {
      const { texts, theme, unread } = current ? current.hub : { texts: TEXTS, unread: () => 0 };
      const n = unread();
      if (!this.bell) this.build();
      if (theme) this.setAttribute("theme", theme);
      this.bell.setAttribute("aria-label", n ? `${texts.inbox}, ${texts.unread.replace("{n}", n)}` : texts.inbox);
      this.badge.hidden = !n;
      this.badge.textContent = n > 99 ? "99+" : n;
      if (this.panel && n > this.known) guarded(() => this.load())();
      this.known = n;
    }

    build() {
      this.badge = make("span", { class: "badge", part: "badge", "aria-hidden": "true" });
      const press = () => (this.panel ? this.shut() : this.open());
      this.bell = make("button", { class: "bell", part: "bell", type: "button", "aria-expanded": "false", click: press }, icon(BELL), this.badge);
      const root = rooted(this, INBOX);
      root.append(this.bell);
      listen(root, "keydown", (event) => {
        if (event.key !== "Escape" || !this.panel) return;
        event.stopPropagation();
        this.leave();
      });
    }

    open() {
      const { texts } = current ? current.hub : { texts: TEXTS };
      this.list = make("ul", {});
      this.said = make("div", { class: "said", role: "status" });
      const close = make("button", { class: "x", part: "close", type: "button", "aria-label": texts.close, click: () => this.leave() }, "×");
      const scroll = make("div", { class: "scroll", tabindex: 0, role: "group", "aria-labelledby": "head" }, this.list, this.said);
      const head = make("div", { class: "head" }, make("h2", { id: "head" }, texts.inbox), close);
      this.panel = make("div", { class: "panel", part: "panel", role: "region", "aria-labelledby": "head" }, head, scroll);
      this.shadowRoot.append(this.panel);
      this.bell.setAttribute("aria-expanded", "true");
      this.place();
      this.stops = [
        listen(document, "pointerdown", (event) => event.composedPath().includes(this) || this.shut()),
        listen(window, "resize", () => this.place()),
      ];
      if (current) guarded(() => this.load())();
    }

    shut() {
      if (!this.panel) return;
      this.stops.forEach((stop) => stop());
      this.panel.remove();
      this.panel = null;
      this.bell.setAttribute("aria-expanded", "false");
    }

    leave() {
      this.shut();
      this.bell.focus();
    }

    place() {
      const { left } = this.getBoundingClientRect();
      this.panel.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - this.panel.offsetWidth - 8)) - left}px`;
    }

    /** Her latest messages; shown they are read. */
    async load() {
      const { hub } = current;
      const { panel, said } = this;
      let found = null;
      try {
        const answer = await hub.call("GET", "suppliers/me/notifications/?limit=50");
        found = answer.ok && (await answer.json()).results;
      } catch (error) {}
      if (this.panel !== panel) return;
      said.textContent = found ? hub.texts.empty : hub.texts.failed;
      if (!found) return;
      said.hidden = found.length > 0;
      this.list.textContent = "";
      this.list.append(...found.map((one) => this.line(one, hub)));
      const fresh = found.filter((one) => !one.read_at);
      await Promise.all(fresh.map((one) => hub.call("POST", `suppliers/me/notifications/${one.id}/read/`)));
      if (fresh.length) hub.changed();
    }

    line(one, { texts, locale }) {
      const link = web(one.link);
      const fresh = !one.read_at;
      return make(
        "li",
        { class: fresh ? "new" : "", part: "notice" },
        make("h3", { part: "notice-title" }, fresh && make("span", { class: "aside" }, `${texts.fresh}: `), String(one.title)),
        one.text && make("p", { part: "notice-text" }, String(one.text)),
        make("time", { datetime: one.at }, new Date(one.at).toLocaleDateString(locale, { day: "numeric", month: "long" })),
        link && make("a", { href: link, part: "notice-link" }, texts.open),
      );
    }
  }

  guarded(() => customElements.define("success-inbox", Inbox))();

  // ------ in

  const DEAF = { on: () => DEAF, off: () => DEAF, seen() {}, close() {} };

  window.Success = {
    init(options) {
      if (current) current.handle.close();
      current = guarded(connect)(options || {}) || null;
      renderAll();
      return current ? current.handle : DEAF;
    },
  };
})();
