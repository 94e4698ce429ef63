// Beside the map: what colours mean, and what is lassoed. The legend's entries are buttons, so that a group can be
// chosen without a pointer.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-map");
  const hint = h("p", { class: "wb-hint" });
  const compute = button("Compute the map", { class: "wb-primary wb-map-compute" }, () => model.send({ type: "compute" }));
  const tools = h("div", { class: "wb-map-tools" });
  const selection = h("section", { class: "wb-map-selection", "aria-live": "polite" });
  const legend = h("ul", { class: "wb-legend", "aria-label": "Legend" });
  const unplaced = h("p", { class: "wb-note" });
  el.append(hint, compute, tools, selection, legend, unplaced);
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

  const draw = () => {
    const state = model.get("state");
    hint.textContent = state.hint || "";
    hint.hidden = !state.hint;
    compute.hidden = !state.canCompute;
    const ready = Boolean(state.legend);
    tools.hidden = selection.hidden = legend.hidden = !ready;
    unplaced.hidden = !(ready && state.unplaced);
    if (!ready) return;
    unplaced.textContent = `${plural(state.unplaced, "document")} without a place on the map`;
    tools.replaceChildren(
      labelled("colour by", dropdown(state.choices, state.by, { class: "wb-color-by", "data-key": "by" }, (by) => model.send({ type: "color", by }))),
      h("div", { class: "wb-segments", role: "group", "aria-label": "Pointer" }, [["panZoom", "move"], ["lasso", "lasso"]].map(([mode, label]) =>
        button(label, { class: "wb-chip wb-mode", "data-mode": mode, "data-key": `mode:${mode}`, "aria-pressed": String(state.mode === mode) }, () => model.send({ type: "mode", mode })))));
    selection.replaceChildren(...(state.selected ? [
      h("p", { class: "wb-lassoed", "data-selected": state.selected }, h("strong", {}, plural(state.selected, "document")), " chosen",
        state.selectedTokens === null ? "" : `, ${plural(state.selectedTokens, "token")}`),
      h("p", { "data-kept": state.selectedKept, class: "wb-lassoed-kept" }, `${count(state.selectedKept)} of them kept (${percent(state.selectedKept / state.selected)})`),
      h("div", { class: "wb-form-row" },
        button("Read them", { class: "wb-show-selection", "data-key": "show" }, () => model.send({ type: "show" })),
        button("Clear", { class: "wb-clear-selection", "data-key": "clear" }, () => model.send({ type: "clear" })))]
      : [h("p", { class: "wb-note" }, "Choose lasso and draw around documents, or press an entry of the legend.")]));
    legend.replaceChildren(...state.legend.map(([label, color, n], index) => h("li", {},
      button("", { class: "wb-legend-entry", "data-index": index, "data-key": `legend:${index}`, title: label }, () => model.send({ type: "pick", index })))));
    state.legend.forEach(([label, color, n], index) => legend.children[index].firstChild.append(
      h("span", { class: "wb-dot", color }), h("span", { class: "wb-legend-label" }, label), h("span", { class: "wb-num" }, count(n))));
  };
  const stop = drawOn(model, el, ["state"], draw);
  return () => { watch.disconnect(); stop(); };
}

export default { render };
