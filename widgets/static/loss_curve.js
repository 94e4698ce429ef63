// A training: its loss as it falls, a bar, and the buttons. Places come from Python as fractions of the plot.

const LEFT = 46, BOTTOM = 22, TOP = 8, RIGHT = 8, WIDTH = 640, HEIGHT = 240;

function render({ model, el }) {
  el.classList.add("wb-bench", "wb-view", "wb-loss-curve");
  const send = (type) => () => model.send({ type });
  const go = button("Train", { class: "wb-primary wb-train" }, send("train"));
  const stop = button("Stop", { class: "wb-stop" }, send("stop"));
  const what = h("span", { class: "wb-loss-note", "aria-live": "off" });
  const bar = h("progress", { class: "wb-loss-progress", max: 1, "aria-label": "Progress" });
  const plot = svg("svg", { class: "wb-loss-plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const legend = h("p", { class: "wb-loss-legend" });
  const message = h("p", { class: "wb-loss-message", role: "status" });
  el.append(h("div", { class: "wb-loss-head" }, go, stop, bar, what), message, plot, legend);

  const x = (place) => LEFT + place * (WIDTH - LEFT - RIGHT);
  const y = (place) => HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP);
  const label = (left, top, anchor, words) => {
    const node = svg("text", { x: left, y: top, "text-anchor": anchor });
    node.textContent = words;
    return node;
  };
  const line = (points, name) => svg("polyline",
    { class: `wb-loss-line wb-loss-${name}`, points: points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ") });

  const draw = () => {
    const state = model.get("state");
    const last = state.last;
    go.textContent = state.button || "Train";
    go.hidden = Boolean(state.busy || state.done);
    stop.hidden = !state.busy;
    what.textContent = state.note || "";
    message.textContent = state.message || "";
    message.hidden = !state.message;
    message.dataset.kind = state.kind || "info";
    plot.style.display = last ? "" : "none";
    legend.hidden = !last;
    if (!last) return;
    el.dataset.step = last.step;
    el.dataset.loss = last.loss;
    const words = `loss ${last.loss.toFixed(3)} at step ${count(last.step)}`
      + (last.heldout === null ? "" : `, held out ${last.heldout.toFixed(3)}`);
    plot.setAttribute("aria-label", words);
    plot.replaceChildren(
      ...state.ticks.flatMap(([place, text]) => [
        svg("line", { class: "wb-loss-grid", x1: x(0), x2: x(1), y1: y(place), y2: y(place) }), label(LEFT - 6, y(place) + 4, "end", text)]),
      label(x(0), HEIGHT - 6, "start", "0"), label(x(1), HEIGHT - 6, "end", `${count(state.steps)} steps`),
      line(state.trained, "trained"), line(state.heldout, "heldout"),
      ...state.heldout.map(([a, b]) => svg("circle", { class: "wb-loss-dot", cx: x(a), cy: y(b), r: 2.5 })));
    legend.replaceChildren(h("span", { class: "wb-loss-trained" }, "trained on"), " ", h("span", { class: "wb-loss-heldout" }, "held out"),
      ` (nats a token): ${words}`);
  };
  const drawProgress = () => {
    const p = model.get("progress") || {};
    bar.hidden = !p.what;
    if (!p.what) return;
    bar.value = p.fraction;
    bar.title = `${p.what} – ${percent(p.fraction, 0)}${p.note ? `, ${p.note}` : ""}`;
    what.textContent = [bar.title, model.get("state").note].filter(Boolean).join("; ");
  };
  model.on("change:progress", drawProgress);
  const end = drawOn(model, el, ["state"], () => { draw(); drawProgress(); });
  return () => { model.off("change:progress", drawProgress); end(); };
}

export default { render };
