// The texts of a picture: labels in the lanes, titles of the rows, and what is said of the view.

const ANCHORS = { left: "start", center: "middle", right: "end" };

/** Texts in the lanes, the bold ones first: what has no room beside those is left out. */
function drawTexts(picture, place, canvas, layer) {
  const taken = [];
  const isBold = (said) => said.text.startsWith("<b>");
  const texts = picture.layout.annotations.map((said, i) => ({ said, i }));
  texts.sort((a, b) => isBold(b.said) - isBold(a.said));
  for (const { said, i } of texts) {
    const isPaper = said.xref === "paper";
    if (place.isNarrow && isPaper && said.xshift < 0 && said.xanchor === "left") {
      drawTitle(said, i, place, canvas, layer);
      continue;
    }
    let x = isPaper ? place.left + said.x * place.width : place.x(said.x);
    if (!isPaper && (x < place.left - 1 || x > place.right + 1)) continue;
    const y = said.yref === "paper" ? place.paper(said.y) : place.rows[said.yref].y(said.y);
    const { lines } = plain(said.text);
    const width = LETTER * Math.max(...lines.map((line) => line.length));
    let anchor = ANCHORS[said.xanchor];
    let shift = said.xshift ?? 0;
    if (!isPaper && anchor === "start" && x + shift + width > place.right + 8) {
      [anchor, shift] = ["end", -shift]; // else the page would cut it off
    }
    x += shift;
    const from = x - { start: 0, middle: width / 2, end: width }[anchor];
    const isOver = (other) => other.y === y && from < other.to && other.from < from + width;
    if (said.yref !== "paper" && taken.some(isOver)) continue;
    taken.push({ y, from, to: from + width });
    const weight = isBold(said) ? "bold" : "normal";
    const look = { x: round(x), "text-anchor": anchor, "font-weight": weight, ...inBar(said) };
    lines.forEach((line, k) => {
      const down = (k - (lines.length - 1) / 2) * LINE + 4;
      canvas.put(layer, `said ${i} ${k}`, "text", { ...look, y: round(y + down) }, line);
    });
  }
}

/** On a model's bar, at its end, a text is black or white, by the bar's colour, in any theme. */
function inBar(said) {
  const isOnBar = said.xanchor === "right" && said.xref !== "paper";
  return { style: isOnBar ? `fill: ${said.font.color}; stroke: none` : "" };
}

/** A row's title, in the row where there is no room beside it. */
function drawTitle(said, i, place, canvas, layer) {
  const y = place.paper(said.y);
  const row = Object.values(place.rows).find(({ top, bottom }) => top <= y && y <= bottom);
  const look = { x: place.left + 4, y: round((row?.top ?? y) + 11), "text-anchor": "start" };
  const text = plain(said.text).lines.join(" ");
  canvas.put(layer, `said ${i} 0`, "text", { ...look, "font-weight": "normal" }, text);
}

/** Beside the times: that the view is held, or paused. */
function drawSaid(said, place, canvas, layer) {
  if (!said) return;
  const look = { x: 4, y: place.bottom + 16, "font-weight": "bold" };
  canvas.put(layer, "held", "text", look, said);
}
