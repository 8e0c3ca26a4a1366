// A page that was loaded anew does not know which of its outputs a kernel that still runs goes on
// to update: JupyterLab forgets their display ids. Ours stand in the outputs' metadata, too.

const STILL = "lifecycle_still";
const hearing = new WeakSet();

/** For one view of the style sheet: see that stills on its page are updated, once a page. */
function keepStills({ model }) {
  const context = model.widget_manager?.context;
  const session = context?.sessionContext;
  if (!session?.iopubMessage || hearing.has(session)) return;
  hearing.add(session);
  session.iopubMessage.connect((_, message) => {
    if (message.header.msg_type !== "update_display_data") return;
    const { data, metadata } = message.content;
    if (metadata[STILL]) replace(context.model, metadata[STILL], { data, metadata });
  });
}

function replace(notebook, id, bundle) {
  for (const cell of notebook.cells ?? []) {
    const outputs = cell.type === "code" ? cell.outputs : undefined;
    for (let i = 0; i < (outputs?.length ?? 0); i++) {
      const now = outputs.get(i);
      if (now.metadata[STILL] !== id || isSame(now.data, bundle.data)) continue;
      outputs.set(i, { output_type: "display_data", ...bundle });
    }
  }
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
