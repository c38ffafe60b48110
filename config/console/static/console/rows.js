// What forms of rows are made of.
window.rows = (() => {
  "use strict";
  const make = (tag, about, ...children) => {
    const made = Object.assign(document.createElement(tag), about);
    made.append(...children);
    return made;
  };
  const options = (pairs, chosen) => pairs.map(([value, text]) => make("option", { value, textContent: text, selected: value === chosen }));
  const button = (text, label, press) => {
    const made = make("button", { type: "button", className: "cs-button", textContent: text, ariaLabel: label });
    made.addEventListener("click", press);
    return made;
  };
  return { make, options, button };
})();
