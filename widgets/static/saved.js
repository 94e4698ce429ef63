// Where the work is saved. In voila the page's address gets the file's name, so that reloading it opens the work again.

function render({ model, el }) {
  el.classList.add("wb-view", "wb-saved");
  const path = h("input", { type: "text", class: "wb-saved-path", size: 34, placeholder: "my.bench.json", "data-key": "path", autocomplete: "off",
    onkeydown: (event) => event.stopPropagation() });
  const status = h("span", { class: "wb-note wb-saved-status", role: "status" });
  const notes = h("ul", { class: "wb-saved-notes" });
  const compute = button("", { class: "wb-primary wb-saved-compute", "data-key": "compute" }, () => model.send({ type: "compute" }));
  el.append(h("div", { class: "wb-form-row" }, labelled("saved work", path),
    button("Save", { class: "wb-saved-save", title: "Save here, and from now on after each change" }, () => model.send({ type: "save", path: path.value })),
    button("Open", { class: "wb-saved-open" }, () => model.send({ type: "open", path: path.value })), compute, status), notes);
  let shown = null;

  const draw = () => {
    const state = model.get("state");
    if (state.path !== shown && state.path) path.value = state.path;
    shown = state.path ?? null;
    if (state.path) status.dataset.path = state.path;
    else delete status.dataset.path;
    status.textContent = state.path ? `saved to ${state.path} after each change` : "name a file to save drafts, scores and lasso as you go";
    notes.hidden = !state.notes?.length;
    notes.replaceChildren(...(state.notes || []).map((note) => h("li", {}, note)));
    const missing = state.missing || [];
    compute.hidden = !missing.length;
    compute.textContent = `Compute ${plural(missing.length, "score")} that the store lacks`;
    compute.title = missing.join(", ");
    if (state.link) {
      const query = new URLSearchParams(location.search);
      query.set("state", new URLSearchParams(state.link).get("state"));
      history.replaceState(null, "", `${location.pathname}?${query}`);
    }
  };
  return drawOn(model, el, ["state"], draw);
}

export default { render };
