// What a status line says, for who hears the page: only when it says something else, not when a
// number in it goes on.

const REGION = "lw-spoken";

/** What is left of a text without its numbers and their units. */
const kindOf = (text) => text.replace(/[\d.,]+ ?(ms|s|min|h|%|[kMGT]?B)?(?![\p{L}])/gu, "#");

const lastKind = new WeakMap(); // by status line

/** One place a page: what stands in it is read out when the reader has come to a pause. */
function sayOnPage(text) {
  let region = document.getElementById(REGION);
  if (!region) {
    region = document.createElement("div");
    region.id = region.className = REGION;
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = text;
}

/** A status line may have changed; `isNew` has just come onto the page. */
function hear(line, isNew) {
  const text = words(line);
  const kind = kindOf(text);
  const isSame = lastKind.get(line) === kind;
  lastKind.set(line, kind);
  if (!isSame && !isNew && text) sayOnPage(text);
}
