"use strict";
// Tables sort by the column that is clicked: numbers by their value, what is not there last.
const number = (cell) => parseFloat(cell.textContent.replace(/[,<]/g, ""));
const compare = (one, other) => {
  const [first, second] = [number(one), number(other)];
  if (isNaN(first) || isNaN(second)) {
    return isNaN(first) - isNaN(second) || one.textContent.localeCompare(other.textContent);
  }
  return first - second;
};
const sort = (head) => {
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  const [column, body] = [head.cellIndex, head.closest("table").tBodies[0]];
  for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const known = (row) => row.cells[column].textContent.trim() !== "\u2013";
  const rows = [...body.rows].sort((one, other) => {
    if (known(one) !== known(other)) return known(one) ? -1 : 1;
    return (ascending ? 1 : -1) * compare(one.cells[column], other.cells[column]);
  });
  body.append(...rows);
};
for (const head of document.querySelectorAll(".sortable th")) {
  head.addEventListener("click", () => sort(head));
  head.addEventListener("keydown", (event) => event.key === "Enter" && sort(head));
}
// A figure that is clicked fills the window until the next click or Escape.
const dialog = document.getElementById("enlarged");
for (const image of document.querySelectorAll("figure img")) {
  image.addEventListener("click", () => {
    dialog.firstElementChild.src = image.src;
    dialog.showModal();
  });
}
dialog.addEventListener("click", () => dialog.close());
