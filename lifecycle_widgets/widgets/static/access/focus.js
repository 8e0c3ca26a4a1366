// The focus is not lost when what has it is disabled, hidden or removed.

const CAN_FOCUS =
  "button:enabled, input:enabled, select:enabled, textarea:enabled, summary, a[href], [tabindex='0']";

let due = null; // what the focus goes to as soon as that can have it
let last = null; // what has had it

const isNowhere = () => !document.activeElement || document.activeElement === document.body;
const isSeen = (node) => node.getClientRects().length > 0;

/** Run for Stop, and Stop for Run; for others none. */
function partnerOf(button) {
  if (button.matches(".lw-run")) return button.nextElementSibling;
  const before = button.previousElementSibling;
  return before?.matches(".lw-run") ? before : null;
}

/** A button was disabled or enabled. */
function switched(button) {
  const had = document.activeElement === button || (isNowhere() && last === button);
  if (button.disabled && had) due = partnerOf(button) ?? button;
  settleFocus(button);
}

function settleFocus(button) {
  if (!due) return;
  const active = document.activeElement;
  if (!isNowhere() && active !== button && !active.disabled) due = null; // the person has gone on
  else if (!due.isConnected) due = null;
  else if (!due.disabled) {
    due.focus({ preventScroll: true });
    due = null;
  }
}

/** The part before `gone` that can have the focus, else the first one of the widget. */
function beside(root, gone) {
  const all = [...root.querySelectorAll(CAN_FOCUS)].filter(isSeen);
  const isBefore = (node) => gone.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING;
  return all.findLast((node) => isBefore(node) && !gone.contains(node)) ?? all[0];
}

function hidden(root, node) {
  if (node.style.display !== "none" || !node.contains(document.activeElement)) return;
  beside(root, node)?.focus({ preventScroll: true });
}

function removed(root, record) {
  const isLast = (node) => node.nodeType === Node.ELEMENT_NODE && node.contains(last);
  if (!last || !isNowhere() || ![...record.removedNodes].some(isLast)) return;
  const place = record.previousSibling ?? record.target;
  const inside = [...record.target.querySelectorAll(CAN_FOCUS)].find(isSeen);
  (inside ?? beside(root, place.nodeType === Node.ELEMENT_NODE ? place : record.target))?.focus({
    preventScroll: true,
  });
  last = document.activeElement;
}
