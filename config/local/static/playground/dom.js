// Elements and words. Every text goes in as text.

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(node.style, value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const fill = (node, ...children) => node.replaceChildren(...children.flat().filter(Boolean));

export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

const DAY = 86_400_000;

export function ago(then, now) {
  const gone = Math.max(0, new Date(now) - new Date(then));
  if (gone < 60_000) return "just now";
  if (gone < 3_600_000) return `${count(Math.floor(gone / 60_000), "minute")} ago`;
  if (gone < DAY) return `${count(Math.floor(gone / 3_600_000), "hour")} ago`;
  return gone < 2 * DAY ? "yesterday" : `${Math.floor(gone / DAY)} days ago`;
}

export function ahead(then, now) {
  const left = new Date(then) - new Date(now);
  if (left < 60_000) return "now";
  if (left < 3_600_000) return `in ${count(Math.ceil(left / 60_000), "minute")}`;
  return left < DAY ? `in ${count(Math.round(left / 3_600_000), "hour")}` : `in ${count(Math.round(left / DAY), "day")}`;
}

export const daysUntil = (then, now) => Math.max(0, Math.ceil((new Date(then) - new Date(now)) / DAY));

export const day = (at, more = {}) => new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC", ...more }).format(new Date(at));

export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

export function bar(share, label) {
  const inner = el("span", { style: { width: `${Math.round(100 * Math.min(1, share))}%` } });
  return el("span", { class: "bar", role: "img", "aria-label": label }, inner);
}
