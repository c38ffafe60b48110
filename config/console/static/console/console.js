// Forms of the console open in a dialog; without this script the same links lead to a page with the form.
(() => {
  "use strict";
  const dialog = document.createElement("dialog");
  dialog.className = "cs-dialog";
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });

  const open = async (link) => {
    const url = new URL(link.href);
    url.searchParams.set("fragment", "");
    const answer = await fetch(url, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    document.body.append(dialog);
    show(await answer.text());
    dialog.showModal();
    first()?.focus();
  };
  const show = (html) => {
    dialog.innerHTML = html; // our own page, escaped by the server
    dialog.querySelectorAll("[data-close]").forEach((button) => (button.hidden = false));
    dialog.setAttribute("aria-label", dialog.querySelector("h2").textContent);
  };
  const first = () => dialog.querySelector(".cs-field:has([role=alert]) :is(textarea, select, input)") || dialog.querySelector("textarea, select, input:not([type=hidden])");

  // What cannot be taken stays in the dialog, with what is wrong; what is done leads on.
  const send = async (form, button) => {
    const url = new URL(button?.getAttribute("formaction") || form.getAttribute("action"), window.location);
    url.searchParams.set("fragment", "");
    const answer = await fetch(url, { method: "POST", body: new FormData(form), credentials: "same-origin" });
    if (answer.status === 204) return window.location.assign(answer.headers.get("Location"));
    if (!answer.ok || answer.redirected) return window.location.reload();
    show(await answer.text());
    first()?.focus();
  };
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target, event.submitter).catch(() => event.target.submit());
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link).catch(() => window.location.assign(link.href));
  });

  // Work that is done in steps goes on by itself: each answer takes the place of the form that asked for it.
  const goOn = async (form) => {
    form.querySelector("button").disabled = true;
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" });
    if (answer.redirected || !answer.ok) return window.location.reload();
    const fresh = document.createElement("div");
    fresh.innerHTML = await answer.text(); // our own page, escaped by the server
    (form.closest("[data-again]") || form).replaceWith(...fresh.children);
    const next = document.querySelector("[data-again] form[data-continue]");
    if (next) return goOn(next);
    window.location.reload(); // all is done: the page says what came of it
  };
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-continue]")) return;
    event.preventDefault();
    goOn(event.target).catch(() => window.location.reload());
  });

  // What the admin leaves out for whoever listens or types: icons beside words are no words, and the menu of who is signed in opens by the keyboard too.
  document.addEventListener("DOMContentLoaded", () => {
    for (const icon of document.querySelectorAll("a .material-symbols-outlined, [role=button] .material-symbols-outlined")) {
      if (icon.closest("a, [role=button]").textContent.trim() !== icon.textContent.trim()) icon.ariaHidden = "true";
    }
    for (const menu of document.querySelectorAll('[x-data*="openUserLinks"] > .cursor-pointer')) {
      Object.assign(menu, { role: "button", tabIndex: 0 });
      menu.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        menu.click();
      });
    }
  });

  // What waits for something asks for it again until it is there.
  const poll = async (waiting) => {
    const answer = await fetch(waiting.dataset.poll, { credentials: "same-origin" });
    if (!answer.ok) return;
    const fresh = document.createElement("div");
    fresh.innerHTML = await answer.text(); // our own page, escaped by the server
    if (!fresh.querySelector("[data-poll]")) waiting.replaceWith(...fresh.children);
  };
  setInterval(() => document.querySelectorAll("[data-poll]").forEach((waiting) => poll(waiting).catch(() => {})), 2000);

  // What changes all the time is shown anew, unless its reader holds it, is in it with the keyboard, or looks elsewhere.
  const held = (shown) => document.querySelector(`[data-hold="${shown.id}"][aria-pressed=true]`) || shown.contains(document.activeElement) || document.hidden;
  const refresh = async (shown) => {
    const answer = await fetch(shown.dataset.refresh, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok || held(shown)) return;
    const fresh = document.createElement("div");
    fresh.innerHTML = await answer.text(); // our own page, escaped by the server
    shown.replaceWith(...fresh.children);
  };
  setInterval(() => document.querySelectorAll("[data-refresh]").forEach((shown) => held(shown) || refresh(shown).catch(() => {})), 4000);
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-hold]").forEach((button) => (button.hidden = false)));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-hold]");
    if (button) button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "false");
  });

  // What takes as long as its page comes after it; a link with `data-into` shows something else in that place. What was asked for last is what is shown.
  const asking = new WeakMap();
  const fill = async (place, address, shown) => {
    asking.get(place)?.abort();
    const asked = new AbortController();
    asking.set(place, asked);
    place.ariaBusy = "true";
    const url = new URL(address, window.location);
    url.searchParams.set("fragment", "");
    const answer = await fetch(url, { credentials: "same-origin", redirect: "error", signal: asked.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const html = await answer.text();
    const within = place.contains(document.activeElement);
    const end = window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 2;
    place.innerHTML = html; // our own page, escaped by the server
    place.ariaBusy = "false";
    if (within) (place.querySelector("[aria-current]") || place).focus({ preventScroll: true });
    shown(end);
  };
  const unless = (failed) => (error) => error.name === "AbortError" || failed(error); // something else was asked for meanwhile
  document.addEventListener("DOMContentLoaded", () => {
    for (const place of document.querySelectorAll("[data-load]")) {
      const here = (end) => end && window.location.hash === `#${place.id}` && place.scrollIntoView(); // the page ended there before
      const failed = () => {
        place.ariaBusy = "false";
        place.querySelectorAll("p").forEach((it) => (it.hidden = !it.hidden));
      };
      fill(place, place.dataset.load, here).catch(unless(failed));
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-into]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { into, sets } = link.dataset;
    const value = new URL(link.href).searchParams.get(sets);
    const shown = () => {
      window.history.replaceState(null, "", link.href);
      for (const it of document.querySelectorAll(`[data-keeps="${sets}"]`)) {
        if (it.matches("input")) it.value = value;
        else it.search = new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(it.search)), [sets]: value });
      }
    };
    fill(document.getElementById(into), link.href, shown).catch(unless(() => window.location.assign(link.href)));
  });

  // Beside the form of a template stands the letter, as it would be now.
  document.addEventListener("DOMContentLoaded", () => {
    const beside = document.querySelector("[data-preview]");
    if (!beside) return;
    const [frame, supplier, form] = [beside.querySelector("iframe"), beside.querySelector("select"), document.querySelector("#messagetemplate_form")];
    let wait;
    const renew = async () => {
      const words = new FormData(form);
      words.set("supplier", supplier.value);
      const answer = await fetch(beside.dataset.preview, { method: "POST", body: words, credentials: "same-origin" });
      if (answer.ok) frame.srcdoc = await answer.text();
    };
    const soon = () => {
      clearTimeout(wait);
      wait = setTimeout(() => renew().catch(() => {}), 250);
    };
    form?.addEventListener("input", soon);
    supplier.addEventListener("change", soon);
    soon();
  });
})();
