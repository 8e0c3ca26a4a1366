// What of some HTML may stand on the page: elements and attributes on a list, made anew. The HTML
// is read in a document of its own, in which nothing runs and nothing is fetched.

const KEPT = {
  model: {
    // what a model has written, as Markdown
    tags:
      "A B BLOCKQUOTE BR CODE DEL EM H1 H2 H3 H4 H5 H6 HR I LI OL P PRE S STRONG TABLE TBODY TD " +
      "TH THEAD TR UL",
    attributes: {
      href: /^(https?:|mailto:)/i,
      target: /^_blank$/,
      rel: /^noopener noreferrer$/,
      start: /^\d{1,9}$/,
      align: /^(left|center|right)$/,
    },
  },
  ours: {
    // where the time went
    tags: "B BR DD DETAILS DIV DL DT I LI OL P SPAN SUMMARY TABLE TBODY TD TH THEAD TR UL",
    attributes: {
      class: /^lw-[\w -]*$/,
      style: /^((flex-grow|left|width): ?[\d.]+%?;? ?)+$/,
      title: /./s,
      role: /^[a-z]+$/,
      scope: /^(row|col)(group)?$/,
      rowspan: /^\d+$/,
      colspan: /^\d+$/,
      "aria-label": /./s,
      "aria-hidden": /^true$/,
    },
  },
};
const DEEPEST = 60;

const list = (rules) => (rules.set ??= new Set(rules.tags.split(" ")));

function kept(html, of) {
  const read = new DOMParser().parseFromString(html, "text/html");
  return copied(read.body, KEPT[of], 0);
}

/** The children of a node; of what is not on the list only its text is left. */
function copied(from, rules, depth) {
  const to = document.createDocumentFragment();
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    const inner = depth < DEEPEST ? copied(node, rules, depth + 1) : node.textContent;
    to.append(list(rules).has(node.tagName) ? element(node, rules, inner) : inner);
  }
  return to;
}

function element(node, rules, inner) {
  const made = document.createElement(node.tagName);
  for (const { name, value } of node.attributes) {
    const isListed = Object.hasOwn(rules.attributes, name);
    if (isListed && rules.attributes[name].test(value)) made.setAttribute(name, value);
  }
  made.append(inner);
  return made;
}
