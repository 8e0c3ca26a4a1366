// One picture as SVG: rows with their axes, lines and areas, bands and bars, texts.

const LINE = 13; // pixels from one line of a text to the next
const LEAST_BAR = 2; // pixels, so that a short one is seen
const NARROW = 440; // pixels: below it the titles of the rows stand in them, and all is lower
const LOWER = 0.84; // of its height
const LETTER = 6.4; // pixels, about

const round = (pixels) => Math.round(pixels * 10) / 10;

/** Where things are: pixels for times and for the values of each row. */
function geometry(picture, range, width) {
  const { margin } = picture.layout;
  const isNarrow = width < NARROW;
  const height = Math.round(picture.layout.height * (isNarrow ? LOWER : 1));
  const left = isNarrow ? Math.min(numbersWidth(picture), 0.4 * width) : margin.l;
  const inner = { left, top: margin.t, width: Math.max(width - left - margin.r, 10), isNarrow };
  inner.height = height - margin.t - margin.b;
  inner.above = margin.t + margin.b;
  const rows = {};
  for (const [name, axis] of Object.entries(picture.layout)) {
    if (!name.startsWith("yaxis")) continue;
    const [floor, top] = axis.domain;
    const y = (share) => inner.top + (1 - share) * inner.height;
    const [low, high] = axis.range;
    rows[`y${name.slice(5)}`] = {
      axis,
      top: y(top),
      bottom: y(floor),
      y: (value) => y(floor) - ((value - low) / (high - low)) * (y(floor) - y(top)),
    };
  }
  const [from, to] = range;
  return {
    ...inner,
    range,
    rows,
    right: inner.left + inner.width,
    bottom: inner.top + inner.height,
    x: (at) => inner.left + ((at - from) / (to - from)) * inner.width,
    time: (x) => from + ((x - inner.left) / inner.width) * (to - from),
    paper: (share) => inner.top + (1 - share) * inner.height,
  };
}

/** What the numbers and names at the left edge need. */
function numbersWidth({ layout }) {
  const axes = Object.keys(layout).filter((name) => name.startsWith("yaxis"));
  const texts = axes.flatMap((name) => layout[name].ticktext.map(unescaped));
  return LETTER * Math.max(...texts.map((text) => text.length)) + 13;
}

/** A text of at most so many pixels; of a name its beginning and its end are kept. */
function shortened(text, width) {
  const most = Math.max(Math.floor(width / LETTER), 5);
  if (text.length <= most) return text;
  const half = (most - 1) / 2;
  return `${text.slice(0, Math.ceil(half))}…${text.slice(-Math.floor(half))}`;
}

function linePath(xs, ys, place, y) {
  let path = "", isPen = false;
  for (let i = 0; i < xs.length; i++) {
    if (ys[i] === null) {
      isPen = false;
      continue;
    }
    path += `${isPen ? "L" : "M"}${round(place.x(xs[i]))} ${round(y(ys[i]))}`;
    isPen = true;
  }
  return path;
}

/** An area from `floors` up; what was not measured is a gap. */
function areaPath(xs, floors, tops, place, y) {
  let path = "";
  for (let i = 0; i < xs.length; ) {
    const begin = i;
    while (i < xs.length && tops[i] !== null) i++;
    for (let k = begin; k < i; k++) {
      path += `${k === begin ? "M" : "L"}${round(place.x(xs[k]))} ${round(y(tops[k]))}`;
    }
    for (let k = i - 1; k >= begin; k--) path += `L${round(place.x(xs[k]))} ${round(y(floors[k]))}`;
    if (i > begin) path += "Z";
    while (i < xs.length && tops[i] === null) i++;
  }
  return path;
}

const box = (x0, y0, x1, y1) =>
  `M${round(x0)} ${round(y0)}H${round(x1)}V${round(y1)}H${round(x0)}Z`;

/** Rectangles that look alike, as one path each look. */
class Boxes {
  paths = new Map();

  add(key, look, path) {
    const known = this.paths.get(key);
    if (known) known.path += path;
    else this.paths.set(key, { look, path });
  }

  put(canvas, layer) {
    for (const [key, { look, path }] of this.paths) {
      canvas.put(layer, key, "path", { ...look, d: path });
    }
  }
}

function drawLines(picture, place, canvas, layer) {
  let floors = [];
  for (const [key, trace] of Object.entries(picture.traces)) {
    const row = place.rows[trace.yaxis];
    if (!row || trace.mode !== "lines") continue;
    if (trace.stackgroup) {
      if (floors.length !== trace.x.length) floors = trace.x.map(() => 0);
      const tops = trace.y.map((value, i) => (value === null ? null : value + floors[i]));
      const path = areaPath(trace.x, floors, tops, place, row.y);
      canvas.put(layer, key, "path", { d: path, fill: trace.fillcolor });
      floors = tops.map((value, i) => value ?? floors[i]);
    } else if (trace.line.width) {
      const { color, width, dash } = trace.line;
      const dashes = { "stroke-dasharray": dash === "dot" ? "1.5 2.5" : "none" };
      const look = { fill: "none", stroke: color, "stroke-width": width, ...dashes };
      const path = linePath(trace.x, trace.y, place, row.y);
      canvas.put(layer, key, "path", { ...look, d: path });
    }
  }
}

