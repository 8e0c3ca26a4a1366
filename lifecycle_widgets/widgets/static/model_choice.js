// A field in which a model is found by typing: every word typed must be somewhere in its line.
// Names come from a server, so they are only ever put on the page as text.

const ROOM_PX = 340; // the list is never higher
const PAGE = 8; // rows that Page Down goes

/** A number that no other field of the page has: each widget has a copy of this code. */
const nextNumber = () => (window.__lifecycleWidgetsFields = (window.__lifecycleWidgetsFields ?? 0) + 1);

function element(tag, attributes = {}, text = "") {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

const line = ({ name, about, marks }) => [name, about, ...marks].filter(Boolean).join(" · ");

function matching(options, typed) {
  const words = typed.toLowerCase().split(/[\s·]+/).filter(Boolean);
  const all = (option) => line(option).toLowerCase();
  const found = options.filter((option) => words.every((word) => all(option).includes(word)));
  const begins = (before) => !/[a-z0-9.]$/.test(before); // 4b is wanted before 14b
  const rank = (option) =>
    words.filter((word) => !all(option).split(word).slice(0, -1).some(begins)).length;
  return found.sort((one, other) => rank(one) - rank(other));
}

function row(option, id, isChosen) {
  const node = element("li", { role: "option", id, "aria-selected": String(isChosen) });
  if (option.refused) node.setAttribute("aria-disabled", "true");
  const marks = option.marks.map((mark) => element("span", { class: "lw-mark" }, mark));
  node.append(element("span", {}, option.name), ...marks);
  node.append(element("span", { class: "lw-muted" }, option.about));
  return node;
}

function render({ model, el }) {
  const id = `lw-choice-${nextNumber()}`;
  const field = element("input", {
    class: "lw-choice-field",
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Model",
    "aria-autocomplete": "list",
    "aria-controls": id,
  });
  const list = element("ul", { role: "listbox", id, "aria-label": "Models" });
  const count = element("div", { class: "lw-choice-count", role: "status" });
  // a popover lies above everything; an output's own box would cut it off
  const popup = element("div", { class: "lw-choice-list", popover: "manual" });
  const box = element("div", { class: "lw-choice" });
  popup.append(list, count);
  box.append(field, popup);
  el.append(box);

  let isOpen = false;
  let found = []; // the options that are listed
  let active = -1; // of these, the one that Enter takes
  let typed = ""; // what they are found by

  function settle() {
    const chosen = model.get("options").find(({ name }) => name === model.get("value"));
    field.placeholder = model.get("hint");
    const text = chosen ? line(chosen) : model.get("value");
    if (field.value === text) return;
    field.value = field.title = text;
    // what is typed next takes its place
    if (field.getRootNode().activeElement === field) field.select();
  }

  function point(index) {
    list.children[active]?.classList.remove("lw-active");
    active = found.length ? Math.min(Math.max(index, 0), found.length - 1) : -1;
    const node = list.children[active];
    if (!node) return field.removeAttribute("aria-activedescendant");
    node.classList.add("lw-active");
    field.setAttribute("aria-activedescendant", node.id);
    // not scrollIntoView: that would scroll the notebook too
    const [top, bottom] = [node.offsetTop, node.offsetTop + node.offsetHeight];
    if (top < list.scrollTop) list.scrollTop = top;
    if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }

  function fill() {
    const [all, value] = [model.get("options"), model.get("value")];
    found = matching(all, typed);
    list.replaceChildren(...found.map((o, i) => row(o, `${id}-${i}`, o.name === value)));
    const few = found.length < all.length;
    count.textContent = !found.length
      ? "No model's line has all of these words."
      : `${few ? `${found.length} of ` : ""}${all.length} models${few ? "" : " · type to find one"}`;
  }

  function place() {
    const at = field.getBoundingClientRect();
    const [above, below] = [at.top, window.innerHeight - at.bottom];
    const isUp = below < ROOM_PX && above > below;
    popup.style.left = `${at.left}px`;
    popup.style.width = `${at.width}px`;
    popup.style.maxHeight = `${Math.min((isUp ? above : below) - 8, ROOM_PX)}px`;
    popup.style.top = isUp ? "auto" : `${at.bottom + 2}px`;
    popup.style.bottom = isUp ? `${window.innerHeight - at.top + 2}px` : "auto";
  }

  function open() {
    fill();
    if (!isOpen) {
      isOpen = true;
      popup.showPopover?.(); // without it (an older browser) the list may be cut off
      popup.classList.add("lw-open");
      field.setAttribute("aria-expanded", "true");
      window.addEventListener("scroll", moved, { capture: true, passive: true });
      window.addEventListener("resize", place);
    }
    place();
    if (typed) return point(0);
    const chosen = found.findIndex(({ name }) => name === model.get("value"));
    list.scrollTop = (list.children[chosen]?.offsetTop ?? 0) - list.clientHeight / 2;
    point(chosen);
  }

  function close() {
    if (isOpen) {
      isOpen = false;
      popup.hidePopover?.();
      popup.classList.remove("lw-open");
      window.removeEventListener("scroll", moved, { capture: true });
      window.removeEventListener("resize", place);
    }
    typed = "";
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    settle();
  }

  function moved(event) {
    if (event.target === list) return;
    const at = field.getBoundingClientRect();
    const seen = field.getRootNode().elementFromPoint(at.left + 4, at.top + at.height / 2);
    if (seen === field) place();
    else close(); // it was scrolled away
  }

  function choose(option) {
    if (option && option.name !== model.get("value")) {
      model.set("value", option.name); // one that is refused comes back, with the reason
      model.save_changes();
    }
    close();
  }

  const keys = {
    ArrowDown: () => (isOpen ? point(active + 1) : open()),
    ArrowUp: () => (isOpen ? point(active - 1) : open()),
    PageDown: () => (isOpen ? point(active + PAGE) : open()),
    PageUp: () => (isOpen ? point(active - PAGE) : open()),
    Enter: () => (isOpen ? choose(found[active]) : open()),
    Escape: close,
  };
  field.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const press = keys[event.key];
    if (!press || (event.key === "Escape" && !isOpen)) return;
    event.preventDefault();
    event.stopPropagation(); // these keys mean something to the notebook too
    press();
  });
  field.addEventListener("input", () => {
    typed = field.value.trim();
    open();
  });
  field.addEventListener("focus", () => field.select());
  field.addEventListener("mousedown", (event) => {
    if (event.button || (isOpen && typed)) return; // in what was typed, the caret can be placed
    event.preventDefault(); // else the click would undo the selection
    field.focus();
    field.select();
    if (isOpen) close();
    else open();
  });
  field.addEventListener("blur", close);
  popup.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps focus
  list.addEventListener("click", (event) => {
    const index = [...list.children].indexOf(event.target.closest("li"));
    if (index >= 0) choose(found[index]);
  });

  function changed() {
    if (!isOpen) return settle();
    const name = found[active]?.name; // new lines must not take away what is being chosen
    const top = list.scrollTop;
    fill();
    list.scrollTop = top;
    point(found.findIndex((option) => option.name === name));
  }
  const names = ["options", "value", "hint"];
  for (const name of names) model.on(`change:${name}`, changed);
  close();
  return () => {
    close();
    for (const name of names) model.off(`change:${name}`, changed);
  };
}

export default { render };
