// The product's pages: dashboard, clients, journeys. Each gives what stands on it.

import { ago, bar, count, day, daysUntil, el } from "./dom.js";
import { couple, forms, journeys, keep, kept, link, newId, send, state, track } from "./wedsync.js";

export const button = (words, onclick, more = {}) => el("button", { type: "button", onclick, ...more }, words);
export const go = (words, place, more = {}) => el("a", { class: "button", href: link(place), ...more }, words);

export const initials = (name) => el("span", { class: "initials", "aria-hidden": "true" }, name.split(/\s*&\s*|\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0].toUpperCase()).join(""));

export function empty(title, words, ...actions) {
  return el("div", { class: "empty" }, el("div", { class: "rings", "aria-hidden": "true" }), el("h2", {}, title), el("p", {}, words), el("p", { class: "row" }, actions));
}

const head = (title, words, ...actions) => el("header", { class: "head" }, el("div", {}, el("h1", {}, title), words ? el("p", {}, words) : null), actions.length ? el("p", { class: "row" }, actions) : null);

// ---------------------------------------------------------------- dashboard

// What can be done here about a milestone, and in which words.
const DO = {
  first_client: ["clients/import/", "Bring in your clients"], first_import: ["clients/import/", "Bring in your clients"], client_list: ["clients/import/", "Bring in the rest of your clients"],
  first_form: ["forms/new/", "Make a form"], first_template: ["forms/new/", "Begin with a template"], form_library: ["forms/new/", "Make another form"],
  first_form_answered: ["forms/", "Have a form answered"], many_answers: ["forms/", "Send your forms"],
  first_journey: ["journeys/", "Set up a journey"], journey_set: ["journeys/", "Set up another journey"], first_step_done: ["journeys/", "Start a journey"], many_steps: ["journeys/", "See your journeys"],
  season_ready: ["journeys/", "See your journeys"], all_features: ["journeys/", "Try a journey"],
};

// First what she has begun and can go on with here, then what comes next.
export function nextSteps() {
  const open = state.milestones.progress.filter((rung) => !["done", "locked"].includes(rung.state) && DO[rung.key]);
  const begun = open.filter((rung) => rung.current > 0 && rung.current < rung.target);
  return [...begun.slice(0, 1), ...open.filter((rung) => rung !== begun[0])].slice(0, 3);
}

function step(rung) {
  const [place, words] = DO[rung.key], left = rung.target - rung.current;
  return el("section", { class: "next", "aria-labelledby": "next" },
    el("p", { class: "kicker" }, "Your next step"),
    el("h2", { id: "next" }, words),
    rung.target > 1 ? el("p", { class: "far" }, bar(rung.current / rung.target, `${rung.current} of ${rung.target}`), el("span", {}, el("b", {}, rung.current), ` of ${rung.target}`)) : null,
    el("p", {}, rung.target > 1 ? `${left} more and “${rung.name}” is yours.` : `It brings you “${rung.name}”.`),
    el("p", { class: "row" }, go("Do it now", place, { class: "button strong", "aria-label": words })));
}

export function dashboard() {
  const { account, now } = state, [first, ...others] = nextSteps();
  const hour = new Date(now).getUTCHours(), greeting = hour < 12 ? "Good morning" : hour < 18 ? "Good afternoon" : "Good evening";
  const left = account.status === "trial" && account.trial_ends_at ? `${count(daysUntil(account.trial_ends_at, now), "day")} left of your trial` : "";
  const number = (n, words, place) => el("a", { class: "tile", href: link(place) }, el("b", {}, n), el("span", {}, words));
  const of = (event) => account.counts[event] ?? 0;
  return [
    head(`${greeting}, ${account.name.split(" ")[0]}`, [account.company, left].filter(Boolean).join(" · ")),
    first ? step(first) : el("section", { class: "next" }, el("h2", {}, "All set up"), el("p", {}, "Nothing is left to do here but look after your couples.")),
    others.length ? el("section", {}, el("h2", {}, "After that"), el("ul", { class: "after" }, others.map((rung) => el("li", {}, el("a", { href: link(DO[rung.key][0]) }, DO[rung.key][1]), el("span", {}, rung.name))))) : null,
    el("section", {}, el("h2", {}, "So far"), el("div", { class: "tiles" }, number(account.clients.length, account.clients.length === 1 ? "couple" : "couples", "clients/"), number(of("Form Created"), of("Form Created") === 1 ? "form" : "forms", "forms/"), number(of("Form Completed"), of("Form Completed") === 1 ? "answer" : "answers", "forms/"), number(of("Journey Created"), of("Journey Created") === 1 ? "journey" : "journeys", "journeys/"))),
    account.clients.length ? el("section", {}, el("h2", {}, "Your couples"), table(account.clients.slice(0, 4)), account.clients.length > 4 ? el("p", {}, el("a", { href: link("clients/") }, `All ${account.clients.length}`)) : null) : null,
  ];
}

// ---------------------------------------------------------------- clients

