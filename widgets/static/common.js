// Helpers that every view begins with; Python puts this file in front of each of them (see view.py).
// Text always becomes a text node: nothing here takes markup, so whatever a corpus holds stays text.

const GROUPED = new Intl.NumberFormat("en-US");

function count(n) {
  return n === null || n === undefined ? "–" : GROUPED.format(n);
}

function percent(fraction, digits = 1) {
  return Number.isFinite(fraction) ? `${(100 * fraction).toFixed(digits)} %` : "–";
}

function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

// An element. `on...` attributes are listeners, a few are properties, the others attributes; children are nodes or text.
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (["value", "checked", "disabled", "hidden", "selected", "tabIndex"].includes(name)) node[name] = value;
    else if (name === "color") node.style.setProperty("--wb-color", value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function svg(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// Write a text, or an attribute, where it isn't there already: what stays costs neither style nor layout.
function write(node, text) {
  const only = node.childNodes.length === 1 && node.firstChild.nodeType === Node.TEXT_NODE ? node.firstChild : null;
  if (!only) node.textContent = text;
  else if (only.data !== text) only.data = text;
}

function put(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

function button(label, attributes, onclick) {
  return h("button", { type: "button", ...attributes, onclick }, label);
}

// A drop-down: options are [value, label] pairs.
function dropdown(options, chosen, attributes, onchange) {
  const node = h("select", { ...attributes, onchange: (event) => onchange(event.target.value) });
  for (const [value, label] of options) node.append(h("option", { value, selected: value === chosen }, label));
  node.value = chosen;
  return node;
}

function labelled(label, control, attributes = {}) {
  return h("label", { class: "wb-field", ...attributes }, h("span", { class: "wb-field-label" }, label), control);
}

// Draw a view again whenever one of `names` changes. Where `draw` builds new elements, the focus goes to the element
// with the same data-key. Drawing waits while a pointer is down, so that a click is never lost between two drawings, and
// while a person is in the middle of a text or a number, which would be lost. What is returned ends it; its `again` draws.
function drawOn(model, el, names, draw) {
  let pressed = false, waiting = false, typing = null;
  const now = () => {
    waiting = false;
    const root = el.getRootNode();
    const active = root.activeElement;
    const key = active && el.contains(active) ? active.getAttribute("data-key") : null;
    const caret = key && "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : null;
    draw();
    if (!key) return;
    const again = [...el.querySelectorAll("[data-key]")].find((node) => node.getAttribute("data-key") === key);
    if (!again || again === root.activeElement) return;
    again.focus({ preventScroll: true });
    try { if (caret && caret[0] !== null) again.setSelectionRange(...caret); } catch (_) { /* not a text field */ }
  };
  const isTyping = () => typing !== null && typing === el.getRootNode().activeElement;
  const request = () => { if (pressed || isTyping()) waiting = true; else now(); };
  const catchUp = () => { if (waiting) request(); };
  const down = () => { pressed = true; };
  const up = () => setTimeout(() => { pressed = false; catchUp(); }, 0);
  el.addEventListener("pointerdown", down);
  el.addEventListener("input", (event) => { if (event.target.matches("textarea, input[type=text], input[type=number]")) typing = event.target; });
  // What was typed is on its way before anything is drawn.
  const typed = (event) => { if (event.target === typing) { typing = null; setTimeout(catchUp, 0); } };
  el.addEventListener("change", typed);
  el.addEventListener("focusout", typed);
  window.addEventListener("pointerup", up);
  window.addEventListener("pointercancel", up);
  for (const name of names) model.on(`change:${name}`, request);
  now();
  const end = () => {
    for (const name of names) model.off(`change:${name}`, request);
    window.removeEventListener("pointerup", up);
    window.removeEventListener("pointercancel", up);
  };
  end.again = request;
  return end;
}
