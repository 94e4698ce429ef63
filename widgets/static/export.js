// The Export tab: what can be written with a path and a button each, the recipe in other languages, and the expectations.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-export");
  const written = h("p", { class: "wb-written", role: "status" });
  const question = h("span", { class: "wb-ask-text" });
  const ask = h("div", { class: "wb-ask", role: "alertdialog", "aria-label": "Replace what is there" }, question,
    button("Replace", { class: "wb-ask-replace" }, () => { const { kind, path } = model.get("state").ask; send(kind, path, true); }),
    button("Keep it", { class: "wb-ask-keep" }, () => model.send({ type: "keep" })));
  const outputs = h("div", { class: "wb-outputs" });
  const basis = h("p", { class: "wb-note wb-basis" });
  const hint = h("p", { class: "wb-hint" });
  const table = h("div", { class: "wb-expected" });
  const send = (kind, path, replace) => model.send({ type: "export", kind, path, replace });

  // The recipe as polars or SQL, one at a time.
  let language = "polars";
  const code = h("pre", { class: "wb-code", tabindex: 0, "aria-label": "The recipe as code" });
  const refused = h("p", { class: "wb-hint wb-refused" });
  const copied = h("span", { class: "wb-note", role: "status" });
  const copy = button("Copy", { class: "wb-code-copy" }, () => {
    const choice = document.createRange();
    choice.selectNodeContents(code);
    const chosen = window.getSelection();
    chosen.removeAllRanges();
    chosen.addRange(choice);
    const told = (ok) => { copied.textContent = ok ? "copied" : "the text is chosen; press Ctrl+C"; };
    if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(() => told(true), () => told(false));
    else told(false);
  });
  const chips = [["polars", "polars"], ["sql", "DuckDB SQL"]].map(([name, label]) =>
    button(label, { class: "wb-chip wb-language", "data-language": name }, () => { language = name; drawCode(); }));
  const coded = h("div", { class: "wb-coded" }, h("div", { class: "wb-form-row" },
    h("div", { class: "wb-segments", role: "group", "aria-label": "Language" }, chips), copy, copied), code);
  const side = h("section", { class: "wb-export-code" }, h("h3", {}, "The recipe for other tools"), refused, coded);
  el.append(ask, written, h("div", { class: "wb-export-columns" },
    h("section", {}, h("h3", {}, "Write"), outputs), side), h("h3", {}, "Expected to be kept of the corpus"), basis, hint, table);

  const row = ([kind, title, name]) => {
    const path = h("input", { type: "text", class: "wb-export-path", value: name, autocomplete: "off", spellcheck: "false", "data-key": `path:${kind}`,
      "aria-label": `${title}: path`, onkeydown: (event) => { event.stopPropagation(); if (event.key === "Enter") send(kind, path.value, false); } });
    const go = button("Write", { class: `wb-export-button${kind === "manifest" ? " wb-primary" : ""}`, "aria-label": `Write ${title}` }, () => send(kind, path.value, false));
    return h("label", { class: "wb-output", "data-kind": kind }, h("span", { class: "wb-output-title" }, title), path, go);
  };
  const drawCode = () => {
    const known = model.get("state").code || {};
    side.hidden = !known.polars && !known.refused;
    refused.textContent = known.refused || "";
    refused.hidden = !known.refused;
    coded.hidden = !known.polars;
    if (code.textContent !== (known[language] || "")) copied.textContent = "";
    code.textContent = known[language] || "";
    for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.dataset.language === language));
  };
  const round = (x) => count(Math.round(x));
  const cells = ([value, low, high]) => [h("td", { class: "wb-num wb-value" }, round(value)),
    h("td", { class: "wb-num wb-interval" }, Math.round(low) === Math.round(high) ? "exact" : `${round(low)} – ${round(high)}`)];
  const draw = () => {
    const state = model.get("state");
    // Built once: what stands in a field is the person's.
    if (!outputs.children.length) outputs.append(...(state.outputs || []).map(row));
    const refusal = Boolean((state.code || {}).refused);
    for (const output of outputs.children) {
      output.querySelector("button").disabled = Boolean(state.busy) || (refusal && ["polars", "sql"].includes(output.dataset.kind));
    }
    const asked = ask.hidden && state.ask;
    ask.hidden = !state.ask;
    question.textContent = state.ask ? state.ask.sentence : "";
    if (asked) ask.querySelector(".wb-ask-keep").focus();
    written.textContent = state.busy ? "Writing …" : state.written || "";
    written.hidden = !written.textContent;
    hint.textContent = state.hint || "";
    hint.hidden = !state.hint;
    basis.textContent = state.basis || "";
    drawCode();
    const rows = state.rows || [];
    table.hidden = !rows.length;
    table.replaceChildren(h("table", { class: "wb-table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "source"), ["documents", "tokens", "bytes"].map((t) => [
        h("th", { scope: "col", class: "wb-num" }, t), h("th", { scope: "col", class: "wb-num" }, "95 % interval")]).flat())),
      h("tbody", {}, rows.map(([name, ...amounts], i) => h("tr", { class: i === 0 ? "wb-all" : null, "data-source": i === 0 ? null : name },
        h("th", { scope: "row" }, i === 0 ? "all sources" : name), amounts.map(cells).flat())))));
  };
  return drawOn(model, el, ["state"], draw);
}

export default { render };
