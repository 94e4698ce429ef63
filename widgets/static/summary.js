// What is kept in all and of each source, beside the histograms.

function makeSummary(send) {
  const big = h("div", { class: "wb-kept-documents" }), tokens = h("div", { class: "wb-kept-tokens" });
  const body = h("tbody");
  const search = h("input", { type: "search", class: "wb-source-search", placeholder: "find a source", "aria-label": "Find a source",
    onkeydown: (event) => event.stopPropagation(), onchange: (event) => send({ type: "sources", search: event.target.value.slice(0, 200) }) });
  const totals = h("div", { class: "wb-totals" });
  const node = h("aside", { class: "wb-summary", "aria-label": "What is kept" }, h("h3", {}, "Kept of the sample"), big, tokens, totals, search,
    h("table", { class: "wb-sources" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "source"), h("th", { scope: "col", class: "wb-num" }, "kept / all"), h("th", { scope: "col", class: "wb-num" }, "kept"),
        h("th", { scope: "col", class: "wb-num", title: "Share of the whole, weighted back to the corpus: before → after" }, "mix"))), body));

  // Numbers of the corpus come after those of the sample, and pale while they are of an older state.
  const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 });
  const range = ([value, low, high], format) => [h("strong", {}, format(value)), low === high ? "" : h("span", { class: "wb-note" }, ` ${format(low)} to ${format(high)}`)];
  const drawCorpus = (found, version) => {
    totals.classList.toggle("wb-stale", found.version !== version);
    rows.forEach((r, i) => {
      const share = found.version === version && found.mix ? found.mix[i] : null;
      r.mix.title = share ? `${percent(share[0])} of what the corpus keeps; 95 % interval ${percent(share[1])} to ${percent(share[2])}` : "";
      r.interval.textContent = share && share[1] !== share[2] ? `${percent(share[1], 0)} to ${percent(share[2], 0)}` : "";
    });
    if (found.version === undefined || found.version !== version) return;
    if (found.hint !== "") return totals.replaceChildren(h("p", { class: "wb-note" }, found.hint));
    const short = (n) => (n < 10_000 ? count(Math.round(n)) : compact.format(n));
    const mean = ([before, after]) => [before ? h("span", {}, `${count(Math.round(before[0]))} → `) : "", after ? range(after, (n) => count(Math.round(n))) : h("span", { class: "wb-note" }, "too few documents for an interval")];
    const line = (label, what, value) => h("tr", { "data-total": what }, h("th", { scope: "row" }, label), h("td", {}, value));
    totals.replaceChildren(h("h3", { title: found.basis }, "Of the corpus"), h("table", {}, h("tbody", {},
      line("documents", "documents", range(found.kept.n_documents, short)), line("tokens", "tokens", range(found.kept.n_tokens, short)),
      line("bytes", "bytes", range(found.kept.n_bytes, short)), line("mean tokens", "mean", mean(found.mean).flat()))),
    h("p", { class: "wb-note" }, found.basis));
  };

  let rows = [], drawnFor = "";
  const build = (sources) => {
    // Rows are made once, so that a move of a handle writes texts only.
    const wanted = JSON.stringify(sources.map((s) => [s.name, s.documents, s.color]));
    if (wanted === drawnFor) return;
    drawnFor = wanted;
    rows = sources.map((s) => {
      const fill = h("i"), kept = h("td", { class: "wb-num" }), share = h("td", { class: "wb-num" }), mix = h("td", { class: "wb-num" }), ratio = h("span"), interval = h("span", { class: "wb-note wb-interval" });
      mix.append(ratio, interval);
      const bar = h("div", { class: "wb-source-bar", color: s.color || "var(--wb-muted)" }, fill);
      const row = h("tr", { "data-source": s.name }, h("th", { scope: "row" }, h("span", { class: "wb-source-name", dir: "auto", title: s.name }, s.name), bar), kept, share, mix);
      return { row, fill, kept, share, mix, ratio, interval };
    });
    body.replaceChildren(...rows.map((r) => r.row));
  };
  const drawRow = (row, source, kept, keptShare) => {
    const share = source.documents ? kept / source.documents : 0;
    row.row.dataset.kept = kept;
    row.fill.style.width = `${100 * share}%`;
    row.kept.textContent = `${count(kept)} / ${count(source.documents)}`;
    row.share.textContent = percent(share, 0);
    row.ratio.textContent = `${(100 * source.share).toFixed(0)} → ${percent(keptShare, 0)}`;
  };
  const drawTotals = (c, kept, keptTokens, sign) => {
    big.replaceChildren(h("strong", {}, sign + count(kept)), ` of ${plural(c.documents, "document")} · ${percent(kept / c.documents)}`);
    big.dataset.kept = kept;
    tokens.replaceChildren(...(c.tokens === null ? ["tokens: compute n_tokens to see them"]
      : [h("strong", {}, sign + count(keptTokens)), ` of ${plural(c.tokens, "token")} · ${percent(c.tokens ? keptTokens / c.tokens : NaN)}`]));
    if (c.tokens !== null) tokens.dataset.kept = keptTokens;
  };

  const update = (live) => {
    node.removeAttribute("data-moving");
    build(live.sources);
    search.hidden = live.nSources <= live.sources.length && !live.search;
    drawTotals(live.count, live.count.kept, live.count.keptTokens, "");
    live.sources.forEach((s, i) => drawRow(rows[i], s, s.kept, s.keptShare));
  };
  // While a handle moves: from the cube, at a place.
  const preview = (live, cube, place) => {
    node.setAttribute("data-moving", cube.fixed ? "about" : "exact");
    totals.classList.add("wb-stale");
    const kept = cube.documents[place];
    drawTotals(live.count, kept, cube.tokens ? cube.tokens[place] : null, cube.fixed ? "≈ " : "");
    const weight = cube.weight[place];
    let left = kept, leftShare = 1;
    live.sources.forEach((s, i) => {
      const isRest = s.color === "";
      const n = isRest ? left : cube.sources[i * PLACES + place];
      const share = isRest ? leftShare : weight > 0 ? (n * s.weight) / weight : 0;
      left -= n;
      leftShare -= share;
      drawRow(rows[i], s, n, kept ? Math.max(0, share) : 0);
    });
  };
  return { node, drawCorpus, update, preview };
}
