// What the system sees: events, score, milestones, what she was told and why not, and the controls.

import { ago, ahead, bar, count, day, el, fill } from "./dom.js";
import { about, again, forgetAll, local, post, refresh, rest, state } from "./wedsync.js";

const LEVELS = { critical: "Critical", at_risk: "At risk", healthy: "Healthy" };
const PARTS = { login_recency: "Signs in", feature_adoption: "Uses the tools", client_activity: "Clients active", form_completion: "Forms completed", journey_performance: "Journey steps" };
const SHOWN = 8; // lines of events
const points = (n) => String(Math.round(n * 10) / 10);

// ---------------------------------------------------------------- score: its bars stay, so that they move

const score = el("strong", { class: "score" });
const level = el("span", { class: "level" });
const reason = el("p", { class: "quiet" });
const rows = Object.fromEntries(Object.entries(PARTS).map(([key, words]) => {
  const inner = el("span", {}), number = el("span", { class: "number" });
  const track = el("span", { class: "bar", role: "img" }, inner);
  return [key, { row: el("li", {}, el("span", {}, words), track, number), inner, number, track }];
}));

function showScore() {
  const { health } = state;
  score.textContent = health.score === null ? "–" : points(health.score);
  level.className = `level ${health.level ?? "none"}`;
  level.textContent = LEVELS[health.level] ?? (health.status === "ended" ? "Not in service" : "Not known yet");
  reason.textContent = health.reasons.length ? health.reasons.map((one) => one.text).join(" · ") : "";
  for (const part of health.parts ?? []) {
    const { inner, number, track } = rows[part.key];
    const words = `${points(part.points)} of ${points(part.max)}`;
    if (number.textContent && number.textContent !== words) flash(number);
    inner.style.width = `${100 * part.points / part.max}%`;
    number.textContent = words;
    track.setAttribute("aria-label", `${PARTS[part.key]}: ${words}`);
  }
}

function flash(node) {
  node.classList.remove("moved");
  requestAnimationFrame(() => node.classList.add("moved"));
}

// ---------------------------------------------------------------- lists: only what is new comes in with a movement

function list(key, line) {
  const node = el("ol", { class: "log" });
  let known = null;
  return { node, show(items, empty) {
    const keys = items.map(key);
    if (known?.join() === keys.join() && node.children.length) return [...node.querySelectorAll("time[datetime]")].forEach((time) => { time.textContent = ago(time.dateTime, state.now); });
    fill(node, items.length ? items.map((item, n) => el("li", known && !known.includes(keys[n]) ? { class: "fresh" } : {}, line(item))) : el("li", { class: "quiet" }, empty));
    known = keys;
  } };
}

const time = (at) => el("time", { datetime: at, title: at }, ago(at, state.now));

const events = list((one) => `${one.at} ${one.name} ${one.n}`, (one) => [el("span", {}, el("code", {}, one.name), one.n > 1 ? ` ×${one.n}` : one.client ? el("span", { class: "quiet" }, ` ${one.client}`) : null), time(one.at)]);

// Several of one kind in a row are one line, dated by the latest.
function together(all) {
  const lines = [];
  for (const one of all) {
    const last = lines.at(-1);
    if (last?.name === one.name && one.client) last.n += 1;
    else lines.push({ ...one, n: 1 });
  }
  return lines.slice(0, SHOWN);
}
const told = list((one) => `${one.at} ${one.title} ${one.text}`, (one) => [
  el("span", {}, el("b", {}, one.title), one.text ? `: ${one.text}` : "", one.kind === "mail" ? [" ", el("a", { href: "/mailbox/" }, "Mailbox")] : null), time(one.at),
]);

const ladder = el("div", {});

function showMilestones() {
  const { achieved, progress } = state.milestones;
  const open = progress.filter((rung) => !["done", "locked"].includes(rung.state) && rung.current < rung.target);
  const begun = open.filter((rung) => rung.current > 0), following = [...begun, ...open.filter((rung) => !begun.includes(rung))].slice(0, 3);
  const last = [...achieved].sort((a, b) => new Date(b.achieved_at) - new Date(a.achieved_at)).slice(0, 3);
  fill(ladder,
    el("p", {}, `${achieved.length} of ${progress.length} reached`, last.length ? `, the latest: ${last.map((one) => one.name).join(", ")}.` : "."),
    el("ul", { class: "bars" }, following.map((rung) => {
      const words = `${rung.current} of ${rung.target}`;
      return el("li", {}, el("span", {}, rung.name), bar(rung.current / rung.target, `${rung.name}: ${words}`), el("span", { class: "number" }, words));
    })));
}

const runs = el("div", {});

