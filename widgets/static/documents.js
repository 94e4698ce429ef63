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
      placeholder: "text contains …", "aria-label": "Text contains", oninput: (event) => askSoon({ search: event.target.value, reach: 1 }),
      onkeydown: (event) => event.stopPropagation() });
    const old = filters.querySelector(".wb-text-search");
    // Typing goes on while the answer to earlier keys comes in.
    if (old && old === el.getRootNode().activeElement) search.value = old.value;
    const orders = [["", "as sampled"], ["draw", "at random"], ...state.near.map((s) => [`near:${s}`, `near the cut of ${s}`])];
    if (state.numeric.length > 1) orders.push(["disagree", "where two scores disagree"]);
    const order = query.near !== null ? `near:${query.near}` : query.disagree ? "disagree" : query.draw !== null ? "draw" : "";
    const none = { near: null, disagree: null, draw: null };
    const setOrder = (value) => {
      if (value.startsWith("near:")) ask({ ...none, near: value.slice(5), show: query.show === "selection" ? "selection" : "all" });
      else if (value === "disagree") ask({ ...none, disagree: state.numeric.slice(0, 2) });
      else ask({ ...none, draw: value === "draw" ? 0 : null });
    };
    const which = (i) => dropdown(state.numeric.map((s) => [s, s]), query.disagree[i],
      { class: `wb-disagree-${i}`, "data-key": `disagree:${i}`, "aria-label": i ? "Second score" : "First score" },
      (value) => ask({ disagree: i ? [query.disagree[0], value] : [value, query.disagree[1]] }));
    filters.replaceChildren(...[
      h("div", { class: "wb-segments", role: "group", "aria-label": "Which documents" }, shows.map(([show, label]) => button(label,
        { class: "wb-chip wb-show", "data-show": show, "data-key": `show:${show}`, "aria-pressed": String(query.show === show) }, () => ask({ show })))),
      labelled("source", dropdown([["", "all"], ...state.sources.map((s) => [s, s])], query.source ?? "",
        { class: "wb-filter-source", "data-key": "source" }, (value) => ask({ source: value || null }))),
      labelled("dropped by", dropdown([["", "any step"], ...state.steps.map((s, i) => [String(i), s])], query.step === null ? "" : String(query.step),
        { class: "wb-filter-step", "data-key": "step" }, (value) => ask({ step: value === "" ? null : Number(value), only: value !== "" && query.only }))),
      query.step === null ? null : h("label", { class: "wb-check", title: "Documents that the recipe would keep without this step" },
        h("input", { type: "checkbox", class: "wb-only", "data-key": "only", checked: query.only, onchange: (event) => ask({ only: event.target.checked }) }), "only by it"),
      !state.clusters.length ? null : labelled("cluster", dropdown([["", "all"], ...state.clusters.map(([c, n]) => [String(c), `${c === -1 ? "none" : c} (${count(n)})`])],
        query.cluster === null ? "" : String(query.cluster), { class: "wb-filter-cluster", "data-key": "cluster" },
        (value) => ask({ cluster: value === "" ? null : Number(value) }))),
      labelled("order", dropdown(orders, order, { class: "wb-order", "data-key": "order" }, setOrder)),
      order === "draw" ? button("draw again", { class: "wb-draw", "data-key": "draw" }, () => ask({ draw: query.draw + 1 })) : null,
      order === "disagree" ? [which(0), which(1)] : null,
      search,
    ].flat().filter(Boolean));
    filters.querySelector(".wb-order").title = order === "disagree" ? "Percentiles of both scores, turned round where a lower score is better" : "";
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
    pager.replaceChildren(...[
      button("‹", { class: "wb-prev", "data-key": "prev", "aria-label": "Previous page", disabled: page === 0 }, () => ask({ page: page - 1 })),
      h("span", { class: "wb-page", "data-found": state.found }, `${plural(state.found, "document")} · page ${count(page + 1)} of ${count(state.pages)}`),
      state.searched < state.searchable ? h("span", { class: "wb-note wb-searched" }, `the first ${count(state.searched)} of ${count(state.searchable)} were searched `,
        button("search on", { class: "wb-link wb-search-on", "data-key": "further" }, () => ask({ reach: state.query.reach * 4 }))) : null,
      button("›", { class: "wb-next", "data-key": "next", "aria-label": "Next page", disabled: page + 1 >= state.pages }, () => ask({ page: page + 1 }))].filter(Boolean));
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

  const rankBar = (rank) => {
    const bar = h("span", { class: "wb-rank-bar" });
    bar.style.setProperty("--wb-rank", `${(100 * rank).toFixed(1)}%`);
    return h("span", { class: "wb-rank", title: `${(100 * rank).toFixed(1)} % of the corpus lie below (half of what is equal counts)` }, bar, `P${(100 * rank).toFixed(0)}`);
  };

  const also = (doc) => [
    doc.also.length ? h("p", { class: "wb-also" }, "would be dropped too by ", doc.also.map(([step, reason], i) => [i ? "; " : "",
      h("strong", {}, step), ": ", reason]).flat()) : null,
    doc.notAsked.length ? h("p", { class: "wb-note" }, `Not asked, since it compares all documents: ${doc.notAsked.join(", ")}. Choose “only by it” above to ask.`) : null,
    !doc.kept && !doc.also.length && !doc.notAsked.length ? h("p", { class: "wb-note wb-also-none" }, "No other step would drop it.") : null,
  ].filter(Boolean);

  const LABELS = { cosine: "by embedding (cosine)", minhash: "by shared MinHash bands" };
  const copies = (doc, isOpen) => !doc.copies.length ? [] : [h("details", { class: "wb-copies", open: isOpen || Boolean(doc.compared) },
    h("summary", {}, "documents most like it"),
    doc.copies.map((part) => h("div", {}, h("h4", {}, LABELS[part.by]),
      part.rows.length ? h("ul", {}, part.rows.map(([row, alike, source, kept, line]) => h("li", { class: "wb-copy", "data-row": row },
        h("span", { class: "wb-num" }, part.by === "cosine" ? alike.toFixed(3) : `${alike} of ${part.most}`),
        h("span", { class: "wb-row-mark", title: kept ? "kept" : "dropped" }, kept ? "●" : "○"),
        button("compare", { class: "wb-link wb-compare", "data-key": `compare:${part.by}:${row}`, "aria-pressed": String(doc.compared?.other === row) },
          () => model.send({ type: "compare", other: doc.compared?.other === row ? null : row })),
        button("open", { class: "wb-link wb-open", "data-key": `open:${part.by}:${row}` }, () => read(row)),
        h("span", { class: "wb-row-source" }, source), h("span", { class: "wb-row-line", dir: "auto" }, line || "(blank)"))))
        : h("p", { class: "wb-note" }, "None."))))];

  const compared = (doc) => {
    const c = doc.compared;
    const run = ([side, head, folded, tail]) => {
      const tag = side === "first" ? "del" : side === "second" ? "ins" : "span";
      return [h(tag, { class: `wb-${side}` }, head), folded ? h("span", { class: "wb-note wb-folded" }, ` … ${plural(folded, "character")} alike … `) : null,
        tail ? h(tag, { class: `wb-${side}` }, tail) : null];
    };
    return [h("p", { class: "wb-note wb-compared", "data-other": c.other }, "Compared with ", h("span", { class: "wb-doc-id" }, c.id), ": ",
      h("del", { class: "wb-first" }, "only here"), " ", h("ins", { class: "wb-second" }, "only there"), c.whole ? " " : " (only the beginnings are compared) ",
      button("back to the text", { class: "wb-link wb-compare-end", "data-key": "compare:end" }, () => model.send({ type: "compare", other: null }))),
    h("pre", { class: "wb-text wb-difference", dir: "auto" }, c.runs.map(run).flat().filter(Boolean))];
  };

  // Bits of surprise in steps of 2, as far as 14 and more.
  const LEVELS = 8;
  const level = (bits) => Math.min(LEVELS - 1, Math.floor(bits / 2));
  const coloured = (doc) => {
    const spans = doc.colours.map(([piece, bits]) => bits === null ? h("span", {}, piece)
      : h("span", { class: `wb-bits wb-bits-${level(bits)}`, title: `${bits.toFixed(1)} bits` }, piece));
    const had = doc.colours.reduce((n, [piece]) => n + piece.length, 0);
    return [...spans, h("span", { class: "wb-unread" }, doc.text.slice(had))];
  };
  const surprise = (doc) => h("div", { class: "wb-surprise" },
    doc.reading ? [h("span", { class: "wb-note", role: "status" }, "The language model is reading …"), button("Stop", { class: "wb-link", "data-key": "stop" }, () => model.send({ type: "stop" }))]
      : doc.colours ? [h("span", { class: "wb-note" }, "bits of surprise a token:"), ...Array.from({ length: LEVELS }, (_, i) =>
        h("span", { class: `wb-bits wb-bits-${i} wb-swatch` }, i === LEVELS - 1 ? `${2 * i}+` : `${2 * i}–${2 * i + 2}`)),
      doc.colours.length ? null : h("span", { class: "wb-note" }, "There is no token."),
      h("span", { class: "wb-note" }, "What the model did not read is grey.")]
        : button("Colour by surprise", { class: "wb-link wb-surprise-button", "data-key": "surprise" }, () => model.send({ type: "surprise", row: doc.row })));

  let shown = "";
  const drawReader = (doc) => {
    if (!doc) {
      shown = "";
      reader.replaceChildren(h("p", { class: "wb-hint" }, "Choose a document to read it."));
      return;
    }
    const fact = doc.kept ? h("p", { class: "wb-verdict", "data-kept": "true" }, "kept")
      : h("p", { class: "wb-verdict", "data-kept": "false" }, "dropped by ", h("strong", { class: "wb-step" }, doc.step), ": ", h("span", { class: "wb-reason" }, doc.reason || ""));
    const opened = (name) => Boolean(reader.querySelector(`.${name}`)?.open);
    const scores = h("details", { class: "wb-doc-scores", open: opened("wb-doc-scores") }, h("summary", {}, `${plural(doc.scores.length, "score")} · percentile of the corpus`),
      h("dl", {}, doc.scores.map(([name, value, rank]) => h("div", {}, h("dt", { title: name }, name), h("dd", { class: "wb-num" }, value,
        rank === null || rank === undefined ? null : rankBar(rank))))));
    const text = h("pre", { class: "wb-text", dir: "auto" });
    if (doc.colours) text.append(...coloured(doc));
    else text.append(doc.text);
    const more = button("", { class: "wb-more" }, () => model.send({ type: "more", row: doc.row, offset: Number(text.dataset.chars) }));
    const label = (have) => {
      text.dataset.chars = have;
      more.hidden = have >= doc.total;
      more.textContent = `more (${count(have)} of ${plural(doc.total, "character")} shown)`;
    };
    label([...doc.text].length);
    const key = `${doc.row}`;
    reader.replaceChildren(h("header", {}, h("span", { class: "wb-doc-source" }, doc.source), h("span", { class: "wb-doc-id" }, doc.id),
      h("span", { class: "wb-num" }, plural(doc.total, "character"))), fact, ...also(doc), scores, ...copies(doc, opened("wb-copies")), surprise(doc),
      ...(doc.compared ? compared(doc) : [text, more]));
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