function drawShapes(picture, place, canvas, below, above) {
  const boxes = new Boxes();
  picture.layout.shapes.forEach((shape, i) => {
    const y = shape.yref === "paper" ? place.paper : place.rows[shape.yref].y;
    const [x0, x1] = [place.x(shape.x0), place.x(shape.x1)];
    if (shape.type === "rect") {
      const look = { fill: shape.fillcolor, "fill-opacity": shape.opacity };
      const key = `box ${shape.yref} ${shape.fillcolor} ${shape.opacity}`;
      boxes.add(key, look, box(x0, y(shape.y0), x1, y(shape.y1)));
    } else {
      const { color, width, dash } = shape.line;
      const dashes = dash === "dash" ? "5 4" : "none";
      const look = { stroke: color, "stroke-width": width, "stroke-dasharray": dashes };
      const path = `M${round(x0)} ${round(y(shape.y0))}V${round(y(shape.y1))}`;
      canvas.put(above, `line ${i}`, "path", { ...look, d: path });
    }
  });
  boxes.put(canvas, below);
}

/** The bars of the requests; returns where they are, to be pointed at. */
function drawBars(picture, place, canvas, layer, hatches) {
  const { bars, phases } = picture;
  const boxes = new Boxes();
  const marked = new Set(bars.marked);
  const y = place.rows.y.y;
  const found = [];
  for (let i = 0; i < bars.x0.length; i++) {
    const x0 = place.x(bars.x0[i]);
    const x1 = Math.max(place.x(bars.x1[i]), x0 + LEAST_BAR);
    if (x1 < place.left || x0 > place.right) continue;
    const [y0, y1] = [y(bars.y0[i]) + 0.5, y(bars.y1[i]) - 0.5];
    const isHatched = bars.hatched[i];
    const key = `bars ${bars.phase[i]} ${isHatched}`;
    const fill = isHatched ? hatches(bars.phase[i]) : phases[bars.phase[i]];
    boxes.add(key, { fill, class: "lw-request" }, box(x0, y0, x1, y1));
    found.push({ x0, x1, y0, y1, of: bars.of[i] });
  }
  boxes.put(canvas, layer);
  const outlines = outlined(found.filter((bar) => marked.has(bar.of)));
  if (outlines) canvas.put(layer, "marked", "path", { class: "lw-marked", d: outlines });
  return found;
}

/** Around all phases of each. */
function outlined(bars) {
  const whole = new Map();
  for (const { of, x0, x1, y0, y1 } of bars) {
    const known = whole.get(of) ?? [x0, y0, x1, y1];
    whole.set(of, [Math.min(known[0], x0), y0, Math.max(known[2], x1), y1]);
  }
  return [...whole.values()].map(([x0, y0, x1, y1]) => box(x0 - 1, y0 - 1, x1 + 1, y1 + 1)).join("");
}

/** A mark where each band ends; returns where they are. */
function drawEnds(picture, place, canvas, layer) {
  const { x, y, text, marker } = picture.traces.ends;
  const found = [];
  x.forEach((at, i) => {
    const [left, middle] = [place.x(at), place.rows.y.y(y[i])];
    if (left < place.left || left > place.right) return;
    const look = { stroke: marker.color[i], "stroke-width": marker.line.width };
    const half = marker.size / 2;
    const path = `M${round(left)} ${round(middle - half)}V${round(middle + half)}`;
    canvas.put(layer, `end ${at} ${y[i]}`, "path", { ...look, d: path });
    found.push({ x: left, y: middle, half, text: text[i] });
  });
  return found;
}

function drawAxes(picture, place, canvas, grid, texts) {
  let lines = "";
  for (const [name, row] of Object.entries(place.rows)) {
    row.axis.tickvals.forEach((value, i) => {
      const y = round(row.y(value));
      if (row.axis.showgrid !== false) lines += `M${place.left} ${y}H${place.right}`;
      const look = { x: place.left - 5, y: y + 4, "text-anchor": "end" };
      const text = shortened(unescaped(row.axis.ticktext[i]), place.left - 9);
      canvas.put(texts, `${name} ${i}`, "text", look, text);
    });
  }
  timeTicks(place.range, place.width).forEach(({ at, text }, i) => {
    const x = round(place.x(at));
    const hasRoom = x <= place.right - 12; // else its end would be cut off
    for (const row of Object.values(place.rows)) lines += `M${x} ${row.top}V${row.bottom}`;
    lines += `M${x} ${place.bottom}v4`;
    const look = { x, y: place.bottom + 16, "text-anchor": "middle" };
    canvas.put(texts, `time ${i}`, "text", look, hasRoom ? text : "");
  });
  canvas.put(grid, "grid", "path", { d: lines });
}
