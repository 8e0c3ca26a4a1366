// Code to copy, in one of its forms. The code is only ever put on the page as text.

const TITLES = {
  griptape: "griptape",
  server: "OLLAMA_KEEP_ALIVE",
  curl: "curl",
  shell: "shell",
  systemd: "systemd",
  launchd: "launchd",
  docker: "docker",
  setx: "Windows",
};
const SAID_MS = 2000;

async function copy(text, code) {
  try {
    await navigator.clipboard.writeText(text); // only there in a secure context
    return true;
  } catch {
    const selection = window.getSelection();
    selection.selectAllChildren(code); // so that Ctrl+C does it, if the next line may not
    return document.execCommand("copy");
  }
}

function element(tag, attributes, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

function render({ model, el }) {
  const box = element("div", { class: "lw lw-code" });
  const bar = element("div", { class: "lw-code-bar" });
  const tabs = element("div", { class: "lw-code-tabs", role: "tablist", "aria-label": "Code for" });
  const pre = element("pre", { role: "tabpanel", tabindex: "0" });
  const code = element("code", {});
  const button = element("button", { class: "lw-copy", type: "button" }, "Copy");
  const said = element("span", { class: "lw-code-said", role: "status" });
  let timer;

  const shown = () => model.get("shown");
  function choose(kind) {
    model.set("shown", kind);
    model.save_changes();
  }
  const kinds = Object.keys(TITLES).filter((kind) => kind in model.get("_texts"));
  for (const kind of kinds) {
    const tab = element("button", { role: "tab", type: "button" }, TITLES[kind]);
    tab.addEventListener("click", () => choose(kind));
    tabs.append(tab);
  }
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    choose(kinds.at((kinds.indexOf(shown()) + step) % kinds.length));
    tabs.children[kinds.indexOf(shown())].focus();
  });
  button.addEventListener("click", async () => {
    const done = await copy(code.textContent, code);
    said.textContent = done ? "Copied" : "Press Ctrl+C";
    clearTimeout(timer);
    timer = setTimeout(() => (said.textContent = ""), SAID_MS);
  });
  function show() {
    kinds.forEach((kind, i) => {
      tabs.children[i].setAttribute("aria-selected", String(kind === shown()));
      tabs.children[i].tabIndex = kind === shown() ? 0 : -1;
    });
    const title = TITLES[shown()];
    pre.setAttribute("aria-label", `${title} code`);
    button.setAttribute("aria-label", `Copy the ${title} code`);
    code.textContent = model.get("_texts")[shown()] ?? "";
  }
  bar.append(tabs, said, button);
  pre.append(code);
  box.append(bar, pre);
  el.append(box);
  show();
  model.on("change:shown", show);
  model.on("change:_texts", show);
  return () => {
    clearTimeout(timer);
    model.off("change:shown", show);
    model.off("change:_texts", show);
  };
}

export default { render };
