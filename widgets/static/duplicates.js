// The Duplicates tab: a curve to click on, and one pair of documents side by side. All texts are hostile, and set as text.

const W = 900, H = 240, L = 48, R = 14, T = 10, B = 34;

function render({ model, el }) {
  el.classList.add("wb-view", "wb-duplicates");
  const top = h("div", { class: "wb-form-row" });
  const about = h("p", { class: "wb-note" });
  const hint = h("p", { class: "wb-hint" });
  const ask = h("p");
  const plot = h("div", { class: "wb-copies-plot", role: "slider", tabIndex: 0, "aria-valuemin": 0, "aria-valuemax": 1, "data-key": "plot" });
  const legend = h("p", { class: "wb-note" });
  const line = h("div", { class: "wb-form-row wb-copies-now" });
  const pairs = h("div");
  el.append(top, about, hint, ask, plot, legend, line, pairs);
  const x = (place) => L + place * (W - L - R);
  const y = (share) => T + (1 - share) * (H - T - B);
  let stop = null;
  const held = makeUnanswered(model, () => stop.again());

  const placeOf = (event) => {
    const box = plot.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width * W - L) / (W - L - R);
    return Math.round(Math.min(1, Math.max(0, share)) * (model.get("state").places || 1000));
  };
  const put = (place) => held.send("place", place, { type: "place", place });
  plot.addEventListener("click", (event) => put(placeOf(event)));
  plot.addEventListener("pointermove", (event) => {
    const state = model.get("state"), hover = plot.querySelector(".wb-copies-hover");
    if (!hover) return;
    const place = placeOf(event) / state.places;
    hover.setAttribute("x1", x(place));
    hover.setAttribute("x2", x(place));
    hover.setAttribute("visibility", "visible");
  });
  plot.addEventListener("pointerleave", () => { const hover = plot.querySelector(".wb-copies-hover"); if (hover) hover.setAttribute("visibility", "hidden"); });
  plot.addEventListener("keydown", (event) => {
    const state = model.get("state");
    const at = held.shown("place", Math.round(state.place * state.places));
    const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - 50, PageUp: at + 50, Home: 0, End: state.places }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    put(Math.min(state.places, Math.max(0, to)));
  });

  const label = (left, high, anchor, words) => {
    const node = svg("text", { x: left, y: high, "text-anchor": anchor });
    node.textContent = words;
    return node;
  };
  const polyline = (points, name) => svg("polyline", { class: name, points: points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ") });

  const drawPlot = (state) => {
    const share = state.documents ? state.kept / state.documents : 1;
    const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, "aria-hidden": "true" });
    for (const part of [0, 0.25, 0.5, 0.75, 1]) root.append(svg("line", { class: "wb-copies-grid", x1: x(0), x2: x(1), y1: y(part), y2: y(part) }), label(L - 6, y(part) + 4, "end", `${100 * part} %`));
    for (const [place, text] of state.ticks) root.append(svg("line", { class: "wb-copies-grid", x1: x(place), x2: x(place), y1: y(0), y2: y(0) + 4 }), label(x(place), y(0) + 16, "middle", text));
    root.append(label(x(0.5), H - 2, "middle", state.param),
      polyline(state.chances, "wb-copies-chance"), polyline(state.curve, "wb-copies-line"),
      svg("line", { class: "wb-copies-hover", x1: 0, x2: 0, y1: y(0), y2: y(1), visibility: "hidden" }),
      svg("line", { class: "wb-copies-cut", "data-set": String(state.step !== null), x1: x(state.place), x2: x(state.place), y1: y(0), y2: y(1) }),
      svg("circle", { class: "wb-copies-dot", cx: x(state.place), cy: y(share), r: 4.5 }));
    plot.replaceChildren(root);
    plot.setAttribute("aria-label", `${state.param}: ${percent(share)} of the documents are kept`);
    plot.setAttribute("aria-valuenow", state.value);
    plot.setAttribute("aria-valuetext", `${state.param} ${state.value}, ${plural(state.kept, "document")} of ${count(state.documents)} kept`);
    plot.dataset.kept = state.kept;
    plot.dataset.documents = state.documents;
    plot.dataset.set = String(state.step !== null);
    legend.replaceChildren(h("span", { class: "wb-copies-key" }, h("i"), "share of the documents that the step keeps; click, or use the arrow keys"),
      !state.chances.length ? "" : h("span", { class: "wb-copies-key" }, h("i", { class: "wb-copies-dashed" }), "share of the pairs of that similarity that share a band, and so are found at all"));
  };

  const drawNow = (state) => {
    const typed = h("input", { type: "text", inputmode: "decimal", class: "wb-copies-value wb-num", value: held.shown("value", String(state.value)), "data-key": "value", onkeydown: (event) => event.stopPropagation(),
      onchange: ({ target }) => held.send("value", target.value, { type: "value", value: target.value.trim() === "" || Number.isNaN(Number(target.value)) ? target.value : Number(target.value) }) });
    const where = state.step === null ? "Not in the recipe yet: a click on the curve, or a number here, adds the step at its end."
      : state.byShare !== null ? `Step ${state.step} keeps a share of ${state.byShare} now; a click sets ${state.param} in its place.` : `Step ${state.step} of the recipe.`;
    line.replaceChildren(labelled(state.param, typed),
      h("strong", {}, `${count(state.kept)} of ${plural(state.documents, "document")} that reach the step ${state.step === null ? "would be" : "are"} kept (${percent(state.documents ? state.kept / state.documents : 1, 2)})`),
      h("span", { class: "wb-note" }, where, " A corpus has more near-copies than its sample."));
  };

  const show = (side, pair) => model.send({ type: "pair", side, pair });
  const drawDocument = (one, title) => h("article", { class: "wb-copies-document", "data-row": one.row },
    h("header", {}, h("span", { class: "wb-note" }, title), h("span", { class: "wb-copies-source" }, one.source), h("span", { class: "wb-copies-id" }, one.id),
      h("span", { class: "wb-note" }, `${plural(one.chars, "character")}${one.tokens === null ? "" : `, ${plural(one.tokens, "token")}`}`),
      h("span", { class: "wb-copies-verdict", "data-kept": String(one.kept) }, one.kept ? "kept" : "dropped")),
    h("div", { class: "wb-copies-text", tabIndex: 0, dir: "auto", "aria-label": `Text of ${title}` }, one.spans.map(([kind, text]) =>
      h(kind === "only" ? "mark" : "span", { class: `wb-diff-${kind}` }, text))));

  const drawPairs = (state) => {
    const chip = (side, words) => button(`${words} (${count(state.counts[side])})`, { class: "wb-chip wb-copies-side", "data-side": side, "data-key": `side:${side}`,
      "aria-pressed": String(state.side === side), disabled: !state.counts[side] }, () => show(side, 0));
    const s = state.shown;
    const n = state.counts[state.side];
    pairs.replaceChildren(
      h("div", { class: "wb-form-row wb-copies-head" }, h("h3", {}, "Pairs from the cut outward"),
        h("span", { class: "wb-segments", role: "group", "aria-label": "Side of the cut" }, chip("above", "copies, just above the cut"), chip("below", "no copies, just below")),
        s ? [button("Previous", { class: "wb-copies-previous", "data-key": "previous", disabled: state.pair === 0 }, () => show(state.side, state.pair - 1)),
          h("span", { class: "wb-num" }, `${count(state.pair + 1)} of ${count(n)}`),
          button("Next", { class: "wb-copies-next", "data-key": "next", disabled: state.pair + 1 >= n }, () => show(state.side, state.pair + 1)),
          h("strong", { class: "wb-copies-similarity", "data-similarity": s.similarity }, `similarity ${s.similarity.toFixed(4)}`),
          h("span", { class: "wb-note" }, `${plural(s.sameWords, "word")} in common, in order; what only one has is marked${s.isWhole ? "" : ". Long texts: only their beginnings are compared and shown"}`)] : null),
      s ? h("div", { class: "wb-copies-sides" }, drawDocument(s.documents[0], state.method === "semdedup" ? "comes first" : "one"), drawDocument(s.documents[1], state.method === "semdedup" ? "held against it" : "other"))
        : h("p", { class: "wb-hint" }, "No document has a near-copy here."));
  };

  const draw = () => {
    const state = model.get("state");
    if (!state.methods) return;
    top.replaceChildren(h("span", { class: "wb-segments", role: "group", "aria-label": "Method" }, state.methods.map(([name, title]) => button(title,
      { class: "wb-chip wb-copies-method", "data-method": name, "data-key": `method:${name}`, "aria-pressed": String(state.method === name) }, () => { held.forget(); model.send({ type: "method", method: name }); }))));
    about.textContent = state.about;
    hint.textContent = state.hint;
    hint.hidden = !state.hint;
    ask.hidden = !state.ask;
    ask.replaceChildren(state.ask ? button(state.ask, { class: "wb-primary wb-copies-compute", "data-key": "compute" }, () => model.send({ type: "compute" })) : "");
    plot.hidden = legend.hidden = line.hidden = pairs.hidden = !state.curve;
    if (!state.curve) return;
    drawPlot(state);
    drawNow(state);
    drawPairs(state);
  };
  stop = drawOn(model, el, ["state"], draw);
  return () => { held.close(); stop(); };
}

export default { render };
