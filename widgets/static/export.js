// The Export tab: the expectations as a table, the path and the button.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-export");
  const path = h("input", { type: "text", class: "wb-export-path", value: "selection.manifest", size: 50, autocomplete: "off", "data-key": "path",
    onkeydown: (event) => { event.stopPropagation(); if (event.key === "Enter") write(); } });
  const write = () => model.send({ type: "export", path: path.value });
  const go = button("Export", { class: "wb-primary wb-export-button" }, write);
  const written = h("p", { class: "wb-written", role: "status" });
  const hint = h("p", { class: "wb-hint" });
  const basis = h("p", { class: "wb-note wb-basis" });
  const table = h("div", { class: "wb-expected" });
  el.append(h("div", { class: "wb-form-row" }, labelled("manifest folder", path, { class: "wb-field wb-wide" }), go), written,
    h("h3", {}, "Expected to be kept of the corpus"), basis, hint, table);

  const round = (x) => count(Math.round(x));
  const cells = ([value, low, high]) => [h("td", { class: "wb-num wb-value" }, round(value)),
    h("td", { class: "wb-num wb-interval" }, Math.round(low) === Math.round(high) ? "exact" : `${round(low)} – ${round(high)}`)];
  const draw = () => {
    const state = model.get("state");
    written.textContent = state.written || "";
    written.hidden = !state.written;
    hint.textContent = state.hint || "";
    hint.hidden = !state.hint;
    basis.textContent = state.basis || "";
    go.disabled = Boolean(state.busy);
    go.textContent = state.busy ? "Exporting …" : "Export";
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
