// What is read out where one points: the values at that time, or what a bar or a mark says.

const NEAR = 7; // pixels from a mark

/** The request's bar under the pointer, if there is one. */
function barAt(bars, x, y) {
  return bars.findLast((bar) => x >= bar.x0 - 1 && x <= bar.x1 + 1 && y >= bar.y0 && y <= bar.y1);
}

function endAt(ends, x, y) {
  return ends.findLast((end) => Math.abs(x - end.x) <= NEAR && Math.abs(y - end.y) <= end.half + 2);
}

/** The index of the nearest time; the times ascend. */
function nearest(times, at) {
  let low = 0, high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low > 0 && at - times[low - 1] < times[low] - at ? low - 1 : low;
}

/** `%{y:.2f} GB` filled in. */
function readOut(template, value) {
  return template.replace(/%\{y:\.(\d)f\}/, (_, digits) => value.toFixed(Number(digits)));
}

/** Each line's value at a time: name, colour, text. */
function valuesAt(picture, at) {
  const said = [];
  for (const trace of Object.values(picture.traces)) {
    if (trace.mode !== "lines" || !trace.x.length) continue;
    const i = nearest(trace.x, at);
    const value = trace.y[i];
    const wide = Math.max(2, (trace.x.at(-1) - trace.x[0]) / 100);
    if (value === null || Math.abs(trace.x[i] - at) > wide) continue;
    if (trace.stackgroup && !value) continue;
    const text = readOut(trace.hovertemplate, value);
    said.push({ name: unescaped(trace.name), color: trace.fillcolor ?? trace.line.color, text });
  }
  return said;
}

function line(...parts) {
  const made = document.createElement("div");
  made.append(...parts);
  return made;
}

function swatch(color) {
  const made = document.createElement("i");
  made.className = "lw-swatch";
  made.style.background = color;
  return made;
}

/** The box beside the pointer. Whatever it shows is text. */
function tip(el) {
  const shown = document.createElement("div");
  shown.className = "lw-tip";
  shown.hidden = true;
  el.append(shown);
  return {
    hide: () => (shown.hidden = true),
    show(x, y, lines) {
      shown.replaceChildren(...lines);
      shown.hidden = false;
      const { clientWidth, clientHeight } = el;
      const [width, height] = [shown.offsetWidth, shown.offsetHeight];
      const isRight = x + 14 + width <= clientWidth;
      shown.style.left = `${isRight ? x + 14 : Math.max(x - 14 - width, 0)}px`;
      shown.style.top = `${Math.max(Math.min(y + 12, clientHeight - height), 0)}px`;
    },
  };
}

function tipLines(view, x, y) {
  const bar = barAt(view.bars, x, y);
  if (bar) return view.picture.bars.texts[bar.of].split("\n").map((text) => line(text));
  const end = endAt(view.ends, x, y);
  if (end) return plain(end.text).lines.map((text) => line(text));
  const { place } = view;
  const at = place.time(x);
  const head = line(momentText(at, place.range[1] - place.range[0]));
  const values = valuesAt(view.picture, at);
  return [head, ...values.map(({ name, color, text }) => line(swatch(color), `${name} ${text}`))];
}
