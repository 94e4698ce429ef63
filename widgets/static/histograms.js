// The Scores tab. Python bins and counts; this draws bars, and turns pointer and keys into "drag", "nudge" and "value".

const HEIGHT = 100;

// One message is under way at a time. While it is, a newer drag of a handle takes the place of the older one and key
// presses add up, so that a drag never queues up.
function makeLine(model, onidle) {
  const client = Math.random().toString(36).slice(2);
  let number = 0, pending = null, timer = 0;
  const queue = [];
  const next = () => {
    clearTimeout(timer);
    pending = null;
    if (queue.length) start(queue.shift()); else onidle();
  };
  const start = (content) => {
    pending = `${client}:${number++}`;
    timer = setTimeout(next, 2000);
    model.send({ ...content, ticket: pending });
  };
  const send = (content) => {
    if (!pending) return start(content);
    const last = queue[queue.length - 1];
    const same = last && last.type === content.type && last.score === content.score && last.side === content.side;
    if (same && content.type === "drag") queue[queue.length - 1] = content;
    else if (same && content.type === "nudge") last.steps = Math.max(-1000, Math.min(1000, last.steps + content.steps));
    else queue.push(content);
  };
  const receive = (content) => { if (content && content.type === "done" && content.ticket === pending) next(); };
  model.on("msg:custom", receive);
  return {
    send,
    gesture: () => `${client}:g${number++}`,
    close: () => { clearTimeout(timer); model.off("msg:custom", receive); },
  };
}

// Square roots of the counts on demand: a score that is 0 for most documents hides its tail otherwise.
let isRooted = false;

function barsPath(edges, counts, top) {
  let path = "";
  for (let i = 0; i < counts.length; i++) {
    if (!counts[i]) continue;
    // A bar of at least 1.5 % of the height, so that a rare value is still seen.
    const part = isRooted ? Math.sqrt(counts[i] / top) : counts[i] / top;
    const y = HEIGHT - Math.max(1.5, HEIGHT * part);
    const gap = (edges[i + 1] - edges[i]) * 40;
    path += `M${edges[i] * 1000 + gap} ${HEIGHT}V${y}H${edges[i + 1] * 1000 - gap}V${HEIGHT}Z`;
  }
  return path;
}

function makeHandle(chart, side, line, plot) {
  const label = h("span", { class: "wb-handle-value" });
  const node = h("div", {
    class: `wb-handle wb-handle-${side}`, role: "slider", tabIndex: 0, "data-side": side, "data-score": chart.score,
    "data-key": `handle:${chart.score}:${side}`,
    "aria-label": `${chart.score}, ${side === "low" ? "lower" : "upper"} threshold`,
    "aria-valuemin": 0, "aria-valuemax": 1000, "aria-orientation": "horizontal",
    title: "Drag, or use the arrow keys; double click, Escape or x opens this side",
  }, label);
  const target = { score: chart.score, side };
  const open = () => line.send({ type: "open", ...target });
  let gesture = null, keys = null, keyTimer = 0;
  const placeOf = (event) => {
    const box = plot.getBoundingClientRect();
    return Math.min(1000, Math.max(0, Math.round((1000 * (event.clientX - box.left)) / box.width)));
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    node.focus({ preventScroll: true });
    gesture = line.gesture();
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => {
    if (gesture === null) return;
    const place = placeOf(event);
    node.style.left = `${place / 10}%`;
    node.dataset.dragging = "true";
    line.send({ type: "drag", ...target, place, gesture });
  });
  let last = null;
  const end = () => {
    gesture = null;
    delete node.dataset.dragging;
    // Python may have held the handle back, at the other one.
    if (last) update(last);
  };
  node.addEventListener("pointerup", end);
  node.addEventListener("pointercancel", end);
  node.addEventListener("dblclick", open);
  node.addEventListener("blur", () => { keys = null; });
  node.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -50, PageUp: 50 }[event.key];
    const isEnd = event.key === "Home" || event.key === "End";
    if (steps === undefined && !isEnd && event.key !== "Escape" && event.key !== "x") return;
    event.preventDefault();
    // JupyterLab would move between cells on the same keys.
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "x") return open();
    keys = keys || line.gesture();
    clearTimeout(keyTimer);
    keyTimer = setTimeout(() => { keys = null; }, 1000);
    if (isEnd) return line.send({ type: "drag", ...target, place: event.key === "Home" ? 0 : 1000, gesture: keys });
    line.send({ type: "nudge", ...target, steps: event.shiftKey ? 10 * steps : steps, gesture: keys });
  });
  const update = (bound) => {
    last = bound;
    const dragging = gesture !== null;
    const place = bound.place === null ? (side === "low" ? 0 : 1) : bound.place;
    if (!dragging) node.style.left = `${100 * place}%`;
    node.classList.toggle("wb-open", bound.place === null);
    node.classList.toggle("wb-flip", side === "low" ? place > 0.75 : place > 0.25);
    node.setAttribute("aria-valuenow", Math.round(1000 * place));
    node.setAttribute("aria-valuetext", bound.text);
    label.textContent = bound.text;
    return place;
  };
  return { node, update };
}

