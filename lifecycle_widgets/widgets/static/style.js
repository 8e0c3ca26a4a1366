// Ctrl+Enter (Cmd+Enter) in a prompt presses Run: the one thing that a style sheet cannot do.

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
    document.addEventListener("keydown", pressRun, { capture: true });
  },
  render() {},
};