function table(clients) {
  return el("ul", { class: "people" }, clients.map(({ id, last }) => {
    const { name, wedding } = couple(id);
    return el("li", {}, initials(name), el("span", { class: "name" }, name), el("span", { class: "quiet" }, day(wedding, { year: "numeric" })), el("span", { class: "quiet when" }, last ? `here ${ago(last, state.now)}` : "not here yet"));
  }));
}

export function clients() {
  const { clients: list } = state.account;
  if (!list.length) return [head("Clients"), empty("Your couples, all in one place", "Dates, forms and messages stay together, from the enquiry to the album. A list from a spreadsheet or your address book is enough to begin.", go("Bring in your clients", "clients/import/", { class: "button strong" }))];
  const first = [...list].sort((a, b) => couple(a.id).wedding - couple(b.id).wedding);
  return [head("Clients", count(list.length, "couple"), go("Import", "clients/import/", { class: "button strong" })), table(first)];
}

export async function importing(rows) {
  const people = rows.map((name) => ({ id: newId(), name }));
  keep("names", { ...kept("names", {}), ...Object.fromEntries(people.map(({ id, name }) => [id, name])) });
  await send(track("Clients Imported", { count: people.length }), ...people.map(({ id }) => track("Client Active", { client_id: id })));
}

const LIST = ["Amelie & Jack", "Sofia & Daniel", "Hannah & Louis", "Mei & Patrick", "Clara & Henry", "Leila & Owen", "Rosa & Will", "Ida & Callum", "Nora & James", "Erin & Matteo", "Aisha & Robin", "Julia & Harvey", "Penny & George", "Kate & Anton", "Lena & Miles", "Vera & Simon", "Tess & Arthur", "Bella & Noah", "Dora & Edward", "Mina & Alfie"];

export function importPage(rerender, onward) {
  const field = el("textarea", { id: "list", rows: 10, spellcheck: "false" }, LIST.join("\n"));
  const rows = () => [...new Set(field.value.split("\n").map((line) => line.trim().slice(0, 80)).filter(Boolean))].slice(0, 500);
  const submit = button("", async () => {
    submit.disabled = true;
    try {
      await importing(rows());
      onward("clients/", `${count(rows().length, "couple")} came over.`);
    } catch {
      submit.disabled = false;
      words.textContent = "That did not arrive. Try again.";
    }
  }, { class: "strong" });
  const words = el("p", { role: "status", class: "quiet" });
  const show = () => { const n = rows().length; submit.textContent = n ? `Import ${count(n, "client")}` : "Import"; submit.disabled = !n; };
  field.addEventListener("input", show);
  show();
  return [
    head("Bring in your clients", "One couple on a line: from a spreadsheet, your address book or a note."),
    el("section", {}, el("label", { for: "list" }, "Your list"), field,
      el("p", { class: "quiet" }, "A list to try it with. Paste your own over it. The names stay in this browser: only ids are sent on."),
      el("p", { class: "row" }, submit, go("Not now", "clients/")), words),
  ];
}

// ---------------------------------------------------------------- journeys

const STEPS = ["Enquiry answered", "Contract signed", "Questionnaire filled in", "Wedding day", "Album chosen"];

export function journeyPage(rerender, onward) {
  const list = journeys();
  const make = async () => {
    keep("journeys", { ...kept("journeys", {}), [list.length + 1]: ["From enquiry to album", "Elopements", "Winter weddings"][list.length % 3] });
    await send(track("Journey Created"));
    onward("journeys/", "The journey is set up.");
  };
  if (!list.length) return [head("Journeys"), empty("From the enquiry to the album", "A journey leads each couple step by step: what they do, what you do, and when. You set it up once.", button("Set up a journey", make, { class: "strong" }))];
  return [head("Journeys", count(list.length, "journey"), button("Set up another", make)), ...list.map((one) => journey(one, onward)), asClient("Take the next step", "A couple takes the next step of your journey by themselves.", async (id) => {
    await send(track("Journey Step Started", { client_id: id }), track("Journey Step Completed", { client_id: id }), track("Client Active", { client_id: id }));
    onward("journeys/", `${couple(id).name} took a step.`);
  })];
}

const journey = (one) => el("section", { class: "card" }, el("h2", {}, one.name), el("ol", { class: "steps" }, STEPS.map((words) => el("li", {}, words))));

// What one of her clients would do on their own side.
export function asClient(words, about, act) {
  const list = state.account.clients;
  if (!list.length) return el("p", { class: "quiet" }, "Bring in a client first: then they can do their part.");
  const choice = el("select", { id: "client" }, list.map(({ id }) => el("option", { value: id }, couple(id).name)));
  const submit = button(words, async () => { submit.disabled = true; try { await act(choice.value); } finally { submit.disabled = false; } });
  return el("section", { class: "client" }, el("h2", {}, "Be a client"), el("p", {}, about), el("p", { class: "row" }, el("label", { for: "client" }, "As"), choice, submit));
}

export { forms, head };
