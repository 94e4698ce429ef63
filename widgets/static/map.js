// Beside the map: what colours mean, the document that was clicked, what is lassoed, and the rule that it becomes. The
// legend's entries are buttons, so that a group can be chosen without a pointer.

const COMBINE = [["replace", "new", "The next lasso replaces what is chosen"], ["add", "add", "The next lasso adds to what is chosen"],
  ["subtract", "remove", "The next lasso takes away from what is chosen"]];

// The form that turns what is chosen into a step for unseen documents.
function ruleForm(rule, draft, send, set) {
  if (rule.hint) return [h("p", { class: "wb-note" }, rule.hint)];
  const quiet = { onkeydown: (event) => event.stopPropagation() };
  const said = () => ({ variant: draft.variant, keep: draft.keep, name: draft.name });
  const change = (name) => (value) => { draft[name] = value; set(said()); };
  const name = h("input", { type: "text", class: "wb-rule-name", maxlength: 60, value: draft.name, "data-key": "rule:name", placeholder: "shown in reasons", ...quiet,
    oninput: (event) => { draft.name = event.target.value; }, onchange: () => set(said()) });
  const form = [
    h("h4", {}, "Rule for unseen documents"),
    labelled("decides", dropdown(rule.variants, draft.variant, { class: "wb-rule-variant", "data-key": "rule:variant" }, change("variant"))),
    labelled("does", dropdown(rule.keeps, draft.keep, { class: "wb-rule-keep", "data-key": "rule:keep" }, change("keep"))),
    labelled("name", name),
    button("Try on held-out documents", { class: "wb-rule-try", "data-key": "rule:try", disabled: rule.isBusy }, () => send({ type: "try", ...said() })),
  ];
  if (rule.added) return [...form, h("p", { class: "wb-rule-added", role: "status" }, `Added to the recipe as step ${rule.added}.`)];
  if (!rule.tried) return form;
  const tried = rule.tried;
  const line = (label, what, [value, low, high, found, n]) => h("p", { class: `wb-rule-${label}`, "data-value": value, "data-poor": String(value === null || value < tried.limit) },
    h("strong", {}, `${label} ${percent(value)}`), value === null ? "" : ` (${percent(low)} to ${percent(high)})`, h("span", { class: "wb-note" }, ` ${count(found)} of ${count(n)} ${what}`));
  const add = button("Add to the recipe", { class: "wb-primary wb-rule-add", "data-key": "rule:add", disabled: rule.isBusy || (tried.isPoor && !draft.confirmed) },
    () => send({ type: "add", ...said(), confirmed: draft.confirmed }));
  const confirm = h("input", { type: "checkbox", class: "wb-rule-confirm", "data-key": "rule:confirm", checked: draft.confirmed,
    onchange: (event) => { draft.confirmed = event.target.checked; add.disabled = rule.isBusy || !draft.confirmed; } });
  return [...form, h("div", { class: "wb-rule-tried", role: "status" },
    line("precision", "taken for the region are of it", tried.precision), line("recall", "of the region are found", tried.recall),
    h("p", { class: "wb-note" }, `Fitted to ${count(tried.fitted)} documents, counted on ${count(tried.documents)} others; 95 % intervals. The step is fitted to all.`),
    tried.isPoor ? h("p", { class: "wb-rule-warning" }, `Below ${percent(tried.limit, 0)}: the rule takes other documents than you chose. The map shows two dimensions of many.`) : null,
    tried.isPoor ? h("label", { class: "wb-check" }, confirm, "add it all the same") : null), add];
}

