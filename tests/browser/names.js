({
  // Elements and attributes that grew out of a name: ours have none that speak of `taken`, nor lead to a script.
  grown(document) {
    const found = [];
    for (const one of document.querySelectorAll("*")) {
      if (one.matches('iframe.cs-letter[sandbox=""]')) continue; // our own: a letter's preview, in which nothing runs
      if (/^(x-taken|marquee|math|base|object|iframe)$/i.test(one.localName)) found.push(one.outerHTML.slice(0, 200));
      const code = /^(script|style|template)$/i.test(one.localName) && !/json/.test(one.type || "");
      if (code && /taken/.test(one.textContent)) found.push(one.outerHTML.slice(0, 300));
      for (const { name, value } of one.attributes) {
        const obeyed = /^(on|x-(?!placement)|@|:)/.test(name) && /taken/.test(value);
        const leads = /^(href|src|action|formaction|data|srcdoc|poster)$/.test(name) && /^\s*((javascript|data:text|vbscript):|\/*taken)/i.test(value);
        if (/^(taken|x-init)$/.test(name) && /taken/.test(name + value)) found.push(`${name}=${value}`.slice(0, 300));
        if ((name === "id" && value === "taken") || obeyed || leads) found.push(`${name}=${value}`.slice(0, 300));
      }
    }
    return found;
  },

  // All words that a reader meets on a page.
  seen(document) {
    const said = [document.body.textContent];
    for (const one of document.querySelectorAll("input, textarea, option, [title], [aria-label]")) said.push(one.value || "", one.title, one.ariaLabel || "");
    return said.join("\n");
  },
})
