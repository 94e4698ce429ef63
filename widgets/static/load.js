// The Load tab: the form, what was drawn, and which scores to compute.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-load");
  const input = (name, attributes) => h("input", { type: "text", class: `wb-load-${name}`, "data-key": name, name,
    autocomplete: "off", onkeydown: (event) => event.stopPropagation(), ...attributes });
  const first = model.get("state").form;
  const fields = {
    path: input("path", { value: first.path || "", placeholder: "file, folder, glob or URL of parquet, jsonl(.gz, .zst), csv", size: 60 }),
    n: input("n", { type: "number", value: first.n, min: 1, step: 100 }),
    seed: input("seed", { type: "number", value: first.seed, min: 0 }),
    by_source: input("by-source", { type: "checkbox", checked: first.by_source }),
    text_column: input("text-column", { value: first.text_column, size: 10 }),
    id_column: input("id-column", { value: first.id_column || "", placeholder: "found, or made", size: 10 }),
    source_column: input("source-column", { value: first.source_column || "", placeholder: "source", size: 10 }),
  };
  let form = JSON.stringify(first);
  // Opened work brings its own; what is being typed stays otherwise.
  const showForm = (now) => {
    if (JSON.stringify(now) === form) return;
    form = JSON.stringify(now);
    for (const [name, field] of Object.entries(fields)) {
      if (name === "by_source") field.checked = now[name];
      else field.value = now[name] ?? "";
    }
  };
  const load = () => model.send({
    type: "draw", path: fields.path.value, n: Number(fields.n.value), seed: Number(fields.seed.value), by_source: fields.by_source.checked,
    text_column: fields.text_column.value, id_column: fields.id_column.value, source_column: fields.source_column.value,
  });
  fields.path.addEventListener("keydown", (event) => { if (event.key === "Enter") load(); });
  const loadButton = button("Load", { class: "wb-primary wb-load-button" }, load);
  const given = h("span", { class: "wb-given" });
  const pathField = labelled("corpus", fields.path, { class: "wb-field wb-wide" });
  const box = h("fieldset", { class: "wb-box" }, h("legend", {}, "1 · Documents"),
    h("div", { class: "wb-form-row" }, given, pathField),
    h("div", { class: "wb-form-row" }, labelled("documents to draw", fields.n), labelled("seed", fields.seed),
      h("label", { class: "wb-check" }, fields.by_source, "each source apart"), h("span", { class: "wb-gap" }),
      labelled("text column", fields.text_column), labelled("id column", fields.id_column), labelled("source column", fields.source_column), loadButton));

  const summary = h("div", { class: "wb-load-summary" });
  const families = h("div", { class: "wb-score-families" });
  const ticked = new Set(), seen = new Set();
  const scoreButton = button("Score", { class: "wb-primary wb-score-button" }, () => model.send({ type: "score", scores: [...ticked] }));
  const note = h("span", { class: "wb-note" });
  const scores = h("fieldset", { class: "wb-box wb-load-scores" }, h("legend", {}, "2 · Scores"), families, h("div", { class: "wb-form-row" }, scoreButton, note));
  el.append(box, summary, scores);

  const tellCount = () => { note.textContent = `${plural(ticked.size, "score")} to compute; what the store has is taken from there`; scoreButton.disabled = !ticked.size || busy(); };
  const busy = () => model.get("is_busy");

  const drawFamilies = (list) => {
    families.replaceChildren(...list.map(({ family, scores: rows }) => {
      const boxes = rows.map((row) => {
        if (!seen.has(row.name) && row.ticked && !row.computed) ticked.add(row.name);
        seen.add(row.name);
        if (row.computed) ticked.delete(row.name);
        const box = h("input", { type: "checkbox", class: "wb-score-check", "data-score": row.name, "data-key": `score:${row.name}`,
          checked: row.computed || ticked.has(row.name), disabled: row.computed,
          onchange: (event) => { if (event.target.checked) ticked.add(row.name); else ticked.delete(row.name); tellCount(); } });
        return { row, box, node: h("label", { class: "wb-check", title: row.title, "data-computed": row.computed ? "true" : null },
          box, h("span", { class: "wb-score-name" }, row.name), row.computed ? h("span", { class: "wb-done", title: "computed" }, "✓") : null) };
      });
      const open = boxes.filter(({ row }) => !row.computed);
      const all = button(open.length ? "all / none" : "", { class: "wb-link", "data-family": family, hidden: !open.length }, () => {
        const on = !open.every(({ row }) => ticked.has(row.name));
        for (const { row, box } of open) { box.checked = on; if (on) ticked.add(row.name); else ticked.delete(row.name); }
        tellCount();
      });
      return h("section", { class: "wb-score-family", "data-family": family }, h("h4", {}, family, " ", all), h("div", { class: "wb-checks" }, boxes.map(({ node }) => node)));
    }));
    tellCount();
  };

  const drawSummary = (s, colors) => {
    if (!s) { summary.replaceChildren(); return; }
    const row = (x) => h("tr", { "data-source": x.name },
      h("th", { scope: "row", color: colors[x.name] }, h("span", { class: "wb-dot" }), x.name),
      h("td", { class: "wb-num" }, count(x.documents)), h("td", { class: "wb-num" }, count(x.corpus)),
      h("td", { class: "wb-num" }, percent(x.rate)), h("td", { class: "wb-num" }, count(x.chars)));
    const quarantine = s.quarantined ? h("details", { class: "wb-quarantine", open: true },
      h("summary", {}, `${plural(s.quarantined, "row")} could not be read and went to quarantine`),
      h("ul", {}, s.reasons.map((r) => h("li", {}, `${count(r.n)} × ${r.reason} (first: ${r.first})`)))) : h("p", { class: "wb-note" }, "Every row could be read.");
    summary.replaceChildren(
      h("p", { class: "wb-loaded", "data-documents": s.documents }, h("strong", {}, count(s.documents)),
        ` of ${plural(s.corpus, "document")} drawn · ${plural(s.chars, "character")} · ${plural(s.sources.length, "source")}`),
      h("table", { class: "wb-table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "source"),
        ["drawn", "in the corpus", "rate", "characters"].map((t) => h("th", { scope: "col", class: "wb-num" }, t)))), h("tbody", {}, s.sources.map(row))),
      quarantine);
  };

  const draw = () => {
    const state = model.get("state");
    showForm(state.form);
    given.textContent = state.given || "";
    given.hidden = !state.given;
    pathField.hidden = Boolean(state.given);
    for (const name of ["text_column", "id_column", "source_column"]) fields[name].parentElement.hidden = Boolean(state.given);
    drawSummary(state.summary, state.colors);
    drawFamilies(state.families);
    scores.disabled = !state.summary;
  };
  const drawBusy = () => {
    loadButton.disabled = busy();
    tellCount();
  };
  model.on("change:is_busy", drawBusy);
  const stop = drawOn(model, el, ["state"], draw);
  drawBusy();
  return () => { model.off("change:is_busy", drawBusy); stop(); };
}

export default { render };
