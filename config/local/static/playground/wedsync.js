// The product's own side: who is signed in, what it keeps in this browser, and how it speaks to the customer success system.

export const about = JSON.parse(document.getElementById("about").textContent);
export const state = { account: null, system: null, health: null, milestones: null, now: new Date().toISOString(), daysAhead: 0 };

const listeners = new Set();
export const onChange = (listener) => listeners.add(listener);
const changed = () => listeners.forEach((listener) => listener());

// ---------------------------------------------------------------- asking

async function answer(response) {
  if (!response.ok) throw Object.assign(new Error(`${response.status}`), { status: response.status });
  return response.status === 204 ? null : response.json();
}

export const local = async (path) => answer(await fetch(`${about.home}${path}`));

export async function post(path, fields = {}) {
  const response = await fetch(`${about.home}${path}`, { method: "POST", headers: { "X-CSRFToken": about.csrf }, body: new URLSearchParams(fields) });
  if (response.status === 403 && performance.now() > 1e4) location.reload(); // somebody signed in to the console meanwhile: the page's token is an old one
  return answer(response);
}

let token = null;

// A token of hers from "the product's server", kept until it is about to end.
export async function getToken(fresh = false) {
  if (fresh || !token || token.until < Date.now()) {
    token = { text: (await post("token/", { supplier: about.supplier })).token, until: Date.now() + 4 * 60_000 };
  }
  return token.text;
}

export async function own(path, options = {}) {
  const ask = async (fresh) => {
    const headers = { Authorization: `Bearer ${await getToken(fresh)}`, ...(options.body ? { "Content-Type": "application/json" } : {}) };
    return fetch(`/api/v1/suppliers/me/${path}`, { ...options, headers });
  };
  const response = await ask(false);
  return answer(response.status === 401 ? await ask(true) : response);
}

// ---------------------------------------------------------------- saying what happened, as analytics.js does

export async function send(...messages) {
  const batch = messages.map((message) => ({ type: "track", userId: about.supplier, messageId: crypto.randomUUID(), context: { library: { name: "wedsync-playground" } }, ...message }));
  const headers = { "Content-Type": "application/json", Authorization: `Basic ${btoa(`${about.key}:`)}` };
  const said = await answer(await fetch("/v1/batch", { method: "POST", headers, body: JSON.stringify({ batch }) }));
  refreshSoon();
  return said;
}

export const track = (event, properties = {}) => ({ event, properties });
export const viewed = (name) => send({ type: "page", name });

// ---------------------------------------------------------------- what is known

let asking = null, next = null;

async function ask() {
  const [{ now, days_ahead, account, system }, health, milestones] = await Promise.all([local(`look/${encodeURIComponent(about.supplier)}/`), own("health/?include_breakdown=true"), own("milestones/")]);
  Object.assign(state, { now, daysAhead: days_ahead, account, system, health, milestones });
  changed();
}

// While one look is under way it may be too early for what was just said: then another follows it, one for all who ask.
export function refresh() {
  if (!asking) {
    asking = ask().finally(() => { asking = null; });
    return asking;
  }
  next ??= asking.catch(() => null).then(() => { next = null; return refresh(); });
  return next;
}

let resting = false;
export const rest = (on) => { resting = on; }; // while the demo is loaded anew nobody is there to be looked at
export const again = () => (resting ? null : refresh().catch(() => null));

export async function refreshSoon() {
  await again();
  for (const wait of [700, 2_500, 5_000]) setTimeout(again, wait);
}

// ---------------------------------------------------------------- kept in this browser alone: names never reach the system

const SHELF = `wedsync ${about.supplier}`;
const read = () => { try { return JSON.parse(localStorage.getItem(SHELF)) ?? {}; } catch { return {}; } };

export const kept = (name, otherwise) => read()[name] ?? otherwise;
export const keep = (name, value) => localStorage.setItem(SHELF, JSON.stringify({ ...read(), [name]: value }));
export const forgetAll = () => { localStorage.removeItem(SHELF); sessionStorage.clear(); };

export const signedIn = () => sessionStorage.getItem(`in ${about.supplier}`) === String(state.daysAhead);

export async function signIn() {
  await send(track("Signed In"));
  sessionStorage.setItem(`in ${about.supplier}`, state.daysAhead);
  changed();
}

const FIRST = ["Anna", "Tom", "Lucy", "Ben", "Ines", "Marco", "Freya", "Oscar", "Priya", "Dan", "Chloe", "Hugo", "Nadia", "Leo", "Grace", "Sam", "Elif", "Jonas", "Ruth", "Theo", "Maya", "Felix", "Zoe", "Adam"];

function seed(text) {
  let hash = 2_166_136_261;
  for (const letter of text) hash = Math.imul(hash ^ letter.codePointAt(0), 16_777_619) >>> 0;
  return hash;
}

// A couple's name, made up from the id, or as it was typed here; and a day for them.
export function couple(id) {
  const n = seed(id);
  const made = `${FIRST[n % FIRST.length]} & ${FIRST[(n % FIRST.length + 1 + (n >>> 8) % (FIRST.length - 1)) % FIRST.length]}`;
  return { id, name: kept("names", {})[id] ?? made, wedding: new Date(Date.UTC(2027, 3 + (n >>> 12) % 7, 1 + (n >>> 16) % 28)) };
}

export const newId = () => `couple-${crypto.randomUUID().slice(0, 8)}`;

const FORMS = ["Wedding day questionnaire", "Engagement shoot", "Family photo list", "Album wishes", "Timeline of the day"];

// Her forms: as many as were ever made, named as they were here.
export function forms() {
  const named = kept("forms", {});
  return Array.from({ length: state.account.counts["Form Created"] ?? 0 }, (_, n) => ({ n: n + 1, name: FORMS[n % FORMS.length], questions: 4, ...named[n + 1] }));
}

const JOURNEYS = ["From enquiry to album", "Elopements", "Winter weddings"];

export function journeys() {
  const named = kept("journeys", {});
  return Array.from({ length: state.account.counts["Journey Created"] ?? 0 }, (_, n) => ({ n: n + 1, name: named[n + 1] ?? JOURNEYS[n % JOURNEYS.length] }));
}

export const link = (place = "") => `${about.home}${place}${about.supplier === "sarah" ? "" : `?as=${encodeURIComponent(about.supplier)}`}`;
