// One card a score: its histogram with two handles, or its labels with boxes to tick.

const HEIGHT = 100;

// How bars are drawn, for all charts: `isRooted` draws square roots of the counts, since a score that is 0 for most
// documents hides its tail otherwise; `paint` is "kept", "grey" or "source".
const looks = { isRooted: false, paint: "kept" };

// Bars from `low` to `high`, each the share of the tallest bar of the chart, 0..1.
function barsPath(edges, high, low = null) {
  let path = "";
  for (let i = 0; i < high.length; i++) {
    if (!high[i] || (low && high[i] === low[i])) continue;
    // A bar of at least 1.5 % of the height, so that a rare value is still seen.
    const y = (share) => HEIGHT - Math.max(1.5, HEIGHT * (looks.isRooted ? Math.sqrt(share) : share));
    const gap = (edges[i + 1] - edges[i]) * 40;
    const foot = low && low[i] ? y(low[i]) : HEIGHT;
    path += `M${(edges[i] * 1000 + gap).toFixed(1)} ${foot.toFixed(2)}V${y(high[i]).toFixed(2)}H${(edges[i + 1] * 1000 - gap).toFixed(1)}V${foot.toFixed(2)}Z`;
  }
  return path;
}

function makeField(chart, side, send) {
  const node = h("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", class: `wb-bound wb-bound-${side}`, "data-side": side,
    "data-score": chart.score, "data-key": `field:${chart.score}:${side}`,
    "aria-label": `${chart.score}, ${side === "low" ? "lower" : "upper"} threshold, number`,
    placeholder: side === "low" ? "from: open" : "to: open",
  });
  const share = h("span", { class: "wb-share", title: "The quantile that this threshold is" });
  const commit = () => {
    const text = node.value.trim().replaceAll(",", "");
    const value = text === "" ? null : Number(text);
    // What is no number goes to Python as it is, which says so.
    send({ type: "value", score: chart.score, side, value: value === null || Number.isFinite(value) ? value : node.value.slice(0, 50) });
  };
  node.addEventListener("change", commit);
  node.addEventListener("keydown", (event) => event.stopPropagation());
  // The field shows what is set, the note beside it what that is on the other scale. What is being typed stays.
  let sent = null;
  const update = (bound, isQuantile) => {
    if (sent !== bound.field || (node.value !== bound.field && node.getRootNode().activeElement !== node)) node.value = bound.field;
    sent = bound.field;
    write(share, bound.place === null || bound.share === null ? "" : isQuantile ? `= ${bound.text}` : `q ${bound.share.toFixed(3)}`);
  };
  // A number that a person is in the middle of stays, whatever is answered meanwhile.
  let typing = false, last = "";
  node.addEventListener("input", () => { typing = true; });
  for (const end of ["change", "blur"]) node.addEventListener(end, () => { typing = false; });
  const follow = (bound, isQuantile) => {
    if (!typing) last = bound.field;
    update({ ...bound, field: last }, isQuantile);
  };
  return { parts: [node, share], update: follow };
}

function makeCard(chart, bench) {
  const send = (content) => bench.line.send(content);
  const card = h("section", { class: "wb-card", "data-score": chart.score, "data-family": chart.family, "aria-label": chart.score });
  const clear = button("×", { class: "wb-clear", title: "Open both sides", "aria-label": `Open both sides of ${chart.score}` },
    () => send({ type: "open", score: chart.score, side: null }));
  const unscored = chart.unscored ? h("span", { class: "wb-unscored", title: "Documents without this score" }, `${count(chart.unscored)} unscored`) : null;
  const head = h("header", {}, h("span", { class: "wb-card-name", title: `${chart.title} (${chart.unit})` }, chart.score), unscored, clear);
  const fill = chart.kind === "category" ? fillCategories : fillHistogram;
  return { chart, card, ...fill(card, head, chart, bench, send) };
}

function makeStack(edges, counts, stacks, top) {
  const nodes = [];
  let low = counts.map(() => 0);
  for (const [color, part] of stacks) {
    const high = low.map((value, i) => value + part[i] / top);
    const node = svg("path", { d: barsPath(edges, high, low) });
    node.style.fill = color;
    nodes.push(node);
    low = high;
  }
  return nodes;
}

