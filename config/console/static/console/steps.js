// The steps of a playbook as rows: when, what is done, and with what. What is sent is the JSON in the text area; the server reads and judges it.
(() => {
  "use strict";
  const { make, options, button } = window.rows;

  class Steps {
    constructor(root) {
      this.field = root.querySelector("textarea");
      this.about = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      const stored = this.stored();
      if (stored === null) return; // no steps: what was typed is shown as it is
      this.field.hidden = true;
      this.rows = make("ol", { className: "cs-tests" });
      this.rows.append(...stored.map((step) => this.step(step)));
      root.querySelector("[data-rows]").append(this.rows, make("div", { className: "cs-row" }, button("Add a step", "Add a step", () => this.add())));
      root.addEventListener("input", () => this.changed());
    }

    stored() {
      try {
        const found = JSON.parse(this.field.value || "[{}]");
        return Array.isArray(found) && found.every((step) => step && typeof step === "object") ? found : null;
      } catch {
        return null;
      }
    }

    add() {
      this.rows.append(this.step({ after_days: 3 }));
      this.rows.lastElementChild.querySelector("select").focus();
      this.changed();
    }

    step(step) {
      const row = make("li", { className: "cs-test" });
      const days = make("input", { className: "cs-input cs-number", type: "number", min: 0, step: 1, value: step.after_days ?? 0, ariaLabel: "Days after the step before" });
      const doing = make("select", { className: "cs-input", ariaLabel: "What is done" }, ...options([["message", "send the message"], ["task", "give the owner a task"]], step.do));
      const rest = make("span", { className: "cs-rest" });
      const fill = (given) => {
        const found = doing.value === "message" ? this.message(given) : this.task(given);
        rest.replaceChildren(...found.shown);
        rest.read = found.read;
      };
      row.append(
        make("div", { className: "cs-row" }, make("span", { className: "cs-amount" }, "after", days, "days"), doing, rest),
        make("span", { className: "cs-row" }, button("↑", "Move this step up", () => this.up(row)), button("×", "Remove this step", () => this.remove(row))),
      );
      row.read = () => ({ do: doing.value, ...(Number(days.value) && { after_days: Number(days.value) }), ...rest.read() });
      fill(step);
      doing.addEventListener("change", () => { fill({}); this.changed(); });
      return row;
    }

    message(step) {
      const known = this.about.templates.some(([key]) => key === step.template);
      const lost = step.template && !known ? [[step.template, `no longer there: ${step.template}`]] : [];
      const template = make("select", { className: "cs-input", ariaLabel: "Message" }, ...options([["", "choose a message"], ...lost, ...this.about.templates], step.template));
      const category = make("select", { className: "cs-input", ariaLabel: "What it is about" }, ...options(this.about.categories, step.category ?? "tips"));
      return { shown: [template, category], read: () => ({ template: template.value, ...(category.value !== "tips" && { category: category.value }) }) };
    }

    task(step) {
      const title = make("input", { className: "cs-input", type: "text", maxLength: 200, value: step.title ?? "", placeholder: "what the owner is to do", ariaLabel: "Task" });
      const unless = make("input", { type: "checkbox", checked: step.unless_active === true });
      const shown = [title, make("label", { className: "cs-check" }, unless, "unless she is active by then")];
      return { shown, read: () => ({ title: title.value, ...(unless.checked && { unless_active: true }) }) };
    }

    up(row) {
      row.previousElementSibling?.before(row);
      row.querySelector("button").focus();
      this.changed();
    }

    remove(row) {
      const near = row.previousElementSibling || row.nextElementSibling;
      row.remove();
      (near?.querySelector("select") || this.rows.nextElementSibling.querySelector("button")).focus();
      this.changed();
    }

    changed() {
      this.field.value = JSON.stringify([...this.rows.children].map((row) => row.read()));
    }
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-steps]").forEach((root) => new Steps(root)));
})();
