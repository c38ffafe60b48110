// A condition as rows of fact, comparison and value. What is sent is the JSON in the text area; the server reads and judges it.
(() => {
  "use strict";
  const { make, options, button } = window.rows;
  const grouped = (condition) => ("all" in condition || "any" in condition ? condition : { all: [condition] });
  const kindOf = (group) => ("any" in group ? "any" : "all");
  const isGroup = (part) => part && typeof part === "object" && ("all" in part || "any" in part);
  const deep = (group) => group[kindOf(group)].some((part) => isGroup(part) && part[kindOf(part)].some(isGroup));
  let ids = 0;

  class Conditions {
    constructor(root) {
      this.root = root;
      this.field = root.querySelector("textarea");
      this.facts = new Map(JSON.parse(root.querySelector("script[type='application/json']").textContent).map((fact) => [fact.key, fact]));
      this.offered = new Map();
      const stored = this.stored();
      if (stored === null) return this.look(); // no condition: what was typed is shown as it is
      this.field.hidden = true;
      if (deep(stored)) root.querySelector("[data-deep]").hidden = false;
      else root.querySelector("[data-rows]").append(this.group(stored, true));
      this.look();
    }

    stored() {
      if (!this.field.value.trim()) return { all: [{}] };
      try {
        return grouped(JSON.parse(this.field.value));
      } catch {
        return null;
      }
    }

    // ------------------------------------------------------------ groups

    group(group, outer) {
      const kind = make("select", { className: "cs-input", ariaLabel: "How many have to hold" }, ...options([["all", "all"], ["any", "any"]], kindOf(group)));
      const rows = make("div", { className: "cs-tests" });
      const made = make("fieldset", { className: outer ? "cs-group" : "cs-group cs-card" });
      const head = make("div", { className: "cs-test" }, make("div", { className: "cs-row" }, kind, "of these hold"));
      const add = make("div", { className: "cs-row" }, button("Add a row", outer ? "Add a row" : "Add a row to this group", () => this.add(rows, this.test({}))));
      if (outer) add.append(button("Add a group", "Add a group", () => this.add(rows, this.group({ any: [{}] }, false))));
      else head.append(button("×", "Remove this group", () => this.remove(made)));
      made.append(make("legend", { className: "cs-hidden", textContent: outer ? "Condition" : "Group" }), head, rows, add);
      rows.append(...group[kindOf(group)].map((part) => (isGroup(part) ? this.group(part, false) : this.test(part))));
      made.read = () => ({ [kind.value]: [...rows.children].map((child) => child.read()) });
      kind.addEventListener("change", () => this.changed());
      return made;
    }

    add(rows, made) {
      rows.append(made);
      made.querySelector(".cs-fact").focus();
      this.changed();
    }

    remove(made) {
      const rows = made.parentElement, near = made.previousElementSibling || made.nextElementSibling;
      made.remove();
      (near?.querySelector("select") || rows.nextElementSibling.querySelector("button")).focus();
      this.changed();
    }

    // ------------------------------------------------------------ a row

    test(test) {
      const row = make("div", { className: "cs-test" });
      const fact = make("select", { className: "cs-input cs-fact", ariaLabel: "Fact" }, make("option", { value: "", textContent: "choose a fact" }));
      for (const name of new Set([...this.facts.values()].map((one) => one.group))) {
        const within = [...this.facts.values()].filter((one) => one.group === name);
        fact.append(make("optgroup", { label: name }, ...options(within.map((one) => [one.key, one.words]), test.fact)));
      }
      const lost = test.fact && !this.facts.has(test.fact);
      if (lost) fact.append(make("option", { value: test.fact, textContent: `no longer known: ${test.fact}`, selected: true }));
      const rest = make("span", { className: "cs-rest" });
      row.append(make("div", { className: "cs-row" }, fact, rest), button("×", "Remove this row", () => this.remove(row)));
      row.read = () => (lost && fact.value === test.fact ? test : { ...(fact.value && { fact: fact.value }), ...rest.read?.() });
      if (this.facts.has(test.fact)) this.compare(rest, this.facts.get(test.fact), test);
      fact.addEventListener("change", () => {
        rest.replaceChildren();
        rest.read = null;
        if (this.facts.has(fact.value)) this.compare(rest, this.facts.get(fact.value), {});
        this.changed();
      });
      return row;
    }

    compare(rest, fact, test) {
      const operator = make("select", { className: "cs-input", ariaLabel: "Comparison" }, ...options(fact.operators, test.is));
      const event = fact.event && this.typed("Event", test.event, fact.key);
      const days = fact.window && this.number("Days", test.days ?? (fact.window === "required" ? 30 : ""), 1);
      const value = make("span", { className: "cs-rest" });
      const fill = (given) => {
        const input = this.value(fact, operator.value, given);
        value.replaceChildren(...input.shown);
        value.read = input.read;
      };
      rest.append(...(event ? [event.shown] : []), ...(fact.operators.length > 1 ? [operator] : [make("span", { textContent: "is" })]), value);
      if (days) {
        days.placeholder = fact.window === "optional" ? "ever" : "";
        rest.append(...(fact.event ? ["times"] : []), make("span", { className: "cs-amount" }, "in the last", days, "days"));
      }
      fill(test.value);
      operator.addEventListener("change", () => { fill(value.read()); this.changed(); });
      rest.read = () => {
        const found = { is: operator.value }, wanted = value.read();
        if (wanted !== undefined) found.value = wanted;
        if (event) found.event = event.read();
        if (days && days.value !== "") found.days = Number(days.value);
        return found;
      };
    }

    // The input that fits a type and a comparison: what is shown, and what it says.
    value(fact, operator, given) {
      if (operator === "known" || operator === "unknown") return { shown: [], read: () => undefined };
      if (["within_last", "more_than_ago", "within_next"].includes(operator)) {
        const days = this.number("Days", typeof given === "number" ? given : "", 1);
        return { shown: [make("span", { className: "cs-amount" }, days, "days")], read: () => this.amount(days) };
      }
      if (fact.type === "number") {
        const number = this.number("Value", typeof given === "number" ? given : "");
        return { shown: [number], read: () => this.amount(number) };
      }
      if (fact.type === "moment") {
        const whole = typeof given !== "string" || given.length === 10;
        const when = make("input", { className: "cs-input", type: whole ? "date" : "text", value: typeof given === "string" ? given : "", ariaLabel: "Day" });
        return { shown: [when], read: () => when.value || undefined };
      }
      const several = operator.startsWith("has_") || operator === "one_of";
      if (several && fact.type !== "text") return this.boxes(fact, [given].flat());
      if (several) {
        const lines = make("textarea", { className: "cs-input", rows: 2, placeholder: "one on each line", value: [given ?? []].flat().join("\n"), ariaLabel: "Values, one on each line" });
        return { shown: [lines], read: () => lines.value.split("\n").map((line) => line.trim()).filter(Boolean) };
      }
      const first = [given].flat()[0];
      if (fact.type === "text") {
        const text = this.typed("Value", first, fact.key);
        return { shown: [text.shown], read: text.read };
      }
      const pairs = fact.type === "boolean" ? [["true", "true"], ["false", "not true"]] : [["", "choose"], ...fact.choices];
      const select = make("select", { className: "cs-input", ariaLabel: "Value" }, ...options(pairs, String(first ?? "")));
      return { shown: [select], read: () => (fact.type === "boolean" ? select.value === "true" : select.value || undefined) };
    }

    boxes(fact, given) {
      const boxes = fact.choices.map(([value, text]) => {
        const box = make("input", { type: "checkbox", value, checked: given.includes(value) });
        return { box, shown: make("label", { className: "cs-check" }, box, text) };
      });
      return { shown: boxes.map((one) => one.shown), read: () => boxes.filter((one) => one.box.checked).map((one) => one.box.value) };
    }

    number(label, value, min) {
      return make("input", { className: "cs-input cs-number", type: "number", step: min ? "1" : "any", value, ariaLabel: label, ...(min && { min }) });
    }

    amount(input) {
      return input.value === "" ? undefined : Number(input.value);
    }

    // A text that may be one of those that there are.
    typed(label, value, fact) {
      const list = make("datalist", { id: `cs-offered-${(ids += 1)}` });
      const input = make("input", { className: "cs-input", type: "text", value: value ?? "", ariaLabel: label, autocomplete: "off" });
      input.setAttribute("list", list.id);
      input.addEventListener("focus", async () => {
        if (list.children.length) return;
        list.append(...options((await this.offer(fact)).map((one) => [one, one])));
      });
      return { shown: make("span", {}, input, list), read: () => input.value || undefined };
    }

    offer(fact) {
      const ask = async () => {
        const answer = await fetch(`${this.root.dataset.values}?fact=${encodeURIComponent(fact)}`, { credentials: "same-origin" });
        return answer.ok ? (await answer.json()).values : [];
      };
      if (!this.offered.has(fact)) this.offered.set(fact, ask().catch(() => []));
      return this.offered.get(fact);
    }

    // ------------------------------------------------------------ what it says

    changed() {
      const rows = this.root.querySelector("[data-rows]").firstElementChild;
      if (rows) {
        const read = rows.read();
        this.field.value = read[kindOf(read)].length ? JSON.stringify(read) : "";
      }
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.look(), 300);
    }

    async look() {
      this.asking?.abort();
      this.asking = new AbortController();
      const body = new FormData();
      body.set("condition", this.field.value);
      body.set("csrfmiddlewaretoken", this.root.closest("form")?.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
      try {
        const answer = await fetch(this.root.dataset.seen, { method: "POST", body, credentials: "same-origin", redirect: "error", signal: this.asking.signal });
        if (answer.ok) this.root.querySelector("[data-beside]").innerHTML = await answer.text(); // our own page, escaped by the server
      } catch { /* the next change asks again */ }
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const root of document.querySelectorAll("[data-condition]")) {
      const made = new Conditions(root);
      root.addEventListener("input", () => made.changed());
    }
  });
})();