function render({ model, el }) {
  el.classList.add("wb-view", "wb-map");
  const hint = h("p", { class: "wb-hint" });
  const compute = button("Compute the map", { class: "wb-primary wb-map-compute" }, () => model.send({ type: "compute" }));
  const tools = h("div", { class: "wb-map-tools" });
  const card = h("section", { class: "wb-map-card", "aria-label": "The document that was clicked" });
  const selection = h("section", { class: "wb-map-selection", "aria-live": "polite" });
  const rule = h("section", { class: "wb-map-rule", "aria-label": "Rule for unseen documents" });
  const draft = { confirmed: false };
  const line = makeUnanswered(model, () => stop.again());
  const legend = h("ul", { class: "wb-legend", "aria-label": "Legend" });
  const unplaced = h("p", { class: "wb-note" });
  el.append(hint, compute, tools, card, selection, rule, legend, unplaced);
  // The plot is drawn by WebGL and knows no style sheet, so it is told the page's background.
  const theme = () => {
    const bench = el.closest(".wb-bench");
    const parts = bench && getComputedStyle(bench).backgroundColor.match(/[\d.]+/g);
    if (parts && parts.length === 3) model.send({ type: "theme", red: Number(parts[0]), green: Number(parts[1]), blue: Number(parts[2]) });
  };
  const watch = new MutationObserver(theme);
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  // Only in the page does the element have a style.
  requestAnimationFrame(theme);

  const cardOf = (doc) => [
    h("header", {}, h("strong", {}, doc.source), h("span", { class: "wb-note wb-card-id" }, doc.id), h("span", { class: "wb-gap" }),
      button("×", { class: "wb-card-close", "data-key": "card:close", "aria-label": "Close the document" }, () => model.send({ type: "close" }))),
    h("p", { class: "wb-note wb-card-verdict" }, doc.kept ? "kept" : `dropped: ${doc.reason ?? ""}`),
    h("p", { class: "wb-card-text", dir: "auto" }, doc.text, doc.isCut ? " …" : ""),
    button("Read it", { class: "wb-card-read", "data-key": "card:read" }, () => model.send({ type: "read", row: doc.row }))];

  const draw = () => {
    const state = model.get("state");
    hint.textContent = state.hint || "";
    hint.hidden = !state.hint;
    compute.hidden = !state.canCompute;
    const ready = Boolean(state.legend);
    tools.hidden = selection.hidden = legend.hidden = !ready;
    rule.hidden = !ready || !state.selected;
    card.hidden = !ready || !state.card;
    unplaced.hidden = !(ready && state.unplaced);
    if (!ready) return;
    unplaced.textContent = `${plural(state.unplaced, "document")} without a place on the map`;
    tools.replaceChildren(
      labelled("colour by", dropdown(state.choices, state.by, { class: "wb-color-by", "data-key": "by" }, (by) => model.send({ type: "color", by }))),
      h("div", { class: "wb-segments", role: "group", "aria-label": "Pointer" }, [["panZoom", "move"], ["lasso", "lasso"]].map(([mode, label]) =>
        button(label, { class: "wb-chip wb-mode", "data-mode": mode, "data-key": `mode:${mode}`, "aria-pressed": String(state.mode === mode) }, () => model.send({ type: "mode", mode })))),
      h("div", { class: "wb-segments", role: "group", "aria-label": "What the next lasso or legend entry does" }, COMBINE.map(([how, label, title]) =>
        button(label, { class: "wb-chip wb-combine", "data-how": how, "data-key": `combine:${how}`, title, "aria-pressed": String(state.combine === how) }, () => model.send({ type: "combine", how })))),
      h("label", { class: "wb-check" }, h("input", { type: "checkbox", class: "wb-grey", "data-key": "grey", checked: state.grey, disabled: state.by === "kept",
        onchange: (event) => model.send({ type: "grey", on: event.target.checked }) }), "dropped documents grey"));
    if (state.card) card.replaceChildren(...cardOf(state.card));
    const subject = JSON.stringify([state.rule.tried, state.selected]);
    if (draft.subject !== subject) draft.confirmed = false;
    const { variant, keep, name } = state.rule;
    Object.assign(draft, { subject }, line.shown("rule", { variant, keep, name }));
    rule.replaceChildren(...(state.selected ? ruleForm(state.rule, draft, (content) => model.send(content), (said) => line.send("rule", said, { type: "rule", ...said })) : []));
    selection.replaceChildren(...(state.selected ? [
      h("p", { class: "wb-lassoed", "data-selected": state.selected }, h("strong", {}, plural(state.selected, "document")), " chosen",
        state.selectedTokens === null ? "" : `, ${plural(state.selectedTokens, "token")}`),
      h("p", { "data-kept": state.selectedKept, class: "wb-lassoed-kept" }, `${count(state.selectedKept)} of them kept (${percent(state.selectedKept / state.selected)})`),
      h("div", { class: "wb-form-row" },
        button("Read them", { class: "wb-show-selection", "data-key": "show" }, () => model.send({ type: "show" })),
        button("Clear", { class: "wb-clear-selection", "data-key": "clear" }, () => model.send({ type: "clear" })))]
      : [h("p", { class: "wb-note" }, "Choose lasso and draw around documents, or press an entry of the legend. A click on a point shows its document.")]));
    legend.replaceChildren(...state.legend.map(([label, color, n], index) => h("li", {},
      button("", { class: "wb-legend-entry", "data-index": index, "data-key": `legend:${index}`, title: label }, () => model.send({ type: "pick", index })))));
    state.legend.forEach(([label, color, n], index) => legend.children[index].firstChild.append(
      h("span", { class: "wb-dot", color }), h("span", { class: "wb-legend-label" }, label), h("span", { class: "wb-num" }, count(n))));
  };
  const stop = drawOn(model, el, ["state"], draw);
  return () => { watch.disconnect(); line.close(); stop(); };
}

export default { render };
