// Names, states and values for who hears the page: what ipywidgets does not put on it. What a part
// is called is said in Python: by its description, the label of its row (lw-label), or its tooltip.

function set(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

const words = (node) => node?.textContent.replace(/\s+/g, " ").trim() ?? "";

/** Its tooltip: ipywidgets puts it on the part itself, or on the label that is not seen. */
function tooltip(part) {
  const on = part.title ? part : part.querySelector("[title]:is(.widget-label, input, textarea, select)");
  return on && on.title !== "null" ? on.title : ""; // ipywidgets writes "null" where there is none
}

/** The label of the nearest row that has one. */
function rowLabel(part) {
  for (let row = part.closest(".lw-row"); row; row = row.parentElement.closest(".lw-row")) {
    const label = row.querySelector(":scope > .lw-label");
    if (label) return words(label);
  }
  return "";
}

/** What a part is called, unless its description, which is seen, says it already. */
function nameOf(part) {
  const label = part.querySelector(":scope > .widget-label");
  const isSeen = label && label.style.display !== "none" && words(label);
  return isSeen ? "" : tooltip(part) || rowLabel(part);
}

function named(node, part) {
  const name = nameOf(part);
  if (name) set(node, "aria-label", name);
}

const widgetOf = (node) => node.closest(".jupyter-widgets");

function dressButton(button) {
  button.querySelectorAll("i.fa").forEach((icon) => set(icon, "aria-hidden", "true"));
  const [text, about] = [words(button), button.title];
  const isSign = !/[\p{L}\p{N}]/u.test(text); // an icon, too
  const isNumber = !/\p{L}/u.test(text) && about.startsWith(`${text} `); // "2": "2 minutes"
  if (about && (isSign || isNumber)) set(button, "aria-label", about);
  if (!button.classList.contains("widget-toggle-button")) return;
  const isOn = String(button.classList.contains("mod-active"));
  set(button, button.classList.contains("lw-open") ? "aria-expanded" : "aria-pressed", isOn);
}

function dressHandle(handle) {
  const slider = widgetOf(handle);
  named(handle, slider);
  const readout = slider.querySelector(".widget-readout");
  const unit = slider.parentElement?.querySelector(":scope > .lw-unit");
  const value = Number(words(readout)); // without the noughts that make it as long as others
  if (!readout) return;
  const shown = Number.isFinite(value) ? String(value) : words(readout);
  set(handle, "aria-valuetext", `${shown} ${words(unit)}`.trim()); // else it says the logarithm
}

function dressReadout(readout) {
  widgetOf(readout).querySelectorAll(".noUi-handle").forEach(dressHandle);
  const name = nameOf(widgetOf(readout)) || words(widgetOf(readout).querySelector(".widget-label"));
  set(readout, "role", "textbox");
  set(readout, "aria-label", `${name || "Value"}, typed`);
}

function dressProgress(bar) {
  const done = Math.round(parseFloat(bar.querySelector(".progress-bar")?.style.width) || 0);
  set(bar, "role", "progressbar");
  set(bar, "aria-label", nameOf(widgetOf(bar)) || "Progress");
  set(bar, "aria-valuemin", "0");
  set(bar, "aria-valuemax", "100");
  set(bar, "aria-valuenow", String(done));
  set(bar, "aria-valuetext", `${done} %`);
}

function dressGroup(group) {
  set(group, "role", "group");
  named(group, group);
}

/** What scrolls, and has nothing in it that takes the focus, is scrolled by the keyboard. */
function dressScroller(box) {
  const isFocusable = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  if (isFocusable) set(box, "tabindex", "0");
  else box.removeAttribute("tabindex");
  set(box, "role", "group");
  set(box, "aria-label", box.dataset.name ?? "Table");
}

const SCROLLS = ".lw-table, .lw-steps";

const DRESSED = {
  "button.jupyter-button": dressButton,
  ".widget-toggle-buttons": dressGroup,
  ".widget-text > input": (field) => named(field, widgetOf(field)),
  ".widget-textarea > textarea": (field) => named(field, widgetOf(field)),
  ".widget-dropdown > select": (field) => named(field, widgetOf(field)),
  ".noUi-handle": dressHandle,
  ".widget-readout": dressReadout,
  ".widget-hprogress > .progress": dressProgress,
  [SCROLLS]: dressScroller,
};

/** Dress one element, and all in it. */
function dress(node) {
  for (const [selector, how] of Object.entries(DRESSED)) {
    if (node.matches(selector)) how(node);
    node.querySelectorAll(selector).forEach(how);
  }
}

/** Something of an element has changed: dress what that is a part of. */
function dressAgain(node, attribute) {
  if (node.matches(".progress-bar")) return dressProgress(node.parentElement);
  if (attribute === "title") return dress(widgetOf(node) ?? node);
  if (attribute !== "style") dressOne(node);
}

function dressOne(node) {
  for (const [selector, how] of Object.entries(DRESSED)) if (node.matches(selector)) how(node);
}
