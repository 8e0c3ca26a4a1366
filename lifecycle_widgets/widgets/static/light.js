// A widget whose JavaScript, a large library, is not part of it. The kernel sends it when a page
// asks, once per page, and all such widgets of the page share it.

const SAYS_AFTER_MS = 3000; // nobody has answered: perhaps there is no kernel
const ASKS_EVERY_MS = 5000; // the figure that has asked may have been closed
const PICTURE_MS = 2000; // a kernel that is busy may not answer; an older picture is there then

const INSTEAD =
  "It is drawn when its kernel answers. Where no kernel is running, " +
  "run the cell again to see it.";

const pause = (ms) => new Promise((go) => setTimeout(go, ms));

/** Where the page keeps the library, of one version: `done` is a promise of it. */
function shelf(model) {
  const name = `__lifecycleWidgets ${model.get("_library")}`;
  return (globalThis[name] ??= newShelf());
}

function newShelf() {
  const made = { given: false, askedAt: -Infinity };
  made.done = new Promise((resolve, reject) => {
    made.give = (packed) => {
      if (made.given) return;
      made.given = true;
      unpacked(packed).then(resolve, reject);
    };
  });
  return made;
}

async function unpacked(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = await new Response(stream).arrayBuffer();
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return await import(/* webpackIgnore: true */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function ask(model, wanted) {
  try {
    model.send({ wants: wanted });
  } catch {
    // a saved page has no kernel to ask
  }
}

/** It, asked for again and again until the place has left the page. */
async function library(model, el) {
  const kept = shelf(model);
  let wasThere = false; // a view is made before it is put on the page
  while (!kept.given && (el.isConnected || !wasThere)) {
    wasThere ||= el.isConnected;
    if (performance.now() - kept.askedAt >= ASKS_EVERY_MS) {
      kept.askedAt = performance.now();
      ask(model, "library");
    }
    await Promise.race([kept.done, pause(ASKS_EVERY_MS / 10)]);
  }
  return kept.done;
}

/** A figure's picture as it is now: later differences fit to no other. */
function latestPicture(model) {
  return new Promise((go) => {
    const told = (content) => {
      if (content.has !== "picture") return;
      model.off("msg:custom", told);
      go();
    };
    model.on("msg:custom", told);
    ask(model, "picture");
    pause(PICTURE_MS).then(() => told({ has: "picture" }));
  });
}

/** The model for one view of plotly's, which would report each of its drawings to the kernel. */
function unreported(model) {
  const heard = [];
  return {
    get: (name) => model.get(name),
    set: (name, value) => String(name).startsWith("_js2py") || model.set(name, value),
    on(name, then) {
      heard.push([name, then]);
      model.on(name, then);
    },
    off: (name, then) => model.off(name, then),
    save_changes() {},
    release: () => heard.forEach(([name, then]) => model.off(name, then)),
  };
}

/** A drawing is called by its title: its numbers stand in the table that goes with it. */
function nameFigure(place, model) {
  const title = model.get("_widget_layout")?.title;
  const text = typeof title === "string" ? title : title?.text;
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `Chart: ${(text ?? "").replace(/<[^>]*>/g, " ").trim()}`);
}

/** Draw a figure, and anew when it has come to have other traces than the kernel's. */
async function drawn(draw, model, el) {
  let end;
  async function begin() {
    end?.();
    const place = document.createElement("div");
    el.append(place);
    const view = unreported(model);
    end = () => {
      view.release();
      place.remove();
    };
    const name = () => nameFigure(place, model);
    name();
    view.on("change:_widget_layout", name);
    const ended = await draw({ model: view, el: place });
    const traces = () => place.data?.length === model.get("_widget_data").length;
    view.on("change:_widget_data", () => traces() || begin());
    end = () => {
      view.release();
      ended?.();
      place.remove();
    };
  }
  await begin();
  return () => end();
}

function placeholder(el, model) {
  const text = document.createElement("p");
  text.className = "lw-instead";
  text.style.cssText = "margin: 4px; opacity: 0.75; font: inherit";
  const height = model.get("_widget_layout")?.height;
  if (height) el.style.minHeight = `${height}px`; // what stands below does not jump
  el.append(text);
  const timer = setTimeout(() => {
    text.textContent = INSTEAD;
    el.style.minHeight = "";
  }, SAYS_AFTER_MS);
  return () => {
    clearTimeout(timer);
    text.remove();
  };
}

export default () => {
  let begun; // the library's own widget, a promise

  async function begin(library, model) {
    const its = library.default;
    const widget = typeof its === "function" ? await its() : its;
    await widget.initialize?.({ model });
    return widget;
  }

  return {
    initialize({ model }) {
      const kept = shelf(model);
      model.on("msg:custom", (content, buffers) => {
        if (content.has === "library") kept.give(buffers[0]);
      });
    },
    async render({ model, el }) {
      const isFigure = model.get("_widget_layout") !== undefined;
      const clear = placeholder(el, model);
      const its = await library(model, el);
      begun ??= begin(its, isFigure ? unreported(model) : model);
      const widget = await begun;
      if (isFigure) await latestPicture(model);
      clear();
      const draw = (view) => widget.render(view);
      const ended = await (isFigure ? drawn(draw, model, el) : draw({ model, el }));
      el.style.minHeight = "";
      return ended;
    },
  };
};
