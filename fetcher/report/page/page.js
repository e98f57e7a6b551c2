"use strict";

// Sort by the buttons that this puts into headers; without it the tables are what they are.
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function value(row, column) {
  const cell = row.cells[column];
  return cell.dataset.n === undefined ? cell.textContent : Number(cell.dataset.n);
}

function compare(one, other) {
  return typeof one === "number" && typeof other === "number" ? one - other : collator.compare(one, other);
}

function sort(table, header) {
  const order = header.getAttribute("aria-sort");
  const ascending = order ? order === "descending" : !header.classList.contains("n");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, row => [value(row, header.cellIndex), row]);
  rows.sort((one, other) => (ascending ? 1 : -1) * compare(one[0], other[0]));
  body.append(...rows.map(([, row]) => row));
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  if (table.tBodies[0].rows.length < 2) continue;
  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(table, header));
    header.append(button);
  }
}

// Filter rows by the words that are in them.
for (const place of document.querySelectorAll(".filter")) {
  const input = place.querySelector("input");
  const output = place.querySelector("output");
  const rows = Array.from(document.getElementById(place.dataset.for).tBodies[0].rows);
  const all = output.textContent;
  let texts = null;
  input.addEventListener("input", () => {
    texts = texts || rows.map(row => Array.from(row.cells, cell => cell.textContent).join(" ").toLowerCase());
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, number) => {
      row.hidden = !words.every(word => texts[number].includes(word));
      count += !row.hidden;
    });
    output.textContent = words.length ? `${count.toLocaleString("en")} of ${all}` : all;
  });
  place.hidden = false;
}
