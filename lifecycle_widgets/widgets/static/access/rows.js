// The table of runs by keyboard: one of its rows has the focus, arrows move it, Space or Enter
// selects, as a click does.

const GRID = ".lw-runs table.dataTable";

const rowsOf = (grid) => [...grid.querySelectorAll(":scope > tbody > tr")];

function dressGrid(grid) {
  set(grid, "role", "grid");
  set(grid, "aria-label", "Runs");
  set(grid, "aria-multiselectable", "true");
  const rows = rowsOf(grid);
  const current = rows.find((row) => row.tabIndex === 0) ?? rows[0];
  for (const row of rows) {
    set(row, "tabindex", row === current ? "0" : "-1");
    set(row, "aria-selected", String(row.classList.contains("selected")));
  }
}

const MOVES = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  Home: () => 0,
  End: () => Infinity,
};

function pressRow(event) {
  const row = event.target.closest?.(`${GRID} > tbody > tr`);
  if (row !== event.target || event.ctrlKey || event.metaKey || event.altKey) return;
  const isChoice = event.key === " " || event.key === "Enter";
  if (!isChoice && !(event.key in MOVES)) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // these keys mean something to the notebook, too
  if (isChoice) return row.cells[0].click();
  const rows = rowsOf(row.closest(GRID));
  const to = MOVES[event.key](rows.indexOf(row));
  focusRow(rows[Math.min(Math.max(to, 0), rows.length - 1)], rows);
}

function focusRow(row, rows) {
  for (const other of rows) set(other, "tabindex", other === row ? "0" : "-1");
  row.focus();
}
