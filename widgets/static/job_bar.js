// The bar under the bench's head while something long is computed, on whatever tab.

const SHOWN_AFTER_MS = 300;  // what ends sooner would only flicker

function render({ model, el }) {
  el.classList.add("wb-view", "wb-job-bar");
  const bar = h("div", { class: "wb-progress-bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, h("i"));
  const what = h("span", { class: "wb-progress-what" });
  const stopping = h("span", { class: "wb-note", role: "status" });
  const stop = button("Stop", { class: "wb-stop", "data-key": "stop" }, () => {
    stop.disabled = true;
    stopping.textContent = "stopping …";
    model.send({ type: "stop" });
  });
  const box = h("div", { class: "wb-progress", hidden: true }, what, bar, stopping, stop);
  el.append(box);
  let timer = 0;
  const draw = () => {
    const { what: name, fraction, note } = model.get("state");
    if (!name) {
      clearTimeout(timer);
      timer = 0;
      box.hidden = true;
      stop.disabled = false;
      stopping.textContent = "";
      return;
    }
    timer = timer || setTimeout(() => { box.hidden = false; }, SHOWN_AFTER_MS);
    what.textContent = `${name} – ${percent(fraction, 0)}${note ? `, ${note}` : ""}`;
    bar.firstChild.style.width = `${100 * fraction}%`;
    bar.setAttribute("aria-valuenow", Math.round(100 * fraction));
    bar.setAttribute("aria-valuetext", what.textContent);
  };
  const end = drawOn(model, el, ["state"], draw);
  return () => { clearTimeout(timer); end(); };
}

export default { render };
