// The Budget tab: what is asked for, which handle or mix of scores may move, and what the solution would keep.
// What is typed is kept here until Solve sends all of it; Python checks it and answers with a solution to look at.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-budget");
  const hint = h("p", { class: "wb-hint" });
  const form = h("div", { class: "wb-budget-form" });
  const note = h("p", { class: "wb-note wb-budget-note", role: "status" });
  const result = h("div", { role: "status", "aria-live": "polite" });
  el.append(hint, form, note, result);
  let typed = null, version = 0, stop = null;

  const set = (changes) => { Object.assign(typed, changes); stop.again(); };
  const quiet = (changes) => Object.assign(typed, changes);
  const ruleOf = (name) => typed.rules[name] || { floor: 0, cap: 1, repeat: 1 };
  const numberOf = (text, scale) => (text.trim() === "" ? NaN : Number(text.replace(",", "."))) / scale;

  const solve = () => {
    const rules = Object.entries(typed.rules)
      .filter(([, rule]) => rule.floor !== 0 || rule.cap !== 1 || rule.repeat !== 1)
      .map(([source, rule]) => ({ source, ...rule }));
    // What comes back with the next version was sent from here, and may have been edited further by then.
    version = model.get("state").version + 1;
    model.send({ type: "solve", ...typed, rules: typed.how === "mix" ? rules : [] });
  };

  const number = (value, label, attributes, change) => h("input", { type: "text", inputmode: "decimal", class: "wb-budget-small wb-num",
    value: String(value), "aria-label": label, ...attributes, oninput: (event) => change(event.target.value), onkeydown: (event) => {
      event.stopPropagation();
      if (event.key === "Enter") solve();
    } });

  const drawAmount = (state) => {
    const total = (state.totals[typed.unit] || {})[typed.of];
    return h("div", { class: "wb-form-row" },
      labelled("keep", h("input", { type: "text", class: "wb-budget-amount", value: typed.amount, maxlength: 40, "data-key": "amount", placeholder: "30 B, 1,500, 25 %",
        oninput: (event) => quiet({ amount: event.target.value }), onkeydown: (event) => { event.stopPropagation(); if (event.key === "Enter") solve(); } })),
      dropdown([["tokens", "tokens"], ["documents", "documents"]], typed.unit, { class: "wb-budget-unit", "aria-label": "what is counted", "data-key": "unit" }, (unit) => set({ unit })),
      labelled("of the", dropdown([["sample", "sample"], ["corpus", "corpus (extrapolated)"]], typed.of, { class: "wb-budget-of", "data-key": "of" }, (of) => set({ of }))),
      h("span", { class: "wb-note" }, total === undefined ? "tokens aren't counted; compute n_tokens on the Load tab" : `which has ${count(Math.round(total))} ${typed.unit} in all`));
  };

  const drawHandle = (state) => h("div", { class: "wb-form-row" },
    labelled("the threshold on", dropdown(state.scores.map((s) => [s, s]), typed.score, { class: "wb-budget-score", "data-key": "score" }, (score) => quiet({ score }))),
    labelled("which side", dropdown([["low", "low: keep what lies above"], ["high", "high: keep what lies below"]], typed.side,
      { class: "wb-budget-side", "data-key": "side" }, (side) => quiet({ side }))));

  const tick = (name, on) => {
    const at = typed.scores.indexOf(name);
    const scores = on ? [...typed.scores, name] : typed.scores.filter((s) => s !== name);
    const weights = on ? [...typed.weights, 1] : typed.weights.filter((_, i) => i !== at);
    set({ scores, weights });
  };

  const drawMix = (state) => [
    h("div", { class: "wb-budget-mix", role: "group", "aria-label": "Scores of the mix" }, state.scores.map((name) => {
      const at = typed.scores.indexOf(name);
      return h("span", { class: "wb-check" },
        h("label", { class: "wb-check" }, h("input", { type: "checkbox", class: "wb-budget-tick", "data-score": name, "data-key": `tick:${name}`, checked: at >= 0,
          onchange: (event) => tick(name, event.target.checked) }), h("code", {}, name)),
        at < 0 ? null : number(typed.weights[at], `weight of ${name}, below 0 where low is better`, { "data-key": `weight:${name}`, title: "weight; below 0 where low is better" },
          (text) => { typed.weights[at] = numberOf(text, 1); }));
    })),
    h("p", { class: "wb-note" }, typed.scores.length ? "The best by the weighted average of their ranks; a weight below 0 is for a score where low is better." : "No score is ticked: documents are taken in a random order."),
    h("div", { class: "wb-form-row" },
      labelled("cut", dropdown([["top", "hard: the best"], ["gumbel", "soft: a draw (Gumbel top-k)"]], typed.draw, { class: "wb-budget-draw", "data-key": "draw" }, (draw) => set({ draw }))),
      typed.draw === "gumbel" ? labelled("temperature", number(typed.temperature, "temperature", { "data-key": "temperature", title: "near 0 it is the hard cut, at 10 nearly random" },
        (text) => quiet({ temperature: numberOf(text, 1) }))) : null,
      labelled("fill", dropdown([["best", "with the best of all sources"], ["proportional", "in proportion to the sources"]], typed.fill, { class: "wb-budget-fill", "data-key": "fill" }, (fill) => quiet({ fill })))),
    h("details", { class: "wb-budget-more", open: typed.open, ontoggle: (event) => { typed.open = event.target.open; } },
      h("summary", {}, "Floors, caps and repeats by source"),
      h("div", { class: "wb-budget-rules" }, h("table", {},
        h("thead", {}, h("tr", {}, ["source", "at least, %", "at most, %", "repeat"].map((t, i) => h("th", { class: i ? "wb-num" : null }, t)))),
        h("tbody", {}, state.sources.map((name) => h("tr", {},
          h("td", {}, h("span", { class: "wb-dot", color: state.colors[name] }), name),
          [["floor", 100, "least share in percent"], ["cap", 100, "largest share in percent"], ["repeat", 1, "repeat weight"]].map(([key, scale, label]) =>
            h("td", { class: "wb-num" }, number(Number((ruleOf(name)[key] * scale).toPrecision(12)), `${label} of ${name}`,
              { "data-key": `${key}:${name}`, "data-rule": key, "data-source": name },
              (text) => { typed.rules[name] = { ...ruleOf(name), [key]: numberOf(text, scale) }; }))))))),
        state.moreSources ? h("p", { class: "wb-note" }, `${plural(state.moreSources, "smaller source")} without a line here; the Recipe tab takes rules for any.`) : null)),
  ];

  const drawForm = (state) => {
    const chip = (how, label) => button(label, { class: "wb-chip wb-budget-how", "data-how": how, "data-key": `how:${how}`, "aria-pressed": String(typed.how === how) }, () => set({ how }));
    form.replaceChildren(h("fieldset", { class: "wb-box" }, h("legend", {}, "Budget"),
      drawAmount(state),
      h("div", { class: "wb-form-row" }, h("span", { class: "wb-field-label" }, "by moving"), chip("handle", "one threshold"), chip("mix", "the cut of a mix of scores")),
      typed.how === "handle" ? drawHandle(state) : drawMix(state),
      h("div", { class: "wb-form-row" }, button("Solve", { class: "wb-primary wb-budget-solve", "data-key": "solve", disabled: state.isSolving }, solve),
        h("span", { class: "wb-note" }, state.isSolving ? "solving …" : "shows what would be kept; nothing changes until it is applied"))));
  };

  const drawResult = (state) => {
    const s = state.solution;
    if (!s) { result.replaceChildren(); return; }
    const whole = (x) => count(Math.round(x));
    const bar = (share, before, color) => {
      const after = h("span"), mark = h("i");
      after.style.width = `${100 * share}%`;
      mark.style.left = `${100 * before}%`;
      return h("div", { class: "wb-budget-bar", color, role: "img", "aria-label": `${percent(share)} of what is kept, ${percent(before)} of all` }, after, mark);
    };
    const hasRepeats = s.bySource.some((row) => row[5] !== 1);
    const hasRules = s.bySource.some((row) => row[3] !== 0 || row[4] !== 1 || row[5] !== 1);
    result.replaceChildren(h("fieldset", { class: "wb-box wb-budget-solution", "data-met": String(s.isMet), "data-kept": s.kept, "data-reached": s.reached },
      h("legend", {}, "Solution"),
      s.sentences.map((sentence) => h("p", { class: "wb-budget-sentence" }, sentence)),
      h("p", { class: "wb-note wb-budget-step" }, `It ${s.step}. Kept documents: ${count(s.now)} now, ${count(s.kept)} then.`),
      h("div", { class: "wb-budget-columns" },
        h("table", { class: "wb-budget-totals" },
          h("thead", {}, h("tr", {}, [hasRepeats ? "kept, repeats included" : "kept", "sample", "corpus", "95 % interval"].map((t, i) => h("th", { class: i ? "wb-num" : null }, t)))),
          h("tbody", {}, s.rows.map(([unit, sample, value, low, high]) => h("tr", {}, h("td", {}, unit),
            h("td", { class: "wb-num" }, whole(sample)), h("td", { class: "wb-num" }, whole(value)), h("td", { class: "wb-num" }, `${whole(low)} – ${whole(high)}`))))),
        h("table", { class: "wb-budget-sources" },
          h("thead", {}, h("tr", {}, ["source", "", "of what is kept", "of all", ...(hasRules ? ["floor", "cap", "repeat"] : [])].map((t, i) => h("th", { class: i > 1 ? "wb-num" : null }, t)))),
          h("tbody", {}, s.bySource.map(([name, before, after, floor, cap, repeat]) => h("tr", {},
            h("td", {}, h("span", { class: "wb-dot", color: state.colors[name] }), name), h("td", {}, bar(after, before, state.colors[name])),
            h("td", { class: "wb-num" }, percent(after)), h("td", { class: "wb-num" }, percent(before)),
            hasRules ? [floor ? percent(floor) : "", cap < 1 ? percent(cap) : "", repeat === 1 ? "" : `× ${repeat}`].map((t) => h("td", { class: "wb-num" }, t)) : null))))),
      s.isUpperBound ? h("p", { class: "wb-note" }, "A step looks for copies, of which a corpus has more than its sample: less than this will be kept.") : null,
      h("p", { class: "wb-note" }, "Bars: the share of what is kept; the line marks the share of all. Shares are weighted back to the corpus and count repeats."),
      h("div", { class: "wb-form-row" },
        button("Apply to the recipe", { class: "wb-primary wb-budget-apply", "data-key": "apply" }, () => model.send({ type: "apply" })),
        button("Discard", { class: "wb-budget-discard", "data-key": "discard" }, () => model.send({ type: "discard" })))));
  };

  const draw = () => {
    const state = model.get("state");
    hint.textContent = state.hint || "";
    hint.hidden = !state.hint;
    form.hidden = result.hidden = Boolean(state.hint) || !state.ask;
    note.textContent = state.note || "";
    note.hidden = !state.note;
    if (form.hidden) return;
    if (!typed || version < state.version) {
      version = state.version;
      // No prototype: a source may be called __proto__.
      typed = { ...state.ask, rules: Object.assign(Object.create(null), state.ask.rules), scores: [...state.ask.scores], weights: [...state.ask.weights], open: typed ? typed.open : false };
    }
    if (!state.scores.includes(typed.score)) typed.score = state.scores[0];
    drawForm(state);
    drawResult(state);
  };
  stop = drawOn(model, el, ["state"], draw);
  return stop;
}

export default { render };
