// A text that grows. Model output is only ever put on the page as text, never as HTML; when it has
// ended, as what kept.js lets through of its Markdown.

const HUSH_MS = 1000;
const BOTTOM_PX = 24; // this close to the end, the view follows it

const length = (text) => {
  let points = 0; // Python counts code points, JavaScript does not
  for (const _ of text) points += 1;
  return points;
};

function plain(box) {
  box.className = "lw-stream";
  box.setAttribute("aria-live", "polite");
  box.setAttribute("aria-label", "Answer");
  return { whole: box, name() {} };
}

/** What was read out while it came is not read out again when it is dressed. */
function hush(box) {
  if (box.getAttribute("aria-live") === "off") return;
  box.setAttribute("aria-live", "off");
  setTimeout(() => box.setAttribute("aria-live", "polite"), HUSH_MS);
}

function folded(model, box) {
  const whole = document.createElement("details");
  const title = document.createElement("summary");
  whole.className = "lw-fold";
  box.className = "lw-thoughts";
  box.setAttribute("aria-live", "off"); // what is folded is not read out
  whole.append(title, box);
  function name() {
    title.textContent = model.get("title");
    box.setAttribute("aria-label", title.textContent);
  }
  name();
  return { whole, name };
}

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
    const box = document.createElement("div");
    const node = document.createTextNode("");
    const hint = document.createElement("div");
    box.tabIndex = 0; // so that the keyboard can scroll it
    box.setAttribute("role", "log");
    hint.className = "lw-hint";
    box.append(node);
    const { whole, name } = model.get("title") ? folded(model, box) : plain(box);
    el.append(whole, hint);

    function settle() {
      hint.textContent = model.get("hint");
      hint.hidden = Boolean(text) || !hint.textContent;
      whole.hidden = !text;
    }
    function dress() {
      const html = model.get("_html");
      if (html) hush(box);
      box.classList.toggle("lw-markdown", Boolean(html));
      box.replaceChildren(html ? kept(html, "model") : node);
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
    view.replace();
    dress();
    model.on("change:hint", settle);
    model.on("change:_html", dress);
    model.on("change:title", name);
    return () => {
      views.delete(view);
      model.off("change:hint", settle);
      model.off("change:_html", dress);
      model.off("change:title", name);
    };
  }

  return { initialize, render };
};
