// A kernel that was shut down, has crashed or was started anew by somebody else: JupyterLab tells a
// page's widgets of a restart from this page only, and they would go on looking usable.

const GONE = new Set(["starting", "restarting", "autorestarting", "terminating", "dead"]);

/** For one view of the style sheet: the widget around it says when its kernel is gone. */
function watchKernel({ model, el }) {
  const session = model.widget_manager?.context?.sessionContext; // JupyterLab and Notebook have it
  if (!session?.statusChanged) return undefined;
  const gone = () => el.closest(".lw:not(.lw .lw)")?.classList.add("lw-kernel-gone");
  const told = (_, status) => GONE.has(status) && gone();
  const changed = (_, { oldValue }) => oldValue && gone();
  session.statusChanged.connect(told);
  session.kernelChanged.connect(changed);
  return () => {
    session.statusChanged.disconnect(told);
    session.kernelChanged.disconnect(changed);
  };
}