function makeField(chart, side, line, send) {
  const node = h("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", class: `wb-bound wb-bound-${side}`, "data-side": side,
    "data-score": chart.score, "aria-label": `${chart.score}, ${side === "low" ? "lower" : "upper"} threshold, number`,
    placeholder: side === "low" ? "from: open" : "to: open",
  });
  const commit = () => {
    const text = node.value.trim().replaceAll(",", "");
    const value = text === "" ? null : Number(text);
    // What is no number goes to Python as it is, which says so.
    send({ type: "value", score: chart.score, side, value: Number.isNaN(value) ? node.value.slice(0, 50) : value });
  };
  node.addEventListener("change", commit);
  node.addEventListener("keydown", (event) => event.stopPropagation());
  const update = (bound) => {
    if (document.activeElement !== node || node.dataset.sent !== bound.field) node.value = bound.field;
    node.dataset.sent = bound.field;
  };
  return { node, update };
}

function makeCard(chart, line) {
  const send = (content) => line.send(content);
  const card = h("section", { class: "wb-card", "data-score": chart.score, "data-family": chart.family, "aria-label": chart.score });
  const clear = button("×", { class: "wb-clear", title: "Open both sides", "aria-label": `Open both sides of ${chart.score}` },
    () => send({ type: "open", score: chart.score, side: null }));
  const unscored = chart.unscored ? h("span", { class: "wb-unscored", title: "Documents without this score" }, `${count(chart.unscored)} unscored`) : null;
  const head = h("header", {}, h("span", { class: "wb-card-name", title: `${chart.title} (${chart.unit})` }, chart.score), unscored, clear);
  const update = chart.kind === "category" ? fillCategories(card, head, chart, send) : fillHistogram(card, head, chart, line, send);
  return { card, update };
}

