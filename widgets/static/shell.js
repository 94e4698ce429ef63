// The head of the bench: tabs, what is kept in all, undo and redo, and the message line.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-shell");
  const send = (content) => model.send(content);
  const tablist = h("div", { class: "wb-tabs", role: "tablist", "aria-label": "Bench" });
  const total = h("div", { class: "wb-total", "aria-live": "off" });
  const undo = button("Undo", { class: "wb-undo", title: "Undo the last change of the recipe" }, () => send({ type: "undo" }));
  const redo = button("Redo", { class: "wb-redo", title: "Take the last undo back" }, () => send({ type: "redo" }));
  const text = h("span", { class: "wb-message-text" });
  const close = button("×", { class: "wb-message-close", "aria-label": "Close the message" }, () => send({ type: "dismiss" }));
  const message = h("div", { class: "wb-message", role: "status" }, text, close);
  const problem = h("div", { class: "wb-problem", role: "status" });
  el.append(h("div", { class: "wb-head" }, tablist, total, h("div", { class: "wb-history" }, undo, redo)), message, problem);

  const choose = (name, focus) => {
    send({ type: "tab", name });
    for (const tab of tablist.children) mark(tab, tab.dataset.tab === name, focus);
  };
  const mark = (tab, active, focus) => {
    tab.setAttribute("aria-selected", String(active));
    tab.tabIndex = active ? 0 : -1;
    if (active && focus) tab.focus();
  };
  const onkeydown = (event) => {
    const tabs = [...tablist.children];
    const at = tabs.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(tabs[(to + tabs.length) % tabs.length].dataset.tab, true);
  };

  const draw = () => {
    const state = model.get("state");
    const tabs = state.tabs || [];
    if (tablist.children.length !== tabs.length) {
      tablist.replaceChildren(...tabs.map(([name, title]) => h("button",
        { type: "button", role: "tab", class: `wb-tab wb-tab-${name}`, "data-tab": name, onclick: () => choose(name, false), onkeydown }, title)));
    }
    for (const tab of tablist.children) mark(tab, tab.dataset.tab === state.active, false);
    const c = state.count;
    total.textContent = !c ? "no documents loaded"
      : `kept ${count(c.kept)} of ${count(c.documents)} documents (${percent(c.kept / c.documents)})`
        + (c.tokens === null ? "" : `, ${count(c.keptTokens)} of ${count(c.tokens)} tokens`);
    if (c) { total.dataset.kept = c.kept; total.dataset.documents = c.documents; }
    undo.disabled = !state.nUndo;
    undo.dataset.left = state.nUndo || 0;
    redo.disabled = !state.canRedo;
    message.hidden = !state.message;
    message.dataset.kind = state.kind || "info";
    text.textContent = state.message || "";
    problem.hidden = !state.problem;
    problem.textContent = state.problem || "";
  };
  return drawOn(model, el, ["state"], draw);
}

export default { render };
