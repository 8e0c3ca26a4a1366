// The chart's picture: the kernel sends what has changed, each view draws it as SVG.

/** The new value of an old one; `chart/plot/difference.py` says what a change is. */
function patched(old, change) {
  if (change === null || typeof change !== "object" || Array.isArray(change)) return change;
  if ("=" in change) {
    const [first, count, before, after] = change["="];
    return [...before, ...old.slice(first, first + count), ...after];
  }
  if ("#" in change) {
    for (const [i, each] of Object.entries(change["#"])) old[i] = patched(old[i], each);
    return old;
  }
  if (old === null || typeof old !== "object" || Array.isArray(old)) return change;
  for (const name of change["-"] ?? []) delete old[name];
  for (const [name, each] of Object.entries(change)) {
    if (name !== "-") old[name] = patched(old[name], each);
  }
  return old;
}

function send(model, said) {
  try {
    model.send(said);
  } catch {
    // a saved page has no kernel to tell
  }
}

/** A number that no other view of the page has: each widget has a copy of this code. */
const nextNumber = () => (window.__lifecycleWidgetsPlots = (window.__lifecycleWidgetsPlots ?? 0) + 1);

const KEYS_HELP =
  "Arrow keys move through time, plus and minus zoom, Escape goes back to the present.";

/** One place on the page where the picture is shown. */
function viewOf(model, el) {
  const name = `lw-plot-${nextNumber()}`;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-description", KEYS_HELP);
  svg.setAttribute("height", model.get("_picture").layout?.height ?? 0); // what is below stays
  el.classList.add("lw-plot");
  el.append(svg);
  const canvas = drawing(svg);
  const layers = {};
  for (const each of ["ground", "grid", "lines", "bars", "above", "texts", "axes", "defs"]) {
    layers[each] = canvas.layer(each);
  }
  for (const each of ["ground", "lines", "bars", "above"]) {
    layers[each].setAttribute("clip-path", `url(#${name})`);
  }
  let moved = null; // where the reader has gone, until the kernel's picture is there, too
  let waiting = 0;

  const view = {
    bars: [],
    ends: [],
    get picture() {
      return model.get("_picture");
    },
    draw() {
      const { picture } = view;
      const width = el.clientWidth;
      if (!width || document.hidden || !picture.layout) return;
      if (moved && picture.seen >= moved.number) moved = null;
      const range = moved?.range ?? picture.layout.xaxis.range;
      const place = (view.place = geometry(picture, range, width));
      svg.setAttribute("height", place.height + place.above);
      const spoken = picture.spoken || "Memory, processor and requests over time";
      if (svg.getAttribute("aria-label") !== spoken) svg.setAttribute("aria-label", spoken);
      clip(place);
      drawShapes(picture, place, canvas, layers.ground, layers.above);
      drawAxes(picture, place, canvas, layers.grid, layers.axes);
      drawLines(picture, place, canvas, layers.lines);
      view.bars = drawBars(picture, place, canvas, layers.bars, hatches);
      view.ends = drawEnds(picture, place, canvas, layers.bars);
      drawTexts(picture, place, canvas, layers.texts);
      drawSaid(picture.said, place, canvas, layers.axes);
      canvas.done();
    },
    drawSoon() {
      waiting ||= requestAnimationFrame(() => {
        waiting = 0;
        view.draw();
      });
    },
    move(range, { isTold }) {
      moved = { range, number: isTold ? Date.now() : Infinity };
      if (isTold) send(model, { view: range, number: moved.number });
      view.drawSoon();
    },
    live() {
      moved = null;
      send(model, { view: null, number: Date.now() });
    },
    click: (key) => send(model, { clicked: key }),
    spike(x) {
      spike.setAttribute("d", x === null ? "" : `M${x} ${view.place.top}V${view.place.bottom}`);
    },
    save: (file) => savePicture(svg, file),
  };

  function clip({ left, top, width, height }) {
    const shape = canvas.put(layers.defs, "clip", "clipPath", { id: name });
    canvas.put(shape, "clip box", "rect", { x: left, y: top, width, height });
  }

  /** The fill of what is another client's: stripes, as colour alone would not do. */
  function hatches(phase) {
    const id = `${name}-${phase.replace(" ", "-")}`;
    const look = { id, width: 4, height: 4, patternUnits: "userSpaceOnUse" };
    const turned = { ...look, patternTransform: "rotate(45)" };
    const pattern = canvas.put(layers.defs, id, "pattern", turned);
    const stripe = { width: 2, height: 4, fill: view.picture.phases[phase] };
    canvas.put(pattern, `${id} stripe`, "rect", stripe);
    return `url(#${id})`;
  }

  const spike = document.createElementNS(SVG, "path");
  spike.setAttribute("class", "lw-spike");
  svg.append(spike);
  hands(view, svg, el);
  return view;
}

export default () => {
  const shown = new Set();

  function heard(model, content) {
    if (content.picture) {
      model.set("_picture", content.picture);
    } else if (content.change) {
      if (model.get("_picture").number !== content.after) return send(model, { wants: "picture" });
      patched(model.get("_picture"), content.change); // in place: so it is what is saved
    }
    const [first] = shown;
    if (content.save) first?.save(content.save);
    if (content.file) download(new Blob([content.text], { type: content.type }), content.file);
    for (const view of shown) view.draw();
  }

  return {
    initialize({ model }) {
      model.on("msg:custom", (content) => heard(model, content));
      model.on("change:_picture", () => shown.forEach((view) => view.draw()));
    },
    render({ model, el }) {
      const view = viewOf(model, el);
      shown.add(view);
      send(model, { wants: "picture" });
      const observer = new ResizeObserver(() => view.drawSoon());
      observer.observe(el);
      const again = () => document.hidden || view.draw();
      document.addEventListener("visibilitychange", again);
      return () => {
        shown.delete(view);
        observer.disconnect();
        document.removeEventListener("visibilitychange", again);
      };
    },
  };
};
