// The Votes tab: draw documents, vote on one after the other by keyboard, then read what the votes say.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-ballot");
  const hint = h("p", { class: "wb-hint" });
  const form = h("div", { class: "wb-form-row wb-ballot-form" });
  const problem = h("p", { class: "wb-ballot-problem", role: "status" });
  const design = h("p", { class: "wb-note wb-design" });
  const done = h("span", { class: "wb-votes-done", role: "status" });
  const bar = h("div", { class: "wb-votes-bar" }, h("div"));
  const text = h("pre", { class: "wb-text wb-ballot-text", dir: "auto", tabIndex: 0, "aria-label": "Document to vote on" });
  const more = button("", { class: "wb-more" }, () => model.send({ type: "more", offset: Number(text.dataset.chars) }));
  const KEYS = { k: "keep", d: "drop", s: "skip" };
  const vote = (what) => {
    const { at } = model.get("state");
    if (at === null || at === undefined || sent === at) return;
    sent = at;
    model.send({ type: "vote", vote: what, at });
    focus();
  };
  const undo = () => { sent = null; model.send({ type: "undo" }); focus(); };
  const buttons = h("div", { class: "wb-form-row wb-vote-buttons" },
    ["keep", "drop", "skip"].map((what) => button([what, h("kbd", {}, what[0])], { class: `wb-vote wb-vote-${what}`, "data-vote": what }, () => vote(what))),
    button(["undo", h("kbd", {}, "u")], { class: "wb-vote wb-vote-undo" }, undo), h("span", { class: "wb-gap" }), done);
  // The attribute tells JupyterLab that keys here are none of its shortcuts: "d d" would delete the cell.
  const panel = h("section", { class: "wb-ballot-panel", tabIndex: 0, "aria-label": "Vote: k keeps, d drops, s skips, u undoes", "data-lm-suppress-shortcuts": "true",
    onkeydown: (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.toLowerCase();
      if (!(key in KEYS) && key !== "u") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.repeat) return;
      if (key === "u") undo(); else vote(KEYS[key]);
    } }, bar, buttons, text, more);
  const reveal = h("div", { class: "wb-form-row" });
  const result = h("div", { class: "wb-result" });
  el.append(hint, form, problem, design, panel, reveal, result);
  let sent = null, shown = null, kind = "halves", isNew = false;

  const focus = () => panel.focus({ preventScroll: true });

  const quiet = { onkeydown: (event) => event.stopPropagation() };
  const drawForm = (state) => {
    const old = Object.fromEntries([...form.querySelectorAll("[data-field]")].map((node) => [node.dataset.field, node.value]));
    const n = h("input", { type: "number", class: "wb-draw-n", "data-field": "n", "data-key": "n", min: 1, max: state.most, value: old.n ?? 40, ...quiet });
    const score = dropdown(state.near.map((s) => [s, s]), state.near.includes(old.score) ? old.score : state.near[0], { class: "wb-draw-score", "data-field": "score", "data-key": "score" }, () => {});
    const share = h("input", { type: "number", class: "wb-draw-share", "data-field": "share", "data-key": "share", min: 1, max: 100, step: 1, value: old.share ?? 10, ...quiet });
    const go = () => {
      sent = shown = null;
      isNew = true;
      model.send({ type: "draw", kind, n: Number(n.value), score: kind === "near" ? score.value || null : null, share: kind === "near" ? Number(share.value) / 100 : null });
    };
    form.replaceChildren(...[
      labelled("documents", n),
      labelled("drawn", dropdown(state.kinds, kind, { class: "wb-draw-kind", "data-field": "kind", "data-key": "kind" }, (value) => { kind = value; drawForm(model.get("state")); })),
      ...(kind !== "near" ? [] : state.near.length ? [labelled("cut of", score), labelled("nearest %", share)] : [h("span", { class: "wb-note" }, "No score has a threshold; set one on the Scores tab.")]),
      button(state.design ? "Draw others" : "Draw", { class: "wb-primary wb-draw-votes", "data-key": "go", disabled: kind === "near" && !state.near.length }, go),
      state.design ? button("Download votes", { class: "wb-votes-file", "data-key": "file" }, () => model.send({ type: "file" })) : null].filter(Boolean));
  };

  const drawDocument = (state) => {
    panel.hidden = !state.design;
    const total = state.n, at = state.at ?? total;
    done.textContent = `${count(at)} of ${plural(total, "document")}${state.skipped ? `, ${count(state.skipped)} skipped` : ""}`;
    done.dataset.done = at;
    done.dataset.n = total;
    bar.firstChild.style.width = `${total ? 100 * at / total : 0}%`;
    for (const node of buttons.querySelectorAll("[data-vote]")) node.disabled = !state.document;
    text.hidden = !state.document;
    if (!state.document) { more.hidden = true; shown = null; return; }
    const key = `${state.design} ${state.at}`;
    if (shown === key) return;
    shown = key;
    sent = null;
    text.textContent = state.document.text;
    text.dataset.at = state.at;
    text.scrollTop = 0;
    label([...state.document.text].length);
    // Later, since after a drawing the focus goes back to where it was, which is the button.
    if (isNew) queueMicrotask(focus);
    isNew = false;
  };
  const label = (have) => {
    const { total } = model.get("state").document;
    text.dataset.chars = have;
    more.hidden = have >= total;
    more.textContent = `more (${count(have)} of ${plural(total, "character")} shown)`;
  };

  const share = (p, digits = 1) => p.value === null ? "not known yet" : percent(p.value, digits);
  const line = (name, title, about, p, of) => h("tr", { class: `wb-${name}`, "data-value": p.value, "data-low": p.low, "data-high": p.high },
    h("th", { scope: "row" }, title), h("td", { class: "wb-num" }, share(p)),
    h("td", { class: "wb-num" }, p.value === null ? "–" : `${percent(p.low)} – ${percent(p.high)}`), h("td", { class: "wb-note" }, about, of));
  const drawResult = (state) => {
    const isOver = state.at === null;
    reveal.hidden = !state.design || isOver || state.n === 0;
    reveal.replaceChildren(button(state.result ? "Hide the result" : "Show the result so far", { class: "wb-link wb-reveal", "data-key": "reveal" },
      () => { model.send({ type: "result", on: !state.result }); focus(); }),
    h("span", { class: "wb-note" }, "Knowing it may sway the votes that follow."));
    const r = state.result;
    if (!r) { result.replaceChildren(isOver && state.design && !state.problem ? h("p", { class: "wb-hint" }, "No document has a vote to keep or drop.") : ""); return; }
    const votes = ([good, n]) => ` ${count(good)} of ${plural(n, "vote")} to keep.`;
    result.replaceChildren(
      h("h3", {}, "What the votes say about the cut"),
      r.moved ? h("p", { class: "wb-note wb-moved" }, "The recipe has changed since the documents were drawn: the same votes, held against the cut as it stands.") : "",
      h("table", { class: "wb-table" }, h("thead", {}, h("tr", {}, ["", "estimate", "95 % interval", ""].map((t, i) => h("th", { scope: "col", class: i && i < 3 ? "wb-num" : null }, t)))),
        h("tbody", {}, line("precision", "precision", "of what is kept, the share worth keeping.", r.precision, votes(r.kept)),
          line("recall", "recall", "of what is worth keeping, the share that is kept.", r.recall, ""),
          line("dropped-good", "lost", "of what is dropped, the share worth keeping.", r.droppedGood, votes(r.dropped)))),
      h("p", { class: "wb-note" }, `Weighted back to the corpus${r.near ? ", and told of the documents near the cut alone" : ""}: a vote counts for the documents that it was drawn from. The manifest takes this along as evidence.`),
      h("h3", {}, `Where you and the cut disagree (${count(r.nWrong)})`),
      r.wrong.length ? h("ul", { class: "wb-wrong" }, r.wrong.map((w) => h("li", { class: "wb-wrong-row", "data-row": w.row, "data-kept": String(w.kept) },
        button("read", { class: "wb-link wb-read", "data-key": `read:${w.row}` }, () => model.send({ type: "read", row: w.row })),
        h("strong", {}, w.kept ? "kept, you drop it" : "dropped, you keep it"), h("span", { class: "wb-row-source" }, w.source),
        h("span", { class: "wb-row-line", dir: "auto" }, w.line || "(blank)"), w.why ? h("span", { class: "wb-note wb-why" }, w.why) : null)))
        : h("p", { class: "wb-note" }, "Nowhere."));
  };

  const draw = () => {
    const state = model.get("state");
    hint.textContent = state.hint || "";
    hint.hidden = !state.hint;
    for (const node of [form, design, panel, reveal, result]) node.hidden = !state.kinds;
    problem.hidden = !state.problem;
    if (!state.kinds) return;
    problem.textContent = state.problem;
    design.textContent = state.design || "Documents are shown without their scores, their source and what the cut does to them. Votes stay when the recipe changes.";
    drawForm(state);
    drawDocument(state);
    drawResult(state);
  };
  const receive = (content) => {
    if (!content) return;
    if (content.type === "more" && content.at === Number(text.dataset.at) && content.offset === Number(text.dataset.chars)) {
      text.append(content.text);
      label(content.offset + [...content.text].length);
    }
    if (content.type === "file") {
      const url = URL.createObjectURL(new Blob([content.text], { type: "application/json" }));
      h("a", { href: url, download: content.name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    }
  };
  model.on("msg:custom", receive);
  const stop = drawOn(model, el, ["state"], draw);
  return () => { model.off("msg:custom", receive); stop(); };
}

export default { render };
