// The Scores tab. Python bins and counts; this draws. While a handle moves, all numbers and bars come from its cube.

const COUNTS_UP_TO = 20000;  // documents up to which steps that compare documents are counted without being asked

function render({ model, el }) {
  el.classList.add("wb-view", "wb-histograms");
  let cards = new Map(), chosen = "all";
  const bench = {
    countsUpTo: COUNTS_UP_TO,
    bound: (score) => model.get("live").bounds[score],
    visible: () => [...cards.values()].filter(({ card }) => isSeen(card)).map(({ chart }) => chart.score).slice(0, 24),
    draw: () => drawMove(),
  };
  bench.line = makeLine(model, () => { bench.mover.answered(); drawLive(); });
  bench.cubes = makeCubes(model, () => {
    const active = el.getRootNode().activeElement;
    if (active && active.matches?.(".wb-handle") && el.contains(active)) bench.mover.ready(active.dataset.score, active.dataset.side);
    drawMove();
  });
  bench.mover = makeMover(bench);
  const send = (content) => bench.line.send(content);

  const summary = makeSummary(send);
  const steps = makeSteps(model, bench);
  const grid = h("div", { class: "wb-grid" });
  const families = h("div", { class: "wb-families", role: "group", "aria-label": "Which scores" });
  const quiet = (event) => event.stopPropagation();
  const search = h("input", { type: "search", class: "wb-score-search", placeholder: "find a score", "aria-label": "Find a score", oninput: () => filter(), onkeydown: quiet });
  const hint = h("p", { class: "wb-hint" }), none = h("p", { class: "wb-note" }, "No step yet: every document is kept. Move a handle below, or add a step.");
  const choose = () => {
    Object.assign(looks, { paint: painted.value, isRooted: rooted.checked });
    send({ type: "paint", paint: looks.paint, roots: looks.isRooted });
    drawLive();
  };
  const rooted = h("input", { type: "checkbox", class: "wb-roots", onchange: choose });
  const painted = dropdown([["kept", "kept coloured"], ["grey", "all grey"], ["source", "by source"]], "kept", { class: "wb-paint", "aria-label": "Colours of bars" }, choose);
  const roots = h("label", { class: "wb-check", title: "Draw the square roots of the counts, so that rare values show" },
    rooted, "√ heights");
  const paint = labelled("bars", painted);
  // As saved work has them; what is chosen here shows before Python has heard of it.
  let adopted = "";
  const adoptLooks = (given) => {
    if (adopted === JSON.stringify(given)) return;
    adopted = JSON.stringify(given);
    painted.value = looks.paint = given.paint;
    rooted.checked = looks.isRooted = given.roots;
  };
  const head = h("div", { class: "wb-bar-top" }, h("h3", {}, "Steps"), makeAdd(model, bench), h("span", { class: "wb-gap" }), paint, roots);
  const rest = h("div", { class: "wb-bar-top" }, h("h3", {}, "Other scores"), families, search);
  const main = h("div", { class: "wb-scores-main" }, hint, head, none, steps.list, rest, grid);
  el.append(main, summary.node);

  const isSeen = (card) => {
    if (!card.isConnected || card.hidden) return false;
    const box = card.getBoundingClientRect(), view = grid.contains(card) ? grid.getBoundingClientRect() : { top: 0, bottom: Infinity };
    return box.height > 0 && box.bottom > Math.max(0, view.top) && box.top < Math.min(window.innerHeight, view.bottom);
  };
  const filter = () => {
    const needle = search.value.toLowerCase();
    for (const { card, chart } of cards.values()) {
      card.hidden = grid.contains(card) && !((chosen === "all" || card.dataset.family === chosen) && chart.score.includes(needle));
    }
    for (const chip of families.children) chip.setAttribute("aria-pressed", String(chip.dataset.family === chosen));
  };
  const keepFocus = (change) => {
    const root = el.getRootNode(), active = root.activeElement;
    const key = active && el.contains(active) ? active.getAttribute("data-key") : null;
    change();
    if (!key || root.activeElement === active) return;
    const again = active.isConnected ? active : [...el.querySelectorAll("[data-key]")].find((node) => node.getAttribute("data-key") === key);
    again?.focus({ preventScroll: true });
  };
  // Charts of steps stand in the steps' rows, all others in the grid.
  const placeCards = () => {
    const inRows = new Set((model.get("rows").steps || []).map((step) => step.score));
    grid.replaceChildren(...[...cards.values()].filter(({ chart }) => !inRows.has(chart.score)).map(({ card }) => card));
    rest.hidden = !grid.children.length;
    filter();
  };
  const drawRows = () => {
    const { steps: rows, documents } = model.get("rows");
    if (!rows) return;
    keepFocus(() => {
      if (steps.build(rows, (score, slot) => { const made = cards.get(score); if (made) slot.append(made.card); })) placeCards();
      steps.drawNumbers(rows, documents);
    });
    none.hidden = rows.length > 0 || !cards.size;
    askLater();
  };
  const drawCharts = () => {
    const { charts = [], hint: text = "" } = model.get("state");
    keepFocus(() => {
      cards = new Map(charts.map((chart) => [chart.score, makeCard(chart, bench)]));
      const names = ["all", ...new Set(charts.map((chart) => chart.family))];
      if (!names.includes(chosen)) chosen = "all";
      families.replaceChildren(...names.map((name) => button(name, { class: "wb-chip", "data-family": name, "aria-pressed": "false" }, () => { chosen = name; filter(); })));
      hint.textContent = text;
      hint.hidden = !text;
      summary.node.hidden = head.hidden = !charts.length;
      steps.forget();
      drawRows();
      placeCards();
      drawLive();
    });
  };
  // All as Python counted it; a handle in hand stays where it is.
  const drawLive = () => {
    const live = model.get("live");
    if (!live.count) return;
    bench.cubes.follow();
    adoptLooks(live.looks);
    for (const { chart, update } of cards.values()) {
      const bound = live.bounds[chart.score], kept = live.kept[chart.score];
      if (bound && kept?.length === chart.counts.length) update(bound, kept, live.stacks?.[chart.score]);
    }
    summary.update(live);
    summary.drawCorpus(model.get("totals"), live.version);
    askLater();
    el.removeAttribute("data-moving");
    if (bench.mover.at) drawMove();
  };
  // With the handle in hand where it is: bars and numbers from its cube, if that is there.
  const drawMove = () => {
    const { at } = bench.mover, live = model.get("live");
    if (!at || !live.count) return drawLive();
    const { score, side, place } = at, bound = live.bounds[score], made = cards.get(score);
    if (!bound || !made) return;
    const cube = bench.cubes.get(score, side);
    const isOpen = place === (side === "low" ? 0 : PLACES - 1), other = bound[side === "low" ? "high" : "low"];
    const isBeyond = cube && other.value !== null && (side === "low" ? cube.cuts[place] > other.value : cube.cuts[place] < other.value);
    const field = isOpen ? "" : !cube ? bound[side].field : bound.quantile ? String(cube.quantiles[place] / 1000) : String(Number(cube.cuts[place].toPrecision(10)));
    const moved = { place: isOpen ? null : place / (PLACES - 1), field, share: null,
      text: isOpen ? "open" : !cube ? "…" : isBeyond ? other.text : short(cube.cuts[place]) };
    if (cube && !isOpen) moved.share = cube.quantiles[place] / 1000;
    made.drawHandles({ ...bound, [side]: moved });
    put(el, "data-moving", cube ? (cube.fixed ? "about" : "exact") : "waiting");
    if (!cube) { bench.mover.near(score, side); return; }
    for (const [name, heights] of cube.bars) cards.get(name)?.drawHeights(heights, place);
    summary.preview(live, cube, place);
  };

  // What takes longer is asked for once nothing moves.
  let timer = 0;
  const askLater = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const { documents } = model.get("rows");
      if (!model.get("live").count) return;
      if (bench.mover.at || !bench.line.isIdle()) return askLater();
      const index = documents <= COUNTS_UP_TO ? steps.waiting() : -1;
      if (model.get("live").version !== model.get("totals").version) send({ type: "totals" });
      else if (index >= 0) send({ type: "count", index });
    }, 250);
  };
  const drawTotals = () => { summary.drawCorpus(model.get("totals"), model.get("live").version); askLater(); };
  const changes = { state: drawCharts, live: drawLive, rows: drawRows, totals: drawTotals };
  for (const [name, callback] of Object.entries(changes)) model.on(`change:${name}`, callback);
  drawCharts();
  return () => {
    clearTimeout(timer);
    bench.line.close();
    bench.cubes.close();
    for (const [name, callback] of Object.entries(changes)) model.off(`change:${name}`, callback);
  };
}

export default { render };
