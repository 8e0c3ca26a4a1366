// The picture as a file, and other files that the kernel has made.

// on any ground, so with fixed colours; the page's are its theme's
const LOOK = `text { font-family: system-ui, sans-serif; font-size: 11px; fill: #333333;
  paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
.lw-grid path { stroke: #888888; stroke-opacity: 0.25; fill: none }
.lw-marked { fill: none; stroke: #333333; stroke-width: 1.5 }
.lw-spike { display: none }`;
const SHARP = 2; // pixels of a PNG for one of the page

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The drawing on its own, on white. */
function standing(svg) {
  const { width, height } = svg.getBoundingClientRect();
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const style = document.createElementNS(SVG, "style");
  style.textContent = LOOK;
  const ground = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ width, height, fill: "#ffffff" })) {
    ground.setAttribute(name, value);
  }
  copy.prepend(style, ground);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

async function asPng({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * SHARP, height * SHARP];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Save the drawing as `name`, a PNG or an SVG by its ending. */
async function savePicture(svg, name) {
  const made = standing(svg);
  const isPng = name.endsWith(".png");
  download(isPng ? await asPng(made) : new Blob([made.text], { type: "image/svg+xml" }), name);
}
