// Beneath the head: the draft that is edited, and its history. A name is asked in the bar itself, since voila's pages and
// notebooks may both stop a dialog.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-draft-bar");
  const quiet = { onkeydown: (event) => event.stopPropagation() };
  const bar = h("div", { class: "wb-draft-row" });
  const ask = h("form", { class: "wb-draft-ask", hidden: true });
  const history = h("ol", { class: "wb-changes", hidden: true, "aria-label": "History of the recipe" });
  el.append(bar, ask, history);

  let stop = null;
  const line = makeUnanswered(model, () => stop.again());

  const close = () => { ask.hidden = true; ask.replaceChildren(); };
  const askName = (type, verb, value) => {
    const state = model.get("state");
    const name = h("input", { type: "text", class: "wb-draft-name", value, maxlength: state.maxName, "data-key": "draft-name", size: 30,
      onkeydown: (event) => { event.stopPropagation(); if (event.key === "Escape") close(); } });
    const send = (event) => { event.preventDefault(); model.send({ type, name: state.current, to: name.value }); close(); };
    ask.onsubmit = send;
    ask.replaceChildren(labelled(`${verb} ${state.current} as`, name), h("button", { type: "submit", class: "wb-draft-ok wb-primary" }, verb),
      button("Cancel", { class: "wb-draft-cancel" }, close));
    ask.hidden = false;
    name.focus();
    name.select();
  };

  const drawHistory = (state) => {
    history.hidden = !state.open;
    history.replaceChildren(...state.changes.map((words, i) => h("li", {},
      button(words, { class: "wb-change", "data-position": i, "data-key": `change:${i}`, "aria-current": i === state.position ? "true" : null,
        "data-undone": i > state.position ? "true" : null, title: i === state.position ? "Here the recipe stands" : "Go back to here" },
      () => model.send({ type: "jump", position: i })))).reverse());
  };

  const draw = () => {
    const state = model.get("state");
    if (!state.names) return;
    bar.replaceChildren(...[
      labelled("draft", dropdown(state.names.map((name) => [name, name]), line.shown("draft", state.current), { class: "wb-draft", "data-key": "draft", ...quiet },
        (name) => line.send("draft", name, { type: "switch", name }))),
      state.parent === null ? null : h("span", { class: "wb-note wb-draft-parent" }, `branched from ${state.parent}`),
      button("Branch", { class: "wb-draft-branch", "data-key": "branch", title: "Go on with this recipe under another name" }, () => askName("branch", "Branch", "")),
      button("Duplicate", { class: "wb-draft-duplicate", "data-key": "duplicate", title: "Copy this draft with its history" }, () => askName("duplicate", "Duplicate", "")),
      button("Rename", { class: "wb-draft-rename", "data-key": "rename" }, () => askName("rename", "Rename", state.current)),
      button("Delete", { class: "wb-draft-delete", "data-key": "delete", disabled: state.names.length < 2, title: "It can be brought back" },
        () => model.send({ type: "delete", name: state.current })),
      state.deleted === null ? null : button(`Bring ${state.deleted} back`, { class: "wb-draft-restore", "data-key": "restore" }, () => model.send({ type: "restore" })),
      h("span", { class: "wb-gap" }),
      h("span", { class: "wb-note wb-saved-note" }, state.note),
      button(state.open ? "History ▴" : "History ▾", { class: "wb-history-open", "data-key": "history", "aria-expanded": String(state.open) },
        () => model.send({ type: "open", open: !state.open })),
    ].filter(Boolean));
    drawHistory(state);
  };
  stop = drawOn(model, el, ["state"], draw);
  return () => { line.close(); stop(); };
}

export default { render };
