// A text that grows. Model output is only ever put on the page as text, never as HTML.

const BOTTOM_PX = 24; // this close to the end, the view follows it

const length = (text) => {
  let points = 0; // Python counts code points, JavaScript does not
  for (const _ of text) points += 1;
  return points;
};

export default () => {
  // one per model: all its views show this text
  let text = "";
  let points = 0;
  const views = new Set();

  function replace(whole) {
    if (whole === text) return;
    text = whole;
    points = length(whole);
    for (const view of views) view.replace();
  }

  function append(piece) {
    text += piece;
    points += length(piece);
    for (const view of views) view.append(piece);
  }

  function initialize({ model }) {
    replace(model.get("_saved"));
    model.on("msg:custom", (message) => {
      if (message.kind === "whole") replace(message.text);
      if (message.kind !== "append") return;
      if (message.at === points) append(message.text);
      else model.send({ kind: "whole?" }); // something was missed
    });
    model.send({ kind: "whole?" });
  }

  function render({ model, el }) {
    const fold = document.createElement("details");
    const title = document.createElement("summary");
    const box = document.createElement("div");
    const node = document.createTextNode("");
    const hint = document.createElement("div");
    fold.className = "lw-fold";
    box.tabIndex = 0; // so that the keyboard can scroll it
    box.setAttribute("role", "log");
    hint.className = "lw-hint";
    box.append(node);
    fold.append(title, box);
    el.append(fold, hint);

    function settle() {
      hint.textContent = model.get("hint");
      hint.hidden = Boolean(text) || !hint.textContent;
      fold.hidden = box.hidden = !text;
    }
    function name() {
      const folded = model.get("title");
      if (!folded) fold.open = true;
      else if (title.hidden || !title.textContent) fold.open = false;
      title.hidden = !folded;
      title.textContent = folded || "";
      box.className = folded ? "lw-thoughts" : "lw-stream";
      box.setAttribute("aria-label", folded || "Answer");
      box.setAttribute("aria-live", folded ? "off" : "polite"); // what is folded is not read out
    }
    const view = {
      replace() {
        node.data = text;
        settle();
        box.scrollTop = box.scrollHeight;
      },
      append(piece) {
        const follows = box.scrollHeight - box.scrollTop - box.clientHeight < BOTTOM_PX;
        node.appendData(piece);
        settle();
        if (follows) box.scrollTop = box.scrollHeight;
      },
    };
    views.add(view);
    name();
    view.replace();
    model.on("change:hint", settle);
    model.on("change:title", name);
    return () => {
      views.delete(view);
      model.off("change:hint", settle);
      model.off("change:title", name);
    };
  }

  return { initialize, render };
};