function fillHistogram(card, head, chart, bench, send) {
  const top = Math.max(1, ...chart.counts);
  const whole = chart.counts.map((n) => n / top);
  const drawing = svg("svg", { viewBox: `0 0 1000 ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const all = svg("path", { class: "wb-bars-dropped" }), kept = svg("path", { class: "wb-bars-kept" });
  const stack = svg("g", { class: "wb-bars-source" });
  drawing.append(all, kept, stack);
  const plot = h("div", { class: "wb-plot" }, drawing);
  const shades = { low: h("div", { class: "wb-shade" }), high: h("div", { class: "wb-shade wb-shade-high" }) };
  const handles = { low: makeHandle(chart, "low", bench, plot), high: makeHandle(chart, "high", bench, plot) };
  plot.append(shades.low, shades.high, handles.low.node, handles.high.node);
  new ResizeObserver(([{ contentRect }]) => {
    for (const { resize } of Object.values(handles)) resize(contentRect.width);
  }).observe(plot);
  const axis = h("div", { class: "wb-axis", "aria-hidden": "true" }, chart.ticks.map(([place, text]) => {
    const tick = h("span", { class: place < 0.06 ? "wb-first" : place > 0.94 ? "wb-last" : "" }, text);
    tick.style.left = `${100 * place}%`;
    return tick;
  }));
  const fields = { low: makeField(chart, "low", send), high: makeField(chart, "high", send) };
  const quantile = h("input", { type: "checkbox", class: "wb-quantile", "data-score": chart.score, "data-key": `quantile:${chart.score}`,
    onchange: (event) => send({ type: "quantile", score: chart.score, on: event.target.checked }) });
  const scale = chart.kinds.length > 1
    ? h("label", { class: "wb-scale", title: "Logarithmic axis" }, h("input", { type: "checkbox", class: "wb-log", "data-score": chart.score,
      "data-key": `log:${chart.score}`, checked: chart.kind !== "linear",
      onchange: (event) => send({ type: "scale", score: chart.score, kind: chart.kinds[event.target.checked ? 1 : 0] }) }), "log") : null;
  card.append(head, plot, axis, h("div", { class: "wb-bounds" }, fields.low.parts, fields.high.parts,
    h("label", { title: "Keep the threshold as a quantile of the sample; its value is resolved and frozen in the manifest" }, quantile, "as quantile"), scale));

  let drawn = null, drawnKept = "";
  const drawKept = (path) => {
    if (path !== drawnKept) kept.setAttribute("d", drawnKept = path);
  };
  // Bars: `shares` of the tallest one, 0..1.
  const drawBars = (shares) => {
    if (drawn !== looks.isRooted) all.setAttribute("d", barsPath(chart.edges, whole));
    drawn = looks.isRooted;
    drawKept(looks.paint === "grey" ? "" : barsPath(chart.edges, shares));
    if (stack.firstChild) stack.replaceChildren();
  };
  const drawHandles = (bound) => {
    const places = {};
    for (const side of ["low", "high"]) {
      places[side] = handles[side].update(bound[side]);
      fields[side].update(bound[side], bound.quantile);
    }
    shades.low.style.backgroundSize = `${100 * places.low}% 100%`;
    shades.high.style.backgroundSize = `${100 - 100 * places.high}% 100%`;
  };
  return {
    drawHandles,
    drawHeights: (heights, place) => {
      const shares = new Array(chart.counts.length);
      // Heights are roots, in 255 steps.
      for (let i = 0; i < shares.length; i++) shares[i] = (heights[i * PLACES + place] / 255) ** 2;
      drawBars(shares);
    },
    update: (bound, counts, stacks) => {
      drawBars(counts.map((n) => n / top));
      if (looks.paint === "source" && stacks) {
        drawKept("");
        stack.replaceChildren(...makeStack(chart.edges, counts, stacks, top));
      }
      quantile.checked = bound.quantile;
      drawHandles(bound);
      card.classList.toggle("wb-active", bound.low.place !== null || bound.high.place !== null);
    },
  };
}

function fillCategories(card, head, chart, bench, send) {
  const top = Math.max(1, ...chart.counts);
  const rows = chart.labels.map((label, i) => {
    const isOther = label === "other" && i === chart.labels.length - 1;
    const box = h("input", { type: "checkbox", class: "wb-category", "data-score": chart.score, "data-label": label, checked: true,
      "data-key": `label:${chart.score}:${label}`, disabled: isOther,
      onchange: (event) => send({ type: "category", score: chart.score, label, on: event.target.checked }) });
    const all = h("span", { class: "wb-bar wb-bar-dropped" }), kept = h("span", { class: "wb-bar wb-bar-kept" });
    all.style.width = `${(100 * chart.counts[i]) / top}%`;
    const number = h("span", { class: "wb-number" });
    const row = h("label", { class: "wb-category-row" }, box, h("span", { class: "wb-category-name" }, label), h("span", { class: "wb-track" }, all, kept), number);
    return { row, box, kept, number, label };
  });
  card.classList.add("wb-card-category");
  card.append(head, h("div", { class: "wb-categories" }, rows.map((r) => r.row)));
  return {
    drawHandles: () => {},
    drawHeights: (heights, place) => rows.forEach((r, i) => {
      r.kept.style.width = looks.paint === "grey" ? "0" : `${100 * (heights[i * PLACES + place] / 255) ** 2}%`;
      r.number.textContent = "";
    }),
    update: (bound, counts) => {
      rows.forEach((r, i) => {
        r.box.checked = bound.labels === null || bound.labels.includes(r.label);
        r.kept.style.width = looks.paint === "grey" ? "0" : `${(100 * counts[i]) / top}%`;
        r.number.textContent = `${count(counts[i])} / ${count(chart.counts[i])}`;
      });
      card.classList.toggle("wb-active", bound.labels !== null);
    },
  };
}
