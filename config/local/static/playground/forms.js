// Forms and settings: making a form with its preview, answering it as a client, and what she wants to hear.

import { count, el, fill } from "./dom.js";
import { asClient, button, empty, go, head } from "./places.js";
import { couple, forms, keep, kept, link, own, send, state, track } from "./wedsync.js";

const TEMPLATES = [
  { name: "Wedding day questionnaire", questions: ["Where do you get ready?", "Who must be in the family pictures?", "What may we not miss?", "When is the first dance?"] },
  { name: "Engagement shoot", questions: ["Where did you meet?", "Town or country?", "Do you bring a dog?"] },
  { name: "Album wishes", questions: ["How many pages?", "Linen or leather?", "Which picture opens it?"] },
];
const BLANK = { name: "", questions: ["What are you looking forward to most?"] };

function preview(name, questions, live = false) {
  return el("div", { class: "paper" }, el("p", { class: "kicker" }, state.account.company || state.account.name), el("h2", {}, name || "Your form"),
    questions.map((question, n) => el("p", { class: "question" }, el("label", { for: `q${n}` }, question), el("input", { id: `q${n}`, disabled: !live, placeholder: live ? "" : "Their answer" }))));
}

export function formList() {
  const list = forms(), answers = state.account.counts["Form Completed"] ?? 0;
  if (!list.length) return [head("Forms"), empty("Ask once, know it for the day", "A form asks your couples what you need to know, and keeps their answers beside them.", go("Make a form", "forms/new/", { class: "button strong" }))];
  return [
    head("Forms", `${count(list.length, "form")}, ${count(answers, "answer")}`, go("New form", "forms/new/", { class: "button strong" })),
    el("ul", { class: "cards" }, list.map((one) => el("li", { class: "card" }, el("h2", {}, el("a", { href: link(`forms/${one.n}/`) }, one.name)), el("p", { class: "quiet" }, count(questionsOf(one).length, "question"))))),
  ];
}

const questionsOf = (one) => (Array.isArray(one.questions) ? one.questions : (TEMPLATES.find(({ name }) => name === one.name) ?? TEMPLATES[0]).questions);

export function newForm(rerender, onward) {
  let template = null;
  const name = el("input", { id: "name", maxlength: 80, placeholder: "Wedding day questionnaire" });
  const questions = el("textarea", { id: "questions", rows: 6 }), paper = el("div", { class: "preview" });
  const asked = () => questions.value.split("\n").map((line) => line.trim().slice(0, 120)).filter(Boolean).slice(0, 12);
  const show = () => { fill(paper, el("h2", { class: "kicker" }, "As your clients see it"), preview(name.value, asked())); };
  const choose = (one) => () => { template = one; name.value = (one ?? BLANK).name; questions.value = (one ?? BLANK).questions.join("\n"); choices.forEach((node, n) => node.setAttribute("aria-pressed", TEMPLATES[n] === one)); show(); };
  const choices = [...TEMPLATES, null].map((one) => button(one ? one.name : "An empty form", choose(one), { class: "choice", "aria-pressed": "false" }));
  [name, questions].forEach((field) => field.addEventListener("input", show));
  choose(TEMPLATES[0])();
  const save = button("Make the form", async () => {
    save.disabled = true;
    const n = (state.account.counts["Form Created"] ?? 0) + 1;
    keep("forms", { ...kept("forms", {}), [n]: { name: name.value.trim() || "Untitled form", questions: asked() } });
    await send(...(template ? [track("Template Used")] : []), track("Form Created"));
    onward(`forms/${n}/`, "Your form is ready.");
  }, { class: "strong" });
  return [
    head("A new form", "Begin with a template, and make it yours."),
    el("div", { class: "row choices" }, choices),
    el("div", { class: "two" }, el("div", {}, el("label", { for: "name" }, "Name"), name, el("label", { for: "questions" }, "Questions, one on a line"), questions, el("p", { class: "row" }, save, go("Not now", "forms/"))), paper),
  ];
}

export function oneForm(n, onward) {
  const one = forms()[n - 1];
  if (!one) return [head("Forms"), empty("There is no such form", "It may not have arrived yet.", go("All forms", "forms/"))];
  const questions = questionsOf(one);
  return [
    head(one.name, count(questions.length, "question"), go("All forms", "forms/")),
    el("div", { class: "preview" }, el("p", { class: "kicker" }, "As your clients see it"), preview(one.name, questions, true)),
    asClient("Send the answers", "A couple opens your form and fills it in. Answer as one of them.", async (id) => {
      await send(track("Form Started", { client_id: id }), track("Form Completed", { client_id: id }), track("Client Active", { client_id: id }));
      onward(`forms/${n}/`, `${couple(id).name} sent their answers.`);
    }),
  ];
}

// ---------------------------------------------------------------- what she wants to hear

const CHANNELS = { email: ["By mail", "Letters to your address"], in_app: ["In WedSync", "The bell at the top of the page"] };
const CATEGORIES = { tips: ["Tips", "The next thing that helps"], milestones: ["What you reached", "A word when you get somewhere"], rewards: ["Rewards", "What we give you for it"], calls: ["Calls", "About calls you booked with us"] };

export function settings() {
  const node = el("div", { class: "settings" }, el("p", { class: "quiet" }, "One moment…"));
  const status = el("p", { role: "status", class: "quiet" });
  const save = async (change, words) => {
    try {
      show(await own("preferences/", { method: "PUT", body: JSON.stringify(change) }));
      status.textContent = words;
    } catch { status.textContent = "That was not saved. Try again."; }
  };
  const choice = (group, key, [title, about], on) => {
    const box = el("input", { type: "checkbox", role: "switch", checked: on, onchange: () => save({ [group]: { [key]: box.checked } }, `${title}: ${box.checked ? "on" : "off"}.`) });
    return el("label", { class: "choice-row" }, box, el("span", {}, el("b", {}, title), el("span", { class: "quiet" }, about)));
  };
  const show = (said) => {
    const hours = ["start", "end"].map((which) => el("input", { type: "time", value: said.quiet_hours[which], "aria-label": which === "start" ? "Quiet from" : "Quiet until" }));
    const [start, end] = hours;
    hours.forEach((field) => field.addEventListener("change", () => start.value && end.value && save({ quiet_hours: { start: start.value, end: end.value } }, "Quiet hours kept.")));
    const pause = said.paused_until && new Date(said.paused_until) > new Date(state.now);
    const later = () => new Date(new Date(state.now).getTime() + 14 * 86_400_000).toISOString();
    fill(node,
      el("section", { class: "card" }, el("h2", {}, "How"), Object.entries(said.channels).map(([key, on]) => choice("channels", key, CHANNELS[key] ?? [key, ""], on))),
      el("section", { class: "card" }, el("h2", {}, "What about"), Object.entries(said.categories).map(([key, on]) => choice("categories", key, CATEGORIES[key] ?? [key, ""], on))),
      el("section", { class: "card" }, el("h2", {}, "When not"), el("p", { class: "row" }, el("span", {}, "Quiet from"), start, el("span", {}, "until"), end),
        said.quiet_hours.start === said.quiet_hours.end ? el("p", { class: "quiet" }, "The same twice: at any hour.") : null,
        el("p", { class: "row" }, pause ? button("Hear from us again", () => save({ paused_until: null }, "You hear from us again.")) : button("Two weeks of silence", () => save({ paused_until: later() }, "Silent for two weeks.")))));
  };
  own("preferences/").then(show).catch(() => fill(node, el("p", {}, "Your wishes cannot be read just now.")));
  return [head("Settings", "What you want to hear from us, and how."), node, status];
}