function showRuns() {
  fill(runs, state.system.runs.map((run) => el("p", { class: "run" }, el("b", {}, run.playbook), " is under way. ",
    run.at ? `Next, ${ahead(run.at, state.now)}: ${run.step}` : "All its steps are done; it waits for its goal.")));
}

// ---------------------------------------------------------------- who is played, and when it is

const clock = el("p", { class: "clock" });
const said = el("p", { class: "said", role: "status" });

function switcher() {
  const found = el("ul", { class: "found" });
  let asked = "";
  const show = async (words) => {
    asked = words;
    const { results } = await local(`people/?q=${encodeURIComponent(words)}`);
    if (asked !== words) return; // she has typed on
    fill(found, results.length ? results.map((one) => el("li", {}, el("a", { href: `${about.home}?as=${encodeURIComponent(one.id)}`, "aria-current": one.id === about.supplier && "true" },
      el("b", {}, one.name), el("span", { class: "quiet" }, [one.company, one.trade].filter(Boolean).join(" · "))))) : el("li", { class: "quiet" }, "Nobody of that name."));
  };
  const field = el("input", { type: "search", id: "who", placeholder: "A name or a company", autocomplete: "off", oninput: () => show(field.value.trim()).catch(() => null) });
  const box = el("details", { class: "switch", ontoggle: () => box.open && show(field.value.trim()).catch(() => null) }, el("summary", {}, "Be someone else"), el("label", { for: "who" }, "Supplier"), field, found);
  return box;
}

async function busily(button, words, work) {
  const all = document.querySelectorAll(".controls button");
  all.forEach((one) => { one.disabled = true; });
  said.textContent = words;
  try {
    await work();
    said.textContent = "";
  } catch (error) {
    said.textContent = error.status === 409 ? "The demo is being loaded just now. Try again in a minute." : "That did not work. Is the server still up?";
  }
  all.forEach((one) => { one.disabled = false; });
}

const pass = (days) => async (event) => busily(event.currentTarget, days === 1 ? "A day passes…" : `${days} days pass…`, async () => {
  for (let n = 1; n <= days; n += 1) {
    if (days > 1) said.textContent = `Day ${n} of ${days}…`;
    await post("later/");
    await refresh();
  }
  [1_500, 4_000, 8_000].forEach((wait) => setTimeout(again, wait));
});

function confirmation() {
  const words = el("p", {});
  const dialog = el("dialog", { "aria-labelledby": "reset-title" }, el("h2", { id: "reset-title" }, "Start again?"), words, el("form", { method: "dialog" },
    el("button", { value: "no", autofocus: true }, "Leave it"), el("button", { value: "yes", class: "strong" }, "Start again")));
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && busily(null, state.daysAhead ? "The demo is loaded anew. This takes a minute or two…" : "Sarah goes back to her start…", async () => {
    rest(true);
    await post("reset/").finally(() => rest(false));
    forgetAll();
    location.assign(about.home);
  }));
  document.body.append(dialog);
  return () => {
    words.textContent = state.daysAhead
      ? "It becomes today again, and the whole demo is loaded anew: what was done here is gone. That takes a minute or two. Suppliers of your own stay as they are."
      : "Sarah stands again where she stood: 5 clients, 1 form, nine days quiet. What others of the demo did stays.";
    dialog.returnValue = "";
    dialog.showModal();
  };
}

export function drawer(node) {
  const section = (title, ...content) => el("section", {}, el("h2", {}, title), ...content);
  const console_ = el("a", {}, "Her page in the console"), ask = confirmation();
  fill(node,
    el("header", {}, el("h1", {}, "What the system sees"), el("p", { class: "quiet" }, "The supplier never sees this side."), el("p", { class: "links" }, console_, el("a", { href: "/mailbox/" }, "Mailbox"))),
    section("Score", el("p", { class: "total" }, score, el("span", { class: "quiet" }, " of 100 "), level), el("ul", { class: "bars parts" }, Object.values(rows).map(({ row }) => row)), reason),
    section("Milestones", ladder),
    section("Events as they arrive", events.node),
    section("Said, and not said", runs, told.node),
    el("section", { class: "play" }, el("h2", {}, "Play"), el("div", { class: "controls" }, clock, el("button", { onclick: pass(1) }, "A day later"), el("button", { onclick: pass(7) }, "A week later"), el("button", { onclick: ask }, "Start again")), said, switcher()));
  return () => {
    console_.href = state.system.page;
    clock.textContent = `${day(state.now, { weekday: "short", year: "numeric" })}${state.daysAhead ? `, ${count(state.daysAhead, "day")} ahead of the world` : ", today"}`;
    showScore(), showMilestones(), showRuns();
    events.show(together(state.system.events), "Nothing yet.");
    told.show(state.system.told, "Nothing was said to her yet.");
  };
}
