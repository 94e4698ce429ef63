// What is kept in all and of each source, beside the histograms.

function makeSummary(send) {
  const makeAmount = (name) => {
    const amount = h("strong"), whole = h("span");
    return { amount, whole, node: h("div", { class: name }, amount, whole) };
  };
  const big = makeAmount("wb-kept-documents"), tokens = makeAmount("wb-kept-tokens");
  const body = h("tbody");
  const search = h("input", { type: "search", class: "wb-source-search", placeholder: "find a source", "aria-label": "Find a source",
    onkeydown: (event) => event.stopPropagation(), onchange: (event) => send({ type: "sources", search: event.target.value.slice(0, 200) }) });
  const totals = h("div", { class: "wb-totals" });
  const node = h("aside", { class: "wb-summary", "aria-label": "What is kept" }, h("h3", {}, "Kept of the sample"), big.node, tokens.node, totals, search,
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
    const mean = ([before, after]) => [before ? h("span", {}, `${count(Math.round(before[0]))} → `) : "", after ? range(after, (n) => count(Math.round(n))) : h("span", { class: "wb-note" }, "–")];
    const line = (label, what, value) => h("tr", { "data-total": what }, h("th", { scope: "row" }, label), h("td", {}, value));
    totals.replaceChildren(h("h3", { title: found.basis }, "Of the corpus"), h("table", {}, h("tbody", {},
      line("documents", "documents", range(found.kept.n_documents, short)), line("tokens", "tokens", range(found.kept.n_tokens, short)),
      line("bytes", "bytes", range(found.kept.n_bytes, short)), line("mean tokens", "mean", mean(found.mean).flat()))),
    h("p", { class: "wb-note" }, found.basis));
  };

  // A box of fixed size: a number that changes in it moves nothing else, so the page isn't laid out again.
  const cell = (chars) => {
    const node = h("span", { class: "wb-cell" });
    node.style.width = `${chars}ch`;
    return node;
  };
  let rows = [], drawnFor = "";
  const build = (sources) => {
    // Rows are made once, so that a move of a handle writes texts only.
    const wanted = JSON.stringify(sources.map((s) => [s.name, s.documents, s.color]));
    if (wanted === drawnFor) return;
    drawnFor = wanted;
    // In digits; a comma or a blank is half as wide.
    const [whole, ...groups] = count(Math.max(1, ...sources.map((s) => s.documents))).split(",");
    const widest = 2 * (whole.length + 3.5 * groups.length) + 2;
    rows = sources.map((s) => {
      const kept = cell(widest), share = cell(5.5), ratio = cell(9.8), interval = h("span", { class: "wb-note wb-interval" });
      const mix = h("td", { class: "wb-num" }, ratio, interval);
      const bar = h("div", { class: "wb-source-bar", color: s.color || "var(--wb-muted)" });
      const row = h("tr", { "data-source": s.name }, h("th", { scope: "row" }, h("span", { class: "wb-source-name", dir: "auto", title: s.name }, s.name), bar),
        h("td", { class: "wb-num" }, kept), h("td", { class: "wb-num" }, share), mix);
      return { row, bar, kept, share, mix, ratio, interval };
    });
    body.replaceChildren(...rows.map((r) => r.row));
  };
  const drawRow = (row, source, kept, keptShare) => {
    const share = source.documents ? kept / source.documents : 0;
    put(row.row, "data-n", kept);
    row.bar.style.backgroundSize = `${(100 * share).toFixed(2)}% 100%`;
    write(row.kept, `${count(kept)} / ${count(source.documents)}`);
    write(row.share, percent(share, 0));
    write(row.ratio, `${(100 * source.share).toFixed(0)} → ${percent(keptShare, 0)}`);
  };
  const drawTotals = (c, kept, keptTokens, sign) => {
    write(big.amount, sign + count(kept));
    write(big.whole, ` of ${plural(c.documents, "document")} · ${percent(kept / c.documents)}`);
    put(big.node, "data-n", kept);
    write(tokens.amount, c.tokens === null ? "" : sign + count(keptTokens));
    write(tokens.whole, c.tokens === null ? "tokens: compute n_tokens to see them"
      : ` of ${plural(c.tokens, "token")} · ${percent(c.tokens ? keptTokens / c.tokens : NaN)}`);
    if (c.tokens !== null) put(tokens.node, "data-n", keptTokens);
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
    put(node, "data-moving", cube.fixed ? "about" : "exact");
    if (!totals.classList.contains("wb-stale")) totals.classList.add("wb-stale");
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
