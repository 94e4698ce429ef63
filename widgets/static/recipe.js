// The Recipe tab: a card a step, its form made from what Python says of the parameters, and the JSON.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-recipe");
  const quiet = { onkeydown: (event) => event.stopPropagation() };
  const steps = h("ol", { class: "wb-steps" });
  const bar = h("div", { class: "wb-form-row" });
  const json = h("textarea", { class: "wb-recipe-json", rows: 18, spellcheck: "false", "aria-label": "Recipe as JSON", "data-key": "json", ...quiet,
    oninput: () => { edited = true; discard.hidden = false; } });
  // What was edited stays until it is used or discarded, whatever else changes the recipe.
  let edited = false, asked = null;
  const showJson = () => { json.value = model.get("state").json; edited = false; asked = null; discard.hidden = true; };
  const discard = button("Discard the edit", { class: "wb-recipe-discard", hidden: true }, showJson);
  const path = h("input", { type: "text", class: "wb-recipe-path", value: "recipe.json", "aria-label": "Path of the recipe", "data-key": "path", ...quiet });
  el.append(h("div", { class: "wb-recipe-main" }, bar, steps),
    h("div", { class: "wb-recipe-side" }, h("h3", {}, "As JSON"), json,
      h("div", { class: "wb-form-row" },
        button("Use this JSON", { class: "wb-recipe-import" }, () => { asked = model.get("state").json; restep({ type: "import", json: json.value }); }), discard,
        button("Copy", { class: "wb-recipe-copy" }, () => { json.select(); navigator.clipboard?.writeText(json.value).catch(() => {}); })),
      h("div", { class: "wb-form-row" }, path,
        button("Save", { class: "wb-recipe-save" }, () => model.send({ type: "save", path: path.value })),
        button("Open", { class: "wb-recipe-open" }, () => restep({ type: "open", path: path.value })))));

  let stop = null, chosen = "";
  const line = makeUnanswered(model, () => stop.again());
  // Steps that come, go or change places take other numbers, by which the controls are known.
  const restep = (content) => { line.forget(); model.send(content); };
  const numberOrText = (text) => (text.trim() === "" ? null : Number.isNaN(Number(text)) ? text : Number(text));

  const control = (field, index, resolved) => {
    const key = `${index}:${field.name}`;
    const send = (value) => line.send(key, value, { type: "param", index, name: field.name, value });
    const now = line.shown(key, field.value);
    const common = { class: "wb-param", "data-step": index, "data-param": field.name, "data-key": key, title: field.help, ...quiet };
    if (field.kind === "choice") return dropdown(field.options.map((o) => [o, o]), now, common, send);
    if (field.kind === "flag") return h("input", { type: "checkbox", ...common, checked: Boolean(now), onchange: (e) => send(e.target.checked) });
    if (field.kind === "fraction") {
      const box = h("input", { type: "text", inputmode: "decimal", size: 6, ...common, value: now, onchange: (e) => send(numberOrText(e.target.value)) });
      const slider = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: now, class: "wb-param-slider", "data-key": `${key}:slider`,
        "aria-label": `${field.name}: slider`, title: field.help, ...quiet, oninput: (e) => { box.value = e.target.value; }, onchange: (e) => send(Number(e.target.value)) });
      return h("span", { class: "wb-threshold" }, slider, box);
    }
    if (field.kind === "names") {
      return h("input", { type: "text", ...common, value: (now || []).join(", "), size: 30,
        onchange: (e) => send(e.target.value.split(",").map((s) => s.trim()).filter(Boolean)) });
    }
    if (field.kind === "threshold") {
      const isQuantile = now !== null && typeof now === "object";
      const mode = now === null || now === undefined ? "open" : isQuantile ? "quantile" : "number";
      const value = mode === "open" ? "" : isQuantile ? now.quantile : now;
      const box = h("input", { type: "text", inputmode: "decimal", size: 10, ...common, value, placeholder: "open",
        onchange: (e) => { const v = numberOrText(e.target.value); send(v === null ? null : isQuantile ? { quantile: v } : v); } });
      const choose = dropdown([["open", "open"], ["number", "number"], ["quantile", "quantile"]], mode,
        { class: "wb-param-mode", "data-step": index, "data-param": field.name, "data-key": `${key}:mode`, "aria-label": `${field.name}: kind` },
        (to) => send(to === "open" ? null : to === "quantile" ? { quantile: field.name === "low" ? 0.05 : 0.95 } : resolved ?? 0));
      return h("span", { class: "wb-threshold" }, box, choose, resolved === undefined || line.holds(key) ? null : h("span", { class: "wb-note" }, `= ${Number(resolved.toPrecision(6))}`));
    }
    return h("input", { type: "text", size: field.kind === "text" ? 20 : 8, ...common, value: now ?? "",
      onchange: (e) => send(field.kind === "text" ? e.target.value : numberOrText(e.target.value)) });
  };

  const opened = new Set();  // by the selector's name, so that a redraw leaves open what was opened
  const about = (step) => step.about.length === 0 ? null : h("details", { class: "wb-step-about", open: opened.has(step.title),
    ontoggle: (e) => { if (e.target.open) opened.add(step.title); else opened.delete(step.title); } },
    h("summary", {}, "what it keeps and loses"), step.about.map((line) => h("p", {}, line)));

  const card = (step, i, n, total) => h("li", { class: "wb-step-card", "data-step": i },
    h("header", {}, h("strong", { class: "wb-step-name" }, step.name), h("span", { class: "wb-note" }, step.title), h("span", { class: "wb-gap" }),
      button("↑", { class: "wb-step-up", "data-key": `${i}:up`, "aria-label": "Move up", disabled: i === 0 }, () => restep({ type: "move", index: i, by: -1 })),
      button("↓", { class: "wb-step-down", "data-key": `${i}:down`, "aria-label": "Move down", disabled: i === n - 1 }, () => restep({ type: "move", index: i, by: 1 })),
      button("×", { class: "wb-step-remove", "data-key": `${i}:remove`, "aria-label": "Remove the step" }, () => restep({ type: "remove", index: i }))),
    h("div", { class: "wb-form-row" }, step.fields.map((field) => labelled(field.name, control(field, i, step.resolved[field.name])))),
    h("p", { class: "wb-step-drops", "data-dropped": step.documents },
      step.documents === null ? "not run yet" : ["drops ", h("strong", {}, plural(step.documents, "document")),
        total ? ` (${percent(step.documents / total)})` : "", step.tokens === null ? "" : `, ${plural(step.tokens, "token")}`,
        step.tracksCorpus ? h("span", { class: "wb-note" }, " – of a corpus it drops more than of its sample") : ""]),
    about(step));

  const draw = () => {
    const state = model.get("state");
    if (!state.steps) return;
    // A button of its own: on a closed list each arrow key is a choice.
    const add = button("Add", { class: "wb-step-add-button", "data-key": "add:button", disabled: !chosen }, () => { choice.focus(); restep({ type: "add", select: chosen }); chosen = ""; });
    const choice = dropdown([["", "add a step …"], ...state.selectors.map(([name, title]) => [name, `${name} – ${title}`])], chosen,
      { class: "wb-step-add", "aria-label": "Step to add", "data-key": "add" }, (select) => { chosen = select; add.disabled = !chosen; });
    const seed = h("input", { type: "number", min: 0, class: "wb-seed", value: line.shown("seed", state.seed), "data-key": "seed", ...quiet,
      onchange: (e) => line.send("seed", Number(e.target.value), { type: "seed", seed: Number(e.target.value) }) });
    bar.replaceChildren(choice, add, h("span", { class: "wb-gap" }), labelled("seed", seed));
    steps.replaceChildren(...state.steps.map((step, i) => card(step, i, state.steps.length, state.documents)));
    if (!state.steps.length) steps.replaceChildren(h("p", { class: "wb-hint" }, "No step yet: every document is kept. Add one here, or move a handle on the Scores tab."));
    if (!edited || (asked !== null && asked !== state.json)) showJson();
  };
  stop = drawOn(model, el, ["state"], draw);
  return () => { line.close(); stop(); };
}

export default { render };