function fillHistogram(card, head, chart, line, send) {
  const top = Math.max(1, ...chart.counts);
  let drawnRooted = isRooted;
  const drawing = svg("svg", { viewBox: `0 0 1000 ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const all = svg("path", { class: "wb-bars-dropped", d: barsPath(chart.edges, chart.counts, top) });
  const kept = svg("path", { class: "wb-bars-kept" });
  drawing.append(all, kept);
  const plot = h("div", { class: "wb-plot" }, drawing);
  const shades = { low: h("div", { class: "wb-shade" }), high: h("div", { class: "wb-shade wb-shade-high" }) };
  const handles = { low: makeHandle(chart, "low", line, plot), high: makeHandle(chart, "high", line, plot) };
  plot.append(shades.low, shades.high, handles.low.node, handles.high.node);
  const axis = h("div", { class: "wb-axis", "aria-hidden": "true" }, chart.ticks.map(([place, text]) => {
    const tick = h("span", { class: place < 0.06 ? "wb-first" : place > 0.94 ? "wb-last" : "" }, text);
    tick.style.left = `${100 * place}%`;
    return tick;
  }));
  const fields = { low: makeField(chart, "low", line, send), high: makeField(chart, "high", line, send) };
  const quantile = h("input", { type: "checkbox", class: "wb-quantile", "data-score": chart.score,
    onchange: (event) => send({ type: "quantile", score: chart.score, on: event.target.checked }) });
  const scale = chart.kind === "linear" ? "" : "log";
  card.append(head, plot, axis, h("div", { class: "wb-bounds" }, fields.low.node, fields.high.node,
    h("label", { title: "Keep the threshold as a quantile of the sample; its value is resolved and frozen in the manifest" }, quantile, "as quantile"),
    h("span", { class: "wb-scale" }, scale)));
  return (bound, counts) => {
    if (drawnRooted !== isRooted) all.setAttribute("d", barsPath(chart.edges, chart.counts, top));
    drawnRooted = isRooted;
    kept.setAttribute("d", barsPath(chart.edges, counts, top));
    quantile.checked = bound.quantile;
    const places = {};
    for (const side of ["low", "high"]) {
      places[side] = handles[side].update(bound[side]);
      fields[side].update(bound[side]);
    }
    shades.low.style.width = `${100 * places.low}%`;
    shades.high.style.left = `${100 * places.high}%`;
    card.classList.toggle("wb-active", bound.low.place !== null || bound.high.place !== null);
  };
}

function fillCategories(card, head, chart, send) {
  const top = Math.max(1, ...chart.counts);
  const rows = chart.labels.map((label, i) => {
    const box = h("input", { type: "checkbox", class: "wb-category", "data-score": chart.score, "data-label": label, checked: true,
      onchange: (event) => send({ type: "category", score: chart.score, label, on: event.target.checked }) });
    const all = h("span", { class: "wb-bar wb-bar-dropped" }), kept = h("span", { class: "wb-bar wb-bar-kept" });
    all.style.width = `${(100 * chart.counts[i]) / top}%`;
    const number = h("span", { class: "wb-number" });
    const isOther = label === "other" && i === chart.labels.length - 1;
    box.disabled = isOther;
    const row = h("label", { class: "wb-category-row" }, box, h("span", { class: "wb-category-name" }, label), h("span", { class: "wb-track" }, all, kept), number);
    return { row, box, kept, number, label };
  });
  card.classList.add("wb-card-category");
  card.append(head, h("div", { class: "wb-categories" }, rows.map((r) => r.row)));
  return (bound, counts) => {
    rows.forEach((r, i) => {
      r.box.checked = bound.labels === null || bound.labels.includes(r.label);
      r.kept.style.width = `${(100 * counts[i]) / top}%`;
      r.number.textContent = `${count(counts[i])} / ${count(chart.counts[i])}`;
    });
    card.classList.toggle("wb-active", bound.labels !== null);
  };
}

function makeSummary() {
  const big = h("div", { class: "wb-kept-documents" }), tokens = h("div", { class: "wb-kept-tokens" });
  const body = h("tbody");
  const node = h("aside", { class: "wb-summary", "aria-label": "What is kept" }, h("h3", {}, "Kept"), big, tokens,
    h("table", { class: "wb-sources" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "source"), h("th", { scope: "col", class: "wb-num" }, "kept / all"), h("th", { scope: "col", class: "wb-num" }, "kept"),
        h("th", { scope: "col", class: "wb-num", title: "Share of the whole, weighted back to the corpus: before → after" }, "mix"))), body));
  const update = (live, colors) => {
    const c = live.count;
    big.replaceChildren(h("strong", {}, count(c.kept)), ` of ${plural(c.documents, "document")} · ${percent(c.kept / c.documents)}`);
    big.dataset.kept = c.kept;
    tokens.replaceChildren(...(c.tokens === null ? ["tokens: compute n_tokens to see them"]
      : [h("strong", {}, count(c.keptTokens)), ` of ${plural(c.tokens, "token")} · ${percent(c.tokens ? c.keptTokens / c.tokens : NaN)}`]));
    if (c.tokens !== null) tokens.dataset.kept = c.keptTokens;
    body.replaceChildren(...live.sources.map((s) => {
      const share = s.documents ? s.kept / s.documents : 0;
      const bar = h("div", { class: "wb-source-bar", color: colors[s.name] });
      bar.append(h("i"));
      bar.firstChild.style.width = `${100 * share}%`;
      return h("tr", { "data-source": s.name, "data-kept": s.kept },
        h("th", { scope: "row" }, h("span", { class: "wb-source-name", title: s.name }, s.name), bar),
        h("td", { class: "wb-num" }, `${count(s.kept)} / ${count(s.documents)}`),
        h("td", { class: "wb-num" }, percent(share, 0)),
        h("td", { class: "wb-num" }, `${(100 * s.share).toFixed(0)} → ${percent(s.keptShare, 0)}`));
    }));
  };
  return { node, update };
}

function render({ model, el }) {
  el.classList.add("wb-view", "wb-histograms");
  const line = makeLine(model, () => drawLive());
  const summary = makeSummary();
  const grid = h("div", { class: "wb-grid" });
  const families = h("div", { class: "wb-families", role: "group", "aria-label": "Which scores" });
  const search = h("input", { type: "search", class: "wb-score-search", placeholder: "find a score", "aria-label": "Find a score",
    oninput: () => filter(), onkeydown: (event) => event.stopPropagation() });
  const hint = h("p", { class: "wb-hint" });
  const roots = h("label", { class: "wb-check", title: "Draw the square roots of the counts, so that rare values show" },
    h("input", { type: "checkbox", class: "wb-roots", checked: isRooted, onchange: (event) => { isRooted = event.target.checked; drawLive(); } }), "√ heights");
  const main = h("div", { class: "wb-scores-main" }, h("div", { class: "wb-bar-top" }, families, roots, search), hint, grid);
  el.append(main, summary.node);
  let cards = [], chosen = "all";

  const filter = () => {
    const needle = search.value.toLowerCase();
    for (const { card } of cards) {
      const inFamily = chosen === "all" || (chosen === "set" ? card.classList.contains("wb-active") : card.dataset.family === chosen);
      card.hidden = !(inFamily && card.dataset.score.includes(needle));
    }
    for (const chip of families.children) chip.setAttribute("aria-pressed", String(chip.dataset.family === chosen));
  };
  const drawCharts = () => {
    const { charts = [], hint: text = "" } = model.get("state");
    cards = charts.map((chart) => ({ chart, ...makeCard(chart, line) }));
    grid.replaceChildren(...cards.map(({ card }) => card));
    hint.textContent = text;
    hint.hidden = !text;
    summary.node.hidden = main.firstChild.hidden = !charts.length;
    const names = ["all", ...new Set(charts.map((chart) => chart.family)), "set"];
    if (!names.includes(chosen)) chosen = "all";
    families.replaceChildren(...names.map((name) => button(name === "set" ? "with thresholds" : name,
      { class: "wb-chip", "data-family": name, "aria-pressed": "false" }, () => { chosen = name; filter(); })));
    drawLive();
    filter();
  };
  const drawLive = () => {
    const live = model.get("live");
    if (!live.count) return;
    for (const { chart, update } of cards) {
      if (live.bounds[chart.score] && live.kept[chart.score]?.length === chart.counts.length) update(live.bounds[chart.score], live.kept[chart.score]);
    }
    summary.update(live, model.get("state").sources || {});
  };
  model.on("change:state", drawCharts);
  model.on("change:live", drawLive);
  drawCharts();
  return () => {
    line.close();
    model.off("change:state", drawCharts);
    model.off("change:live", drawLive);
  };
}

export default { render };
