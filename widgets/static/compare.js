// The Compare tab: A against B in numbers, both on the map, and the documents to read. All text of the corpus and all names
// are hostile, and set as text.

const REST_MS = 400;

function render({ model, el }) {
  el.classList.add("wb-view", "wb-compare");
  const quiet = { onkeydown: (event) => event.stopPropagation() };
  const PARTS = [["only_b", "only B"], ["only_a", "only A"], ["both", "both"], ["neither", "neither"]];
  const NAMES = { ...Object.fromEntries(PARTS), both: "both keep", neither: "neither", a: "A keeps", b: "B keeps" };
  const path = h("input", { type: "text", class: "wb-compare-path", size: 34, "data-key": "path", "aria-label": "File of a recipe, manifest or saved work",
    placeholder: "recipe.json, a manifest, or x.bench.json", onkeydown: (event) => { event.stopPropagation(); if (event.key === "Enter") load(); } });
  const load = () => model.send({ type: "load", path: path.value });
  const sides = h("span", { class: "wb-compare-sides" });
  const hint = h("p", { class: "wb-hint wb-compare-hint" });
  const body = h("div", { class: "wb-compare-body" });
  const overlap = h("section", { class: "wb-overlap" });
  const maps = h("section", { class: "wb-compare-maps" });
  const shifts = h("section", { class: "wb-shifts" });
  const documents = h("section", { class: "wb-compare-documents" });
  const scores = h("section", { class: "wb-shift-scores" });
  body.append(overlap, h("div", {}, maps, scores), shifts, documents);
  el.append(h("div", { class: "wb-form-row" }, sides, h("span", { class: "wb-gap" }), path,
    button("Load as A", { class: "wb-compare-load", title: "A recipe, a manifest, or the drafts of saved work" }, load)), hint, body);

  const drawSides = (state) => {
    const choose = (side, label) => labelled(label, dropdown(state.choices, state[side], { class: `wb-compare-${side}`, "data-key": side, ...quiet },
      (key) => model.send({ type: "choose", side, key })));
    sides.replaceChildren(choose("a", "A"), button("⇄", { class: "wb-compare-swap", "data-key": "swap", "aria-label": "Swap A and B" },
      () => model.send({ type: "swap" })), choose("b", "B"));
  };

  const range = (estimate) => {
    if (!estimate) return "–";
    const [value, low, high] = estimate.map(Math.round);
    return low === high ? count(value) : `${count(value)} (${count(low)}–${count(high)})`;
  };

  const drawOverlap = (state) => {
    const rows = Object.fromEntries(state.overlap.rows.map((row) => [row.part, row]));
    const total = PARTS.reduce((sum, [part]) => sum + rows[part].documents, 0);
    const bar = h("div", { class: "wb-overlap-bar", "aria-hidden": "true" }, ["only_a", "both", "only_b", "neither"].map((part) => h("i", { class: `wb-part-${part}` })));
    ["only_a", "both", "only_b", "neither"].forEach((part, i) => { bar.children[i].style.flexGrow = String(rows[part].documents); });
    const line = (part) => h("tr", { "data-part": part, "data-documents": rows[part].documents, "data-tokens": rows[part].tokens },
      h("th", { scope: "row" }, h("span", { class: `wb-part-dot wb-part-${part}` }), NAMES[part]),
      h("td", { class: "wb-num" }, count(rows[part].documents)), h("td", { class: "wb-num" }, percent(rows[part].documents / total)),
      h("td", { class: "wb-num" }, count(rows[part].tokens)),
      h("td", { class: "wb-num" }, range(rows[part].corpusDocuments)), h("td", { class: "wb-num" }, range(rows[part].corpusTokens)));
    const [documentsShared, tokensShared] = state.overlap.jaccard;
    overlap.replaceChildren(h("h3", {}, "Overlap"), bar,
      h("table", { class: "wb-table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, ""),
        ["documents", "of the sample", "tokens", "documents of the corpus", "tokens of the corpus"].map((t) => h("th", { scope: "col", class: "wb-num" }, t)))),
      h("tbody", {}, ["both", "only_a", "only_b", "neither", "a", "b"].map(line))),
      h("p", { class: "wb-jaccard", "data-documents": documentsShared, "data-tokens": tokensShared },
        `Of what either keeps, both keep ${percent(documentsShared ?? NaN)} of the documents`,
        tokensShared === null || tokensShared === undefined ? "" : ` and ${percent(tokensShared)} of the tokens`, " (Jaccard, weighted to the corpus)."),
      state.tracksCorpus ? h("p", { class: "wb-note" }, "A step looks for copies, of which the corpus has more than its sample: there it drops more.") : "");
  };

  const share = (value) => (value === null ? "–" : percent(value));
  const groupTable = (title, groups, kind, colors) => h("div", { class: `wb-shift-${kind}` }, h("h3", {}, title),
    h("div", { class: "wb-scroll" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, kind),
      ["B − A", "all", "in A", "in B", "A docs", "B docs"].map((t) => h("th", { scope: "col", class: "wb-num" }, t)))),
    h("tbody", {}, groups.rows.map(([name, n, nA, nB, all, a, b]) => h("tr", { "data-name": name, "data-a": nA, "data-b": nB },
      h("th", { scope: "row", title: name, color: colors?.[name] }, colors ? h("span", { class: "wb-dot" }) : null, name),
      h("td", { class: "wb-num" }, a === null || b === null ? "–" : signed(100 * (b - a), 1, " pts")),
      h("td", { class: "wb-num" }, share(all)), h("td", { class: "wb-num" }, share(a)), h("td", { class: "wb-num" }, share(b)),
      h("td", { class: "wb-num" }, count(nA)), h("td", { class: "wb-num" }, count(nB))))))),
    groups.more ? h("p", { class: "wb-note" }, `and ${count(groups.more)} more that differ less`) : null);
  const signed = (value, digits, unit = "") => (Number(value.toFixed(digits)) === 0 ? `0${unit}` : `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(digits)}${unit}`);

  const drawScores = (rows) => scores.replaceChildren(h("h3", {}, "Length and scores"),
    h("div", { class: "wb-scroll" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "score"),
      h("th", { scope: "col", class: "wb-num", title: "(mean of B − mean of A) / their spread; below 0.1 is small" }, "difference"),
      ["mean A", "mean B", "median A", "median B"].map((t) => h("th", { scope: "col", class: "wb-num" }, t)))),
    h("tbody", {}, rows.map((row) => h("tr", { "data-score": row.name, "data-difference": row.difference, class: Math.abs(row.difference ?? 0) >= 0.1 ? "wb-differs" : "" },
      h("th", { scope: "row", title: row.name }, row.name), h("td", { class: "wb-num" }, row.difference === null ? "–" : signed(row.difference, 2)),
      row.values.map((v) => h("td", { class: "wb-num" }, v ?? "–"))))))),
    h("p", { class: "wb-note" }, "Difference: standardized, in standard deviations; from 0.1 on it is worth a look. All weighted to the corpus."));

  // ---- the two maps: dropped grey, kept by both blue, kept by this one alone orange -----------------------------------
  const SIZE = 420;
  const canvases = ["a", "b"].map((side) => h("canvas", { class: `wb-compare-map wb-compare-map-${side}`, role: "img" }));
  const captions = ["A", "B"].map(() => h("figcaption", {}));
  const figures = canvases.map((canvas, i) => h("figure", {}, captions[i], canvas));
  const mapNote = h("p", { class: "wb-note" });
  maps.append(h("h3", {}, "On the map"), h("div", { class: "wb-compare-pair" }, figures), mapNote);

  const bytes = (name) => {
    const view = model.get(name);
    return view && view.byteLength ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : new ArrayBuffer(0);
  };
  const drawMaps = () => {
    const places = new Uint16Array(bytes("places")), parts = new Uint8Array(bytes("parts"));
    const n = Math.min(parts.length, places.length / 2);
    const look = getComputedStyle(el);
    const color = (name) => look.getPropertyValue(name).trim();
    const scale = window.devicePixelRatio || 1;
    const dot = (n > 20000 ? 1.5 : n > 4000 ? 2.5 : 3.5) * scale;
    canvases.forEach((canvas, side) => {
      const own = 1 << side;  // A is bit 1, B bit 2; 3 is both
      canvas.width = canvas.height = SIZE * scale;
      const context = canvas.getContext("2d");
      const at = SIZE * scale - dot;
      const draw = (wanted, fill) => {
        context.fillStyle = fill;
        for (let i = 0; i < n; i += 1) {
          if (wanted(parts[i])) context.fillRect(places[2 * i] / 65535 * at, (1 - places[2 * i + 1] / 65535) * at, dot, dot);
        }
      };
      draw((part) => !(part & own), color("--wb-dropped"));
      draw((part) => part === 3, color("--wb-kept"));
      draw((part) => part === own, color("--wb-alone"));
    });
  };
  const watch = new MutationObserver(drawMaps);
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });

  const showMaps = (state) => {
    maps.hidden = !state.map;
    if (!state.map) return;
    ["A", "B"].forEach((name, i) => {
      captions[i].replaceChildren(h("strong", {}, name), ` ${state.labels[i]}`);
      canvases[i].setAttribute("aria-label", `Map of what ${name} keeps`);
    });
    mapNote.replaceChildren(h("span", { class: "wb-part-dot wb-part-both" }), "kept by both  ", h("span", { class: "wb-part-dot wb-part-only_b" }), "kept by this one only  ",
      h("span", { class: "wb-part-dot wb-part-neither" }), "dropped",
      state.map.points >= state.map.most ? ` · ${count(state.map.points)} documents are drawn` : "",
      state.map.unplaced ? ` · ${plural(state.map.unplaced, "document")} without a place` : "");
    drawMaps();
  };

  // ---- documents ------------------------------------------------------------------------------------------------------
  const list = h("div", { class: "wb-list", role: "listbox", "aria-label": "Documents" });
  const pager = h("div", { class: "wb-pager" });
  const reader = h("article", { class: "wb-reader", "aria-label": "Document", tabIndex: 0, "data-key": "reader" });
  const chips = h("div", { class: "wb-segments", role: "group", "aria-label": "Which documents" });
  documents.append(h("h3", {}, "Read"), chips, h("div", { class: "wb-columns wb-compare-columns" }, h("div", { class: "wb-left" }, list, pager), reader));
  const read = (row) => model.send({ type: "read", row });
  const move = (event, i) => {
    const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: list.children.length - 1 }[event.key];
    if (to === undefined && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    const row = list.children[to === undefined ? i : Math.min(list.children.length - 1, Math.max(0, to))];
    row.focus();
    read(Number(row.dataset.row));
  };
  const ask = (part, page) => model.send({ type: "list", part, page });
  const drawDocuments = (state) => {
    const found = Object.fromEntries(state.overlap.rows.map((row) => [row.part, row.documents]));
    chips.replaceChildren(...PARTS.map(([part, label]) => button(`${label} (${count(found[part])})`,
      { class: "wb-chip wb-compare-part", "data-part": part, "data-key": `part:${part}`, "aria-pressed": String(state.part === part) }, () => ask(part, 0))));
    const current = state.reader ? state.reader.row : null;
    const lines = state.rows.map((line, i) => h("div", { class: "wb-row", role: "option", "data-row": line.row, "data-key": `row:${line.row}`,
      "aria-selected": String(line.row === current), tabIndex: line.row === current || i === 0 ? 0 : -1, color: state.colors[line.source],
      onclick: () => read(line.row), onkeydown: (event) => move(event, i) },
    h("span", { class: `wb-part-dot wb-part-${state.part}` }), h("span", { class: "wb-row-source" }, line.source),
    h("span", { class: "wb-row-line", dir: "auto" }, line.line || "(blank)"), h("span", { class: "wb-row-id" }, line.id)));
    list.replaceChildren(...(lines.length ? lines : [h("p", { class: "wb-hint" }, "No document is in this part.")]));
    pager.replaceChildren(
      button("‹", { class: "wb-prev", "data-key": "prev", "aria-label": "Previous page", disabled: state.page === 0 }, () => ask(state.part, state.page - 1)),
      h("span", { class: "wb-page", "data-found": state.found }, `${plural(state.found, "document")} · page ${count(state.page + 1)} of ${count(state.pages)}`),
      button("›", { class: "wb-next", "data-key": "next", "aria-label": "Next page", disabled: state.page + 1 >= state.pages }, () => ask(state.part, state.page + 1)));
    drawReader(state.reader);
  };
  const verdict = (name, v) => h("p", { class: "wb-verdict", "data-side": name, "data-kept": String(v.kept) }, h("strong", {}, name), v.kept ? " keeps it" : " drops it: ",
    v.kept ? null : h("span", { class: "wb-step" }, v.step), v.kept ? null : ", ", v.kept ? null : h("span", { class: "wb-reason" }, v.reason || ""));
  const drawReader = (doc) => {
    if (!doc) { reader.replaceChildren(h("p", { class: "wb-hint" }, "Choose a document to read it.")); return; }
    const text = h("pre", { class: "wb-text", dir: "auto" }, doc.text);
    let have = [...doc.text].length;
    const more = button("", { class: "wb-more" }, () => model.send({ type: "more", row: doc.row, offset: have }));
    const label = () => { more.hidden = have >= doc.total; more.textContent = `more (${count(have)} of ${plural(doc.total, "character")} shown)`; };
    label();
    if (Number(reader.dataset.row) !== doc.row) reader.scrollTop = 0;
    reader.dataset.row = doc.row;
    reader.replaceChildren(h("header", {}, h("span", { class: "wb-doc-source" }, doc.source), h("span", { class: "wb-doc-id" }, doc.id)),
      verdict("A", doc.verdicts[0]), verdict("B", doc.verdicts[1]), text, more);
    reader.wbMore = (content) => {
      if (content.row !== doc.row || content.offset !== have) return;
      text.append(content.text);
      have += [...content.text].length;
      label();
    };
  };

  // Of many documents a change is compared when pointer and keys have rested.
  let timer = 0;
  const settle = () => {
    clearTimeout(timer);
    const { isStale } = model.get("state");
    el.dataset.stale = String(Boolean(isStale));
    if (isStale) timer = setTimeout(() => model.send({ type: "compare" }), REST_MS);
  };
  window.addEventListener("keydown", settle, true);
  window.addEventListener("pointerdown", settle, true);

  const draw = () => {
    const state = model.get("state");
    settle();
    if (!state.choices) { hint.textContent = ""; body.hidden = true; return; }
    drawSides(state);
    hint.textContent = state.hint;
    hint.hidden = !state.hint;
    body.hidden = !state.ready;
    if (!state.ready) return;
    drawOverlap(state);
    showMaps(state);
    shifts.replaceChildren(...[groupTable("Per source", state.sources, "source", state.colors),
      state.clusters ? groupTable("Per cluster", state.clusters, "cluster", null) : null].filter(Boolean));
    drawScores(state.scores);
    drawDocuments(state);
  };
  const receive = (content) => { if (content && content.type === "more" && reader.wbMore) reader.wbMore(content); };
  model.on("msg:custom", receive);
  model.on("change:parts", drawMaps);
  const stop = drawOn(model, el, ["state"], draw);
  // Only in the page does the element have colours.
  requestAnimationFrame(drawMaps);
  return () => {
    clearTimeout(timer);
    window.removeEventListener("keydown", settle, true);
    window.removeEventListener("pointerdown", settle, true);
    watch.disconnect();
    model.off("msg:custom", receive);
    model.off("change:parts", drawMaps);
    stop();
  };
}

export default { render };
