// The shell: which page stands there, who is signed in, and the drawer beside it.

import { drawer } from "./drawer.js";
import { ago, el, fill } from "./dom.js";
import { formList, newForm, oneForm, settings } from "./forms.js";
import { button, clients, dashboard, head, importPage, journeyPage } from "./places.js";
import { about, again, getToken, link, onChange, refresh, signedIn, signIn, state, viewed } from "./wedsync.js";

const PLACES = [["", "Dashboard", dashboard], ["clients/", "Clients", clients], ["clients/import/", "Import", importPage], ["forms/", "Forms", formList], ["forms/new/", "New form", newForm], ["journeys/", "Journeys", journeyPage], ["settings/", "Settings", settings]];
const LIVE = new Set(["", "clients/", "forms/", "journeys/"]); // drawn anew as things arrive; others hold what is being typed
const place = document.getElementById("place"), note = document.getElementById("note"), side = document.getElementById("drawer");
const here = () => location.pathname.slice(about.home.length);
let show = () => null, drawn = "";

function found() {
  const [, n] = here().match(/^forms\/(\d+)\/$/) ?? [];
  return n ? [here(), "Form", () => oneForm(Number(n), onward)] : PLACES.find(([path]) => path === here()) ?? PLACES[0];
}

function render(force = true) {
  const [path, title, draw] = found();
  const key = JSON.stringify([path, signedIn(), state.daysAhead, state.account.clients, state.account.counts, state.milestones.progress]);
  if (!force && (key === drawn || (!LIVE.has(path) && signedIn() && drawn))) return;
  drawn = key;
  document.title = `${title} · WedSync`;
  fill(place, signedIn() ? draw(() => render(), onward) : welcome());
  document.querySelectorAll(".menu a").forEach((a) => (path.split("/")[0] === a.dataset.place ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current")));
}

function welcome() {
  const { account, now } = state, last = account.last_sign_in_at;
  const enter = button(`Sign in as ${account.name}`, async () => { enter.disabled = true; await signIn(); render(); place.focus({ preventScroll: true }); scrollTo({ top: 0 }); viewed(found()[1]).catch(() => null); }, { class: "strong" });
  return [el("div", { class: "welcome" }, el("p", { class: "mark", "aria-hidden": "true" }, "W"), head("Welcome back", [account.company, last && `last here ${ago(last, now)}`].filter(Boolean).join(" · ")), el("p", {}, enter), el("p", { class: "quiet" }, "A playground: whoever signs in here is made up, and so is all mail."))];
}

async function onward(path, words = "") {
  if (path !== here()) history.pushState(null, "", link(path));
  note.textContent = words;
  await refresh().catch(() => null);
  render();
  place.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

document.addEventListener("click", (event) => {
  const a = event.target.closest?.("a[href]");
  if (!a || event.button || event.metaKey || event.ctrlKey || event.shiftKey || a.target) return;
  const url = new URL(a.href);
  if (url.origin !== location.origin || !url.pathname.startsWith(about.home) || url.search !== location.search) return;
  event.preventDefault();
  onward(url.pathname.slice(about.home.length));
  if (signedIn()) viewed(PLACES.find(([path]) => path === here())?.[1] ?? "Form").catch(() => null);
});
addEventListener("popstate", () => { note.textContent = ""; render(); });

document.querySelectorAll(".menu a").forEach((a) => { a.href = link(a.dataset.place && `${a.dataset.place}/`); });
const toggle = document.getElementById("toggle");
toggle.addEventListener("click", () => {
  const open = document.body.classList.toggle("drawn");
  toggle.setAttribute("aria-expanded", open);
  toggle.textContent = open ? "Close" : "What the system sees";
});

// What the system says to her while a page is open: the one script tag of the product, as any product has it.
let listening = false;
function listen() {
  if (listening || !signedIn() || !window.Success) return;
  listening = true;
  window.Success.init({ getToken: () => getToken(true), api: location.origin, stream: about.stream, onEvent: again });
}

async function begin() {
  try {
    await refresh();
  } catch (error) {
    fill(place, head(error.status === 404 ? "Nobody is here" : "No answer", error.status === 404 ? "There is no such supplier in the demo, or it is being loaded just now. This page looks again by itself." : "The server does not answer. This page looks again by itself."));
    setTimeout(begin, 3_000);
    return;
  }
  const update = drawer(side);
  document.getElementById("who-is-in").textContent = state.account.name;
  show = () => { update(); render(false); listen(); };
  onChange(() => show());
  show();
  if (signedIn()) viewed(found()[1]).catch(() => null);
  setInterval(() => document.visibilityState === "visible" && again(), 3_000);
}

begin();
