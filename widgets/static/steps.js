// The recipe's steps as rows: what each drops, its switch and place, and the chart of its score; and what can be added.

const FOUND = 12;

function amount(pair, total) {
  if (!pair) return "–";
  const [documents, tokens] = pair;
  return [h("strong", {}, count(documents)), total ? ` ${percent(documents / total)}` : "", tokens === null ? "" : h("span", { class: "wb-note" }, `${count(tokens)} tokens`)];
}

function makeSteps(model, bench) {
  const list = h("ol", { class: "wb-bsteps" });
  const send = (content) => bench.line.send(content);
  let shown = "";

  const makeRow = (step, index, n) => {
    const key = (what) => `step:${index}:${what}`;
    const on = h("input", { type: "checkbox", class: "wb-step-on", checked: !step.off, "data-key": key("on"), "aria-label": `${step.name}: on`,
      title: "Off: the step stays in the recipe and keeps everything", onchange: (event) => send({ type: "switch", index, on: event.target.checked }) });
    const numbers = h("div", { class: "wb-drops" });
    const slot = h("div", { class: "wb-bstep-chart" });
    const row = h("li", { class: "wb-bstep", "data-step": index, "data-off": step.off || null, "aria-label": step.name },
      h("header", {}, on, h("strong", { class: "wb-bstep-name", title: step.title }, step.name), h("span", { class: "wb-note wb-bstep-title" }, step.score ? "" : step.title), h("span", { class: "wb-gap" }),
        button("edit", { class: "wb-link", "data-key": key("edit"), "aria-label": `Edit ${step.name} on the Recipe tab` }, () => send({ type: "edit" })),
        button("↑", { class: "wb-bstep-up", "data-key": key("up"), "aria-label": `Move ${step.name} up`, disabled: index === 0 }, () => send({ type: "move", index, by: -1 })),
        button("↓", { class: "wb-bstep-down", "data-key": key("down"), "aria-label": `Move ${step.name} down`, disabled: index === n - 1 }, () => send({ type: "move", index, by: 1 })),
        button("×", { class: "wb-bstep-remove", "data-key": key("remove"), "aria-label": `Remove ${step.name}` }, () => send({ type: "remove", index }))),
      h("div", { class: "wb-bstep-body" }, slot, numbers));
    return { row, numbers, slot };
  };

  let rows = [];
  // Rows are built anew only where steps came, went or changed places; `place(score, slot)` puts a chart into its row.
  const build = (steps, place) => {
    const wanted = JSON.stringify(steps.map((step) => [step.name, step.score, step.off]));
    if (wanted === shown) return false;
    shown = wanted;
    rows = steps.map((step, i) => makeRow(step, i, steps.length));
    list.replaceChildren(...rows.map((r) => r.row));
    steps.forEach((step, i) => { if (step.score) place(step.score, rows[i].slot); else rows[i].slot.remove(); });
    return true;
  };
  const drawNumbers = (steps, total) => steps.forEach((step, i) => {
    const wait = !step.counted;
    const unknown = (index) => (total <= bench.countsUpTo ? "…"
      : button("count", { class: "wb-link", "data-key": `step:${index}:count`, title: "This runs the recipe again without the step" }, () => send({ type: "count", index })));
    const line = (label, title, value) => [h("span", { class: "wb-note", title }, label), h("span", { "data-what": label }, value)];
    rows[i].numbers.replaceChildren(...[
      line("alone", "What the step drops if it is the only one", wait ? unknown(i) : amount(step.alone, total)),
      line("in order", "What it drops of that which the steps before it left", amount(step.inOrder, total)),
      line("only by it", "What would be kept if just this step were taken out", wait ? "…" : amount(step.only, total)),
      step.fault ? [h("span", { class: "wb-note wb-drops-note" }, step.fault)] : [],
      step.tracksCorpus ? [h("span", { class: "wb-note wb-drops-note" }, "of a corpus more than of its sample")] : [],
    ].flat());
  });
  const waiting = () => (model.get("rows").steps || []).findIndex((step) => !step.counted);
  return { list, build, drawNumbers, waiting, forget: () => { shown = ""; } };
}

function makeAdd(model, bench) {
  const found = h("ul", { class: "wb-found", role: "listbox", "aria-label": "Steps that can be added" });
  const search = h("input", { type: "search", class: "wb-add-search", placeholder: "add a step: find a score or a method", "aria-label": "Add a step: find a score or a method", "data-key": "add" });
  const close = () => { search.value = ""; found.replaceChildren(); found.hidden = true; };
  const add = (entry) => {
    bench.line.send(entry.kind === "score" ? { type: "add", score: entry.name } : { type: "add", select: entry.name });
    close();
    search.focus();
  };
  const draw = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const entries = (model.get("state").catalogue || []).filter((entry) => words.every((word) => `${entry.name} ${entry.title} ${entry.family}`.toLowerCase().includes(word)));
    // What can be added comes before what can't.
    const sorted = [...entries.filter((entry) => !entry.lacks), ...entries.filter((entry) => entry.lacks)];
    found.replaceChildren(...sorted.slice(0, FOUND).map((entry) => h("li", { role: "option" },
      button([h("strong", {}, entry.name), h("span", { class: "wb-note" }, entry.lacks || entry.title)], { class: "wb-add", "data-name": entry.name, "data-kind": entry.kind, disabled: Boolean(entry.lacks) }, () => add(entry)))),
      ...(sorted.length > FOUND ? [h("li", { class: "wb-note" }, `and ${plural(sorted.length - FOUND, "further one")}: type more`)] : sorted.length ? [] : [h("li", { class: "wb-note" }, "nothing of that name")]));
    found.hidden = false;
  };
  search.addEventListener("input", draw);
  search.addEventListener("focus", draw);
  const node = h("div", { class: "wb-add-box" }, search, found);
  found.hidden = true;
  node.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const buttons = [...found.querySelectorAll("button:not(:disabled)")];
    const at = buttons.indexOf(event.target.closest("button"));
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const to = at + (event.key === "ArrowDown" ? 1 : -1);
      (to < 0 ? search : buttons[Math.min(to, buttons.length - 1)] || search).focus();
    }
  });
  node.addEventListener("focusout", (event) => { if (!node.contains(event.relatedTarget)) close(); });
  return node;
}
