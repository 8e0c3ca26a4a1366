// Pointing, panning and zooming. What the reader does moves this view at once; the kernel is told
// which stretch is wanted, and sends what there is of it.

const CLICK = 4; // pixels that a click may move
const TELLS_MS = 250; // while it is dragged
const WHEEL = 1.0015; // per unit of the wheel
const LEAST_S = 2;

/** Zoomed by a factor about one time. */
function zoomed([from, to], about, factor) {
  const width = Math.max((to - from) * factor, LEAST_S);
  const share = (about - from) / (to - from);
  return [about - share * width, about + (1 - share) * width];
}

const KEYS = {
  ArrowLeft: ([a, b]) => [a - (b - a) / 8, b - (b - a) / 8],
  ArrowRight: ([a, b]) => [a + (b - a) / 8, b + (b - a) / 8],
  "+": (range) => zoomed(range, (range[0] + range[1]) / 2, 0.5),
  "-": (range) => zoomed(range, (range[0] + range[1]) / 2, 2),
};

/** `view` has `place`, `bars`, `move(range, { isDone })`, `live()`, `click(key)`, `draw()`. */
function hands(view, svg, el) {
  const box = tip(el);
  let drag = null; // { x, range, hasMoved }
  let isHeld = false; // clicked into: the wheel is the chart's, until the pointer leaves
  let toldAt = 0;

  const at = (event) => {
    const corner = svg.getBoundingClientRect();
    return [event.clientX - corner.left, event.clientY - corner.top];
  };
  const isInside = (x, y) => {
    const { left, right, top, bottom } = view.place;
    return x >= left && x <= right && y >= top && y <= bottom;
  };

  function point(x, y) {
    if (!isInside(x, y)) return leave();
    view.spike(x);
    svg.style.cursor = barAt(view.bars, x, y) ? "pointer" : "crosshair";
    box.show(x, y, tipLines(view, x, y));
  }

  function leave() {
    box.hide();
    view.spike(null);
  }

  function pan(x) {
    const [from, to] = drag.range;
    const by = ((drag.x - x) / view.place.width) * (to - from);
    const isTime = performance.now() - toldAt >= TELLS_MS;
    if (isTime) toldAt = performance.now();
    view.move([from + by, to + by], { isTold: isTime });
  }

  svg.addEventListener("pointerdown", (event) => {
    const [x, y] = at(event);
    if (event.button !== 0 || !isInside(x, y)) return;
    drag = { x, y, range: view.place.range, hasMoved: false };
    isHeld = true;
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (!drag) return point(x, y);
    drag.hasMoved ||= Math.abs(x - drag.x) >= CLICK;
    if (!drag.hasMoved) return;
    svg.style.cursor = "grabbing";
    leave();
    pan(x);
  });
  svg.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { x, y, hasMoved } = drag;
    drag = null;
    if (hasMoved) return view.move(view.place.range, { isTold: true });
    const bar = barAt(view.bars, x, y);
    if (bar) view.click(view.picture.bars.keys[bar.of]);
    point(...at(event));
  });
  svg.addEventListener("pointercancel", () => (drag = null));
  svg.addEventListener("pointerleave", () => {
    isHeld = false;
    leave();
  });
  svg.addEventListener("dblclick", () => view.live());
  svg.addEventListener(
    "wheel",
    (event) => {
      const [x, y] = at(event);
      const isMeant = isHeld || event.ctrlKey || event.metaKey || event.shiftKey;
      if (!isMeant || !isInside(x, y)) return; // else the page scrolls, as it does everywhere
      event.preventDefault();
      const turned = event.deltaY || event.deltaX;
      const factor = WHEEL ** (turned * (event.deltaMode === 1 ? 30 : 1));
      view.move(zoomed(view.place.range, view.place.time(x), factor), { isTold: true });
    },
    { passive: false },
  );
  svg.addEventListener("keydown", (event) => {
    if (event.key === "Home" || event.key === "Escape") return view.live();
    const moved = KEYS[event.key]?.(view.place.range);
    if (!moved) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has keys of its own
    view.move(moved, { isTold: true });
  });
}
