// A turn of a conversation that is over: it stands as it is. What a model has written is text, or
// what the list in kept.js lets through.

function part(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function fold(name, title, inside) {
  const made = part("details", name);
  made.append(part("summary", "", title), inside);
  return made;
}

function render({ model, el }) {
  const box = part("div", "lw-turn");
  el.append(box);

  function show() {
    const told = model.get("_told");
    box.replaceChildren(part("div", "lw-question", told.question));
    if (told.aside) box.append(part("div", "lw-aside", told.aside));
    if (told.thinking) {
      box.append(fold("lw-fold", told.thought, part("div", "lw-thoughts", told.thinking)));
    }
    if (told.answer) {
      const answer = part("div", told.html ? "lw-answer lw-markdown" : "lw-answer", told.answer);
      if (told.html) answer.replaceChildren(kept(told.html, "model"));
      box.append(answer);
    }
    if (told.said) box.append(part("div", "lw-ended", told.said));
    if (told.split) {
      const split = part("div", "lw-past-split");
      split.append(kept(told.split, "ours"));
      box.append(fold("lw-fold", told.short, split));
    }
  }
  show();
  model.on("change:_told", show);
  return () => model.off("change:_told", show);
}

export default { render };
