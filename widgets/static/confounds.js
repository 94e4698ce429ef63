// The strip under the head: whether what is kept goes with length or source. It asks Python to measure once pointer and
// keys have rested, so that a drag is never slowed.

const REST_MS = 250;

function render({ model, el }) {
  el.classList.add("wb-view", "wb-confounds");
  const sentences = h("ul", { class: "wb-confound-warnings", "aria-label": "Warnings" });
  const summary = h("summary", {});
  const table = h("table", { class: "wb-table" });
  const note = h("p", { class: "wb-note" });
  const details = h("details", { ontoggle: () => model.send({ type: "open", open: details.open }) }, summary, sentences,
    h("div", { class: "wb-confound-body" }, h("div", { class: "wb-confound-scroll", tabIndex: 0, role: "region", "aria-label": "Confounds of each score" }, table), note));
  el.append(details);

  let timer = 0, pressed = false;
  const settle = () => {
    clearTimeout(timer);
    if (model.get("state").isStale) timer = setTimeout(() => { if (!pressed) model.send({ type: "measure" }); }, REST_MS);
  };
  const down = () => { pressed = true; };
  const up = () => { pressed = false; settle(); };
  const listeners = [["pointerdown", down], ["pointerup", up], ["pointercancel", up], ["keydown", settle]];
  for (const [name, listener] of listeners) window.addEventListener(name, listener, true);

  const signed = (value) => (value === null ? "–" : `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`);
  const plain = (value) => (value === null ? "–" : value.toFixed(2));
  const cell = (value, limit, text) => h("td", { class: "wb-num", "data-over": String(value !== null && Math.abs(value) > limit) }, text);

  const draw = () => {
    const state = model.get("state");
    settle();
    el.hidden = !state.rows;
    if (!state.rows) return;
    el.dataset.stale = String(Boolean(state.isStale));
    // One line: how many warnings there are and the strongest; all of them in full, and the numbers, when it is opened.
    const { warnings } = state, [, length, source] = state.rows[0];
    details.dataset.warnings = warnings.length;
    sentences.hidden = warnings.length === 0;
    sentences.replaceChildren(...warnings.map(([, sentence]) => h("li", {}, sentence)));
    summary.replaceChildren(h("span", { class: "wb-confound-title" }, warnings.length ? plural(warnings.length, "confound") : "Confounds"),
      h("span", { class: "wb-confound-worst", role: "status", dir: "auto" }, warnings.length ? warnings[0][0] + (warnings.length > 1 ? `, and ${warnings.length - 1} more` : "")
        : length === null && source === null ? "of what is kept there is nothing to say: it is all, none, or nearly so"
          : `none: what is kept goes with length ${signed(length)}, with source ${plain(source)}`));
    table.replaceChildren(h("thead", {}, h("tr", {}, h("th", {}, ""), h("th", { class: "wb-num" }, `length (${state.lengthName})`), h("th", { class: "wb-num" }, "source"))),
      h("tbody", {}, state.rows.map(([name, r, v], i) => h("tr", { "data-row": i === 0 ? "kept" : i <= state.nSteps ? "step" : "score" },
        h("td", {}, i > 0 && i <= state.nSteps ? `step ${name}` : name), cell(r, state.limit, state.categories.includes(name) ? plain(r) : signed(r)), cell(v, state.limit, plain(v))))));
    note.textContent = "Weighted back to the corpus. Length: Spearman's rank correlation (of a category the correlation ratio). "
      + "Source: of what is kept and of categories Cramér's V, of a score the correlation ratio of its ranks, both less what chance gives to so many sources. "
      + "A step is held against the documents that the steps before it left. "
      + `What is kept is counted over all ${plural(state.documents, "document")}, scores over ${state.ranked < state.documents ? `a fixed draw of ${count(state.ranked)}` : "all"}.`;
  };
  const stop = drawOn(model, el, ["state"], draw);
  return () => {
    clearTimeout(timer);
    for (const [name, listener] of listeners) window.removeEventListener(name, listener, true);
    stop();
  };
}

export default { render };
