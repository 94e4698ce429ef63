// A handle on a histogram: pointer and keys become places, and one message when it is let go.

// One message is under way at a time, so that what a person does is done in order.
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
    timer = setTimeout(next, 5000);
    model.send({ ...content, ticket: pending });
  };
  const receive = (content) => { if (content && content.type === "done" && content.ticket === pending) next(); };
  model.on("msg:custom", receive);
  return {
    send: (content) => { if (pending) queue.push(content); else start(content); },
    isIdle: () => pending === null,
    gesture: () => `${client}:g${number++}`,
    close: () => { clearTimeout(timer); model.off("msg:custom", receive); },
  };
}

const COMMIT_MS = 350;

// Where the handle in hand stands: `mover.at` is {score, side, place} from the first move until Python has answered for
// it, else null. `bench` has the cubes, the line, `bound(score)` and `draw()`.
function makeMover(bench) {
  const mover = { at: null };
  let gesture = null, timer = 0, keys = null, waiting = 0;
  const endOf = (side) => (side === "low" ? 0 : PLACES - 1);
  const boundPlace = (score, side) => {
    const { place } = bench.bound(score)[side];
    return place === null ? endOf(side) : Math.round(place * (PLACES - 1));
  };
  const isAt = (score, side) => mover.at && mover.at.score === score && mover.at.side === side;
  // The other handle is as far as this one goes.
  const limited = (score, side, place) => {
    const other = bench.bound(score)[side === "low" ? "high" : "low"].place;
    if (other === null) return place;
    return side === "low" ? Math.min(place, Math.ceil(other * (PLACES - 1))) : Math.max(place, Math.floor(other * (PLACES - 1)));
  };
  mover.near = (score, side) => bench.cubes.ask(score, side, bench.visible());
  mover.grab = (score, side) => {
    if (!isAt(score, side)) mover.commit();
    mover.near(score, side);
    gesture = bench.line.gesture();
  };
  mover.move = (score, side, place) => {
    mover.at = { score, side, place: limited(score, side, place) };
    bench.draw();
  };
  mover.drop = (score, side) => {
    if (isAt(score, side)) mover.commit();
  };
  // Send where the handle was let go; it stays there until Python has answered.
  mover.commit = () => {
    clearTimeout(timer);
    const at = mover.at;
    if (!at || at.sent) return;
    if (at.place === boundPlace(at.score, at.side)) mover.at = null;
    else {
      at.sent = true;
      bench.line.send({ type: "drag", score: at.score, side: at.side, place: at.place, gesture: gesture || keys || bench.line.gesture() });
    }
    gesture = keys = null;
    bench.draw();
  };
  mover.answered = () => { if (mover.at && mover.at.sent) mover.at = null; };
  mover.step = (score, side, steps) => {
    if (mover.at && !isAt(score, side)) mover.commit();
    waiting += steps;
    mover.near(score, side);
    takeSteps(score, side);
  };
  mover.jump = (score, side, place) => {
    mover.move(score, side, place);
    later();
  };
  const later = () => {
    keys = keys || bench.line.gesture();
    clearTimeout(timer);
    timer = setTimeout(mover.commit, COMMIT_MS);
  };
  const takeSteps = (score, side) => {
    const cube = bench.cubes.get(score, side);
    if (!cube || !waiting) return;
    const from = isAt(score, side) ? mover.at.place : boundPlace(score, side);
    const given = bench.bound(score)[side].value;
    const now = isAt(score, side) ? cube.cuts[from] : given === null ? cube.cuts[from] : given;
    const toward = Math.sign(waiting);
    let place = Math.min(PLACES - 1, Math.max(0, from + waiting));
    waiting = 0;
    // At least one round value on.
    while (place > 0 && place < PLACES - 1 && cube.cuts[place] === now) place += toward;
    mover.jump(score, side, place);
  };
  // Keys that were pressed before the cube came.
  mover.ready = (score, side) => takeSteps(score, side);
  mover.forget = () => { waiting = 0; };
  return mover;
}

function makeHandle(chart, side, bench, plot) {
  const { score } = chart;
  const mover = bench.mover;
  const label = h("span");
  const node = h("div", {
    class: `wb-handle wb-handle-${side}`, role: "slider", tabIndex: 0, "data-side": side, "data-score": score,
    "data-key": `handle:${score}:${side}`, "aria-label": `${score}, ${side === "low" ? "lower" : "upper"} threshold`,
    "aria-valuemin": 0, "aria-valuemax": PLACES - 1, "aria-orientation": "horizontal",
    title: "Drag, or use the arrow keys; double click, Escape or x opens this side",
  }, h("span", { class: "wb-handle-value" }, label));
  const open = () => bench.line.send({ type: "open", score, side });
  const placeOf = (event) => {
    const box = plot.getBoundingClientRect();
    return Math.min(PLACES - 1, Math.max(0, Math.round(((PLACES - 1) * (event.clientX - box.left)) / (box.width || 1))));
  };
  let isDown = false;
  node.addEventListener("pointerenter", () => mover.near(score, side));
  node.addEventListener("focus", () => mover.near(score, side));
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    node.focus({ preventScroll: true });
    isDown = true;
    mover.grab(score, side);
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => {
    if (!isDown) return;
    put(node, "data-dragging", "true");
    mover.move(score, side, placeOf(event));
  });
  const end = () => {
    if (!isDown) return;
    isDown = false;
    delete node.dataset.dragging;
    mover.drop(score, side);
  };
  node.addEventListener("pointerup", end);
  node.addEventListener("pointercancel", end);
  node.addEventListener("dblclick", open);
  node.addEventListener("blur", () => { mover.forget(); if (!isDown) mover.commit(); });
  node.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -50, PageUp: 50 }[event.key];
    const isEnd = event.key === "Home" || event.key === "End";
    if (steps === undefined && !isEnd && event.key !== "Escape" && event.key !== "x") return;
    event.preventDefault();
    // JupyterLab would move between cells on the same keys.
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "x") return open();
    if (isEnd) return mover.jump(score, side, event.key === "Home" ? 0 : PLACES - 1);
    mover.step(score, side, event.shiftKey ? 10 * steps : steps);
  });
  // `place` is 0..1 or null for open; `text` the cut in short.
  let drawnAt = null, width = 0;
  // Moved by a transform: for another left side the page would be laid out anew at each step.
  const stand = () => { node.style.transform = `translateX(${(drawnAt * width).toFixed(1)}px)`; };
  const resize = (to) => {
    width = to;
    stand();
  };
  const update = ({ place, text, share }) => {
    const at = place === null ? (side === "low" ? 0 : 1) : place;
    if (at !== drawnAt) {
      node.classList.toggle("wb-flip", side === "low" ? at > 0.75 : at > 0.25);
      drawnAt = at;
      stand();
    }
    if (node.classList.contains("wb-open") !== (place === null)) node.classList.toggle("wb-open");
    put(node, "aria-valuenow", Math.round((PLACES - 1) * at));
    put(node, "aria-valuetext", share === null ? text : `${text}, quantile ${share.toFixed(3)}`);
    write(label, text);
    return at;
  };
  return { node, update, resize };
}
