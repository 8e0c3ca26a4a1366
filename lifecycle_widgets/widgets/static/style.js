// What a style sheet cannot do for who uses the keyboard, or hears the page; in static/access is
// what is done. A widget tells that it has come onto the page by an animation (lab.css): so nothing
// is polled, and of the page only our own widgets are watched.

const WATCHED = {
  subtree: true,
  childList: true,
  attributes: true,
  attributeFilter: ["class", "title", "style", "disabled", "aria-valuetext"],
};
const roots = new WeakSet();

const isHtml = (node) => node instanceof HTMLElement;

function begin(root) {
  if (roots.has(root)) return;
  roots.add(root);
  came(root);
  new MutationObserver((records) => changed(root, records)).observe(root, WATCHED);
  const fitted = () => root.querySelectorAll(SCROLLS).forEach(dressScroller);
  new ResizeObserver(fitted).observe(root);
}

/** Something has come onto the page. */
function came(node) {
  dress(node);
  node.querySelectorAll(GRID).forEach(dressGrid);
  node.querySelectorAll(".lw-status").forEach((line) => hear(line, true));
}

function changed(root, records) {
  const touched = new Set(); // tables and status lines, each once
  for (const record of records) {
    const { target } = record;
    if (!isHtml(target)) continue; // a drawing
    if (record.type === "attributes") {
      dressAgain(target, record.attributeName);
      if (record.attributeName === "style") hidden(root, target);
      if (record.attributeName === "disabled") switched(target);
    } else {
      for (const node of record.addedNodes) if (isHtml(node)) dress(node);
      if (record.removedNodes.length) removed(root, record);
      const part = target.closest("button, .widget-readout");
      if (part) dress(part); // its text is another
    }
    const whole = target.closest(`${GRID}, .lw-status`);
    if (whole) touched.add(whole);
    else if (record.addedNodes.length) target.querySelectorAll(GRID).forEach((g) => touched.add(g));
  }
  for (const whole of touched) (whole.matches(GRID) ? dressGrid : hear)(whole);
}

/** Ctrl+Enter (Cmd+Enter) in a prompt presses Run. */
function pressRun(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const prompt = event.target.closest?.(".lw-prompt textarea");
  const run = prompt?.closest(".lw-agent")?.querySelector("button.lw-run");
  if (!run) return;
  event.preventDefault();
  event.stopPropagation(); // JupyterLab would run the cell
  prompt.dispatchEvent(new Event("change", { bubbles: true })); // hand over what was typed
  if (run.disabled) return;
  run.click();
  prompt.select(); // it stays, to be asked again under another keep_alive; typing replaces it
}

export default {
  initialize() {
    if (window.__lifecycleWidgetsKeys) return; // once a page, however many widgets
    window.__lifecycleWidgetsKeys = true;
    const early = { capture: true };
    document.addEventListener("keydown", pressRun, early);
    window.addEventListener("keydown", pressRow, early); // before JupyterLab, which hears document
    document.addEventListener("focusin", (event) => (last = event.target), early);
    document.addEventListener(
      "animationstart",
      (event) => event.animationName === "lw-placed" && begin(event.target),
      early,
    );
    document.querySelectorAll(".lw:not(.lw .lw)").forEach(begin); // came before this was here
  },
  render(view) {
    keepStills(view); // of static/still.js
    return watchKernel(view); // of static/kernel.js
  },
};
