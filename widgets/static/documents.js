// The Documents tab: filters, a page of the list, and the reader. All of it is hostile text, and set as text.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-documents");
  const hint = h("p", { class: "wb-hint" });
  const filters = h("div", { class: "wb-filters" });
  const list = h("div", { class: "wb-list", role: "listbox", "aria-label": "Documents", tabIndex: -1 });
  const pager = h("div", { class: "wb-pager" });
  const reader = h("article", { class: "wb-reader", "aria-label": "Document", tabIndex: 0, "data-key": "reader" });
  const left = h("div", { class: "wb-left" }, list, pager);
  const body = h("div", { class: "wb-columns" }, left, reader);
  el.append(hint, filters, body);
  let timer = 0;

  const ask = (changes) => {
    const query = { page: 0, ...model.get("state").query };
    model.send({ type: "query", ...query, page: 0, ...changes });
  };
  // Asked while typing, a little later than the last key.
  const askSoon = (changes) => { clearTimeout(timer); timer = setTimeout(() => ask(changes), 250); };
  const read = (row) => model.send({ type: "read", row });

  const drawFilters = (state) => {
    const query = state.query;
    const shows = [["dropped", "dropped"], ["kept", "kept"], ["all", "all"], ["selection", `lassoed (${count(state.selected)})`]];
    const search = h("input", { type: "search", class: "wb-text-search", value: query.search, maxlength: 200, "data-key": "search",
      placeholder: "text contains …", "aria-label": "Text contains", oninput: (event) => askSoon({ search: event.target.value }),
      onkeydown: (event) => event.stopPropagation() });
    const old = filters.querySelector(".wb-text-search");
    // Typing goes on while the answer to earlier keys comes in.
    if (old && old === el.getRootNode().activeElement) search.value = old.value;
    filters.replaceChildren(
      h("div", { class: "wb-segments", role: "group", "aria-label": "Which documents" }, shows.map(([show, label]) => button(label,
        { class: "wb-chip wb-show", "data-show": show, "data-key": `show:${show}`, "aria-pressed": String(query.show === show) }, () => ask({ show })))),
      labelled("source", dropdown([["", "all"], ...state.sources.map((s) => [s, s])], query.source ?? "",
        { class: "wb-filter-source", "data-key": "source" }, (value) => ask({ source: value || null }))),
      labelled("dropped by", dropdown([["", "any step"], ...state.steps.map((s, i) => [String(i), s])], query.step === null ? "" : String(query.step),
        { class: "wb-filter-step", "data-key": "step" }, (value) => ask({ step: value === "" ? null : Number(value) }))),
      labelled("order", dropdown([["", "as sampled"], ...state.near.map((s) => [s, `near the threshold of ${s}`])], query.near ?? "",
        { class: "wb-order", "data-key": "order" }, (value) => ask({ near: value || null }))),
      search);
  };

  const drawList = (state) => {
    const current = state.reader ? state.reader.row : null;
    const lines = state.rows.map((line, i) => h("div", {
      class: `wb-row ${line.kept ? "wb-is-kept" : "wb-is-dropped"}`, role: "option", "data-row": line.row, "data-key": `row:${line.row}`,
      "aria-selected": String(line.row === current), tabIndex: line.row === current || (current === null && i === 0) ? 0 : -1,
      color: state.colors[line.source], onclick: () => read(line.row),
      onkeydown: (event) => move(event, i),
    },
      h("span", { class: "wb-row-mark", title: line.kept ? "kept" : "dropped" }, line.kept ? "●" : "○"),
      h("span", { class: "wb-row-source" }, line.source),
      h("span", { class: "wb-row-line", dir: "auto" }, line.line || "(blank)"),
      line.value === null ? null : h("span", { class: "wb-num wb-row-value" }, line.value),
      h("span", { class: "wb-row-id" }, line.id)));
    if (lines.length && !lines.some((line) => line.tabIndex === 0)) lines[0].tabIndex = 0;
    list.replaceChildren(...(lines.length ? lines : [h("p", { class: "wb-hint" }, "No document fits these filters.")]));
    const page = state.query.page;
    pager.replaceChildren(
      button("‹", { class: "wb-prev", "data-key": "prev", "aria-label": "Previous page", disabled: page === 0 }, () => ask({ page: page - 1 })),
      h("span", { class: "wb-page", "data-found": state.found }, `${plural(state.found, "document")} · page ${count(page + 1)} of ${count(state.pages)}`),
      button("›", { class: "wb-next", "data-key": "next", "aria-label": "Next page", disabled: page + 1 >= state.pages }, () => ask({ page: page + 1 })));
  };

  const move = (event, i) => {
    const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: list.children.length - 1 }[event.key];
    if (to === undefined && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    const row = list.children[to === undefined ? i : Math.min(list.children.length - 1, Math.max(0, to))];
    row.focus();
    read(Number(row.dataset.row));
  };

  let shown = "";
  const drawReader = (doc) => {
    if (!doc) {
      shown = "";
      reader.replaceChildren(h("p", { class: "wb-hint" }, "Choose a document to read it."));
      return;
    }
    const fact = doc.kept ? h("p", { class: "wb-verdict", "data-kept": "true" }, "kept")
      : h("p", { class: "wb-verdict", "data-kept": "false" }, "dropped by ", h("strong", { class: "wb-step" }, doc.step), ": ", h("span", { class: "wb-reason" }, doc.reason || ""));
    const scores = h("details", { class: "wb-doc-scores", open: reader.querySelector("details")?.open }, h("summary", {}, plural(doc.scores.length, "score")),
      h("dl", {}, doc.scores.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "wb-num" }, value)))));
    const text = h("pre", { class: "wb-text", dir: "auto" }, doc.text);
    const more = button("", { class: "wb-more" }, () => model.send({ type: "more", row: doc.row, offset: Number(text.dataset.chars) }));
    const label = (have) => {
      text.dataset.chars = have;
      more.hidden = have >= doc.total;
      more.textContent = `more (${count(have)} of ${plural(doc.total, "character")} shown)`;
    };
    label([...doc.text].length);
    const key = `${doc.row}`;
    reader.replaceChildren(h("header", {}, h("span", { class: "wb-doc-source" }, doc.source), h("span", { class: "wb-doc-id" }, doc.id),
      h("span", { class: "wb-num" }, plural(doc.total, "character"))), fact, scores, text, more);
    if (shown !== key) reader.scrollTop = 0;
    shown = key;
    reader.dataset.row = doc.row;
    reader.wbMore = (content) => {
      if (content.row !== doc.row || content.offset !== Number(text.dataset.chars)) return;
      text.append(content.text);
      label(content.offset + [...content.text].length);
    };
  };

  const draw = () => {
    const state = model.get("state");
    hint.textContent = state.hint || "";
    hint.hidden = !state.hint;
    filters.hidden = body.hidden = !state.query;
    if (!state.query) return;
    drawFilters(state);
    drawList(state);
    drawReader(state.reader);
  };
  const receive = (content) => { if (content && content.type === "more" && reader.wbMore) reader.wbMore(content); };
  model.on("msg:custom", receive);
  const stop = drawOn(model, el, ["state"], draw);
  return () => { clearTimeout(timer); model.off("msg:custom", receive); stop(); };
}

export default { render };
