// A plotly figure whose JavaScript (5 MB) is not part of it. The kernel sends it when a page asks,
// once per page, and the figures of the page share it.

const SAYS_AFTER_MS = 3000; // nobody has answered: perhaps there is no kernel
const ASKS_EVERY_MS = 5000; // the figure that has asked may have been closed
const PICTURE_MS = 1000; // a kernel that is busy may not answer; an older picture is there then

const INSTEAD =
  "The chart is drawn when its kernel answers. Where no kernel is running, " +
  "run the cell again to see it.";

const pause = (ms) => new Promise((go) => setTimeout(go, ms));

/** Where the page keeps plotly, of one version: `done` is a promise of it. */
function shelf(version) {
  const name = `__lifecycleWidgetsPlotly ${version}`;
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

/** Plotly, asked for again and again until the place has left the page. */
async function library(model, el) {
  const kept = shelf(model.get("_plotly_version"));
  let wasThere = false; // a view is made before it is put on the page
  while (!kept.given && (el.isConnected || !wasThere)) {
    wasThere ||= el.isConnected;
    if (performance.now() - kept.askedAt >= ASKS_EVERY_MS) {
      kept.askedAt = performance.now();
      ask(model, "plotly");
    }
    await Promise.race([kept.done, pause(ASKS_EVERY_MS / 10)]);
  }
  return kept.done;
}

/** The picture as it is now: later differences fit to no other. */
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

/** The model for plotly's widget, which would report each of its drawings to the kernel. */
function unreported(model) {
  const reports = (name) => typeof name === "string" && name.startsWith("_js2py");
  return {
    get: (name) => model.get(name),
    set: (name, value) => reports(name) || model.set(name, value),
    on: (name, then) => model.on(name, then),
    off: (name, then) => model.off(name, then),
    save_changes() {},
  };
}

function placeholder(el, model) {
  const text = document.createElement("p");
  text.className = "lw-figure-instead";
  text.style.cssText = "margin: 4px; opacity: 0.75; font: inherit";
  const height = model.get("_widget_layout")?.height ?? 360;
  el.style.minHeight = `${height}px`; // what stands below does not jump
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
  let figure; // plotly's own widget, a promise

  async function begun(plotly, model) {
    const its = plotly.default;
    const widget = typeof its === "function" ? await its() : its;
    await widget.initialize?.({ model: unreported(model) });
    return widget;
  }

  return {
    initialize({ model }) {
      const kept = shelf(model.get("_plotly_version"));
      model.on("msg:custom", (content, buffers) => {
        if (content.has === "plotly") kept.give(buffers[0]);
      });
    },
    async render({ model, el }) {
      const clear = placeholder(el, model);
      const plotly = await library(model, el);
      figure ??= begun(plotly, model);
      const widget = await figure;
      await latestPicture(model);
      clear();
      const place = document.createElement("div");
      el.append(place);
      const ended = await widget.render({ model: unreported(model), el: place });
      el.style.minHeight = "";
      return ended;
    },
  };
};
