// Elements of a drawing that are kept from one picture to the next: only what differs is set.

const SVG = "http://www.w3.org/2000/svg";

/** A drawing in `root`: `put` each element by its key, then `done` takes out what was not put. */
function drawing(root) {
  const kept = new Map();
  let put = new Set();

  function element(parent, key, tag) {
    let made = kept.get(key);
    if (!made) {
      made = { node: document.createElementNS(SVG, tag), attributes: {}, text: null };
      parent.append(made.node);
      kept.set(key, made);
    }
    return made;
  }

  return {
    put(parent, key, tag, attributes, text = null) {
      const made = element(parent, key, tag);
      put.add(key);
      for (const [name, value] of Object.entries(attributes)) {
        if (made.attributes[name] !== value) made.node.setAttribute(name, value);
      }
      made.attributes = attributes;
      if (text !== null && made.text !== text) made.node.textContent = made.text = text;
      return made.node;
    },
    done() {
      for (const [key, { node }] of kept) {
        if (put.has(key)) continue;
        node.remove();
        kept.delete(key);
      }
      put = new Set();
    },
    layer(name) {
      const node = document.createElementNS(SVG, "g");
      node.setAttribute("class", `lw-${name}`);
      root.append(node);
      return node;
    },
  };
}

/** Text that was written for plotly, as lines. */
function plain(text) {
  const bare = text.replace(/<\/?b>|<extra><\/extra>/g, "");
  return { lines: bare.split("<br>").map(unescaped) };
}

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&amp;": "&" };

function unescaped(text) {
  return text.replace(/&(?:lt|gt|quot|#x27|amp);/g, (entity) => ENTITIES[entity]);
}
