"use strict";
// Pages are complete without this script; it sorts, filters, draws error bars and changes the theme.
const THEMES = ["system", "light", "dark"];

function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function savedTheme() {
  try {
    const theme = localStorage.getItem("bagen-theme");
    return THEMES.includes(theme) ? theme : "system";
  } catch {
    return "system"; // storage may be forbidden
  }
}

setTheme(savedTheme()); // before anything is painted

function startTheme() {
  const button = document.getElementById("theme");
  const label = button.querySelector("span");
  let theme = savedTheme();
  label.textContent = theme;
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    label.textContent = theme;
    setTheme(theme);
    try {
      localStorage.setItem("bagen-theme", theme);
    } catch {
      // it lasts as long as the page
    }
  });
}

// Counts of estimators that are better and worse than a row, by kind, for each score; null for a score without a rank.
function placesOf(text) {
  return text.split(",").map((part) => {
    if (part === "") return null;
    const [better, worse] = part.split("|").map((counts) => counts.split(" ").map(Number));
    return { better, worse };
  });
}

// Draws error bars, which would make the page large; their intervals are in the cells as numbers.
function drawBars(table) {
  const namespace = "http://www.w3.org/2000/svg";
  const headings = table.tHead.rows[1].cells;
  for (const cell of table.querySelectorAll("[data-bar]")) {
    const picture = document.createElementNS(namespace, "svg");
    picture.setAttribute("viewBox", "0 0 100 8");
    picture.setAttribute("preserveAspectRatio", "none"); // as wide as its cell; strokes do not scale
    picture.setAttribute("aria-hidden", "true");
    const zero = headings[cell.cellIndex].dataset.zero;
    if (zero !== undefined) {
      const line = document.createElementNS(namespace, "path");
      line.setAttribute("class", "zero");
      line.setAttribute("d", `M${zero} 0V8`);
      picture.append(line);
    }
    const path = document.createElementNS(namespace, "path");
    path.setAttribute("d", cell.dataset.bar);
    picture.append(path);
    cell.firstChild.after(picture);
    document.querySelector("[data-needs=bars]").hidden = false;
  }
}

// A body of a table with one row, which is shown where no other row is.
function nothingFits(columns, clear) {
  const body = document.createElement("tbody");
  const cell = body.insertRow().insertCell();
  cell.colSpan = columns;
  cell.className = "nothing";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "clear the filters";
  button.addEventListener("click", clear);
  cell.append("No row fits; ", button);
  return body;
}

// Makes a table sortable, and returns a function that shows what the filters choose and reports how many rows that is.
function startBoard(table, clear) {
  drawBars(table);
  const headings = [...table.tHead.rows[1].cells];
  const ranked = table.dataset.ranked.split(",");
  const rankHeading = headings[0];
  const rows = [...table.querySelectorAll("tbody tr[data-standing]")].map((element, order) => ({
    element,
    order,
    text: `${element.cells[1].textContent}\n${element.dataset.model ?? ""}`.toLowerCase(),
    name: element.cells[1].textContent.trim().toLowerCase(),
    values: [...element.cells].map((cell) => (cell.dataset.v === undefined ? null : Number(cell.dataset.v))),
    places: element.dataset.places === undefined ? [] : placesOf(element.dataset.places),
    kind: Number(element.dataset.kind),
    isLine: ["reference", "ceiling"].includes(element.dataset.standing), // across the scores of its block
  }));
  const blocks = [...table.tBodies].map((body) => ({
    body,
    rows: rows.filter((row) => row.element.parentNode === body),
  }));
  const nothing = nothingFits(headings.length, clear);
  table.append(nothing);
  let column = headings.findIndex((heading) => heading.dataset.key === table.dataset.by);
  let descending = true;

  function compare(first, second) {
    if (headings[column].dataset.key === "name") {
      const order = first.name < second.name ? -1 : first.name > second.name ? 1 : first.order - second.order;
      return descending ? -order : order;
    }
    const [one, other] = [first.values[column], second.values[column]];
    if (one === null || other === null) return (one === null) - (other === null) || first.order - second.order;
    return (descending ? other - one : one - other) || first.order - second.order;
  }

  // Shows ranks among the chosen rows, including those that a search hides. Only submitted estimators have ranks.
  function showRanks(chosen) {
    const key = headings[column].dataset.key;
    const score = ranked.includes(key) ? ranked.indexOf(key) : 0;
    rankHeading.textContent = score === 0 ? "Rank" : "Rank by this";
    const ranking = chosen.filter((row) => row.places[score]);
    const kinds = [...new Set(ranking.map((row) => row.kind))];
    const total = (counts) => kinds.reduce((sum, kind) => sum + counts[kind], 0);
    for (const row of chosen) {
      if (row.places.length === 0 || row.places[score]) continue;
      const none = document.createElement("small");
      none.textContent = "not ranked";
      row.element.cells[0].replaceChildren(none);
      row.element.classList.remove("tie-odd", "tie-even");
    }
    let [last, odd] = [null, false];
    for (const row of ranking) {
      const better = total(row.places[score].better);
      const lowest = ranking.length - total(row.places[score].worse);
      const cell = row.element.cells[0];
      const rank = document.createElement("b");
      rank.textContent = 1 + better;
      cell.replaceChildren(rank);
      if (lowest !== 1 + better) {
        const range = document.createElement("small");
        range.textContent = `to ${lowest}`;
        cell.append(range);
      }
      if (last !== better) odd = !odd;
      last = better;
      row.element.classList.toggle("tie-odd", odd);
      row.element.classList.toggle("tie-even", !odd);
    }
  }

  function show() {
    const [search, trained, weights, constrained, paper] = ["search", "trained", "weights", "constrained", "paper"].map(
      (name) => document.getElementById(name),
    );
    const wanted = search.value.trim().toLowerCase();
    const narrows = trained.value || weights.value || constrained.value;
    rows.sort(compare);
    const chosen = [];
    let visible = 0;
    for (const row of rows) {
      const about = row.element.dataset;
      const isChosen =
        (!trained.value || (about.trained === "benchmark") === (trained.value === "benchmark")) &&
        (!weights.value || about.weights === weights.value) &&
        (!constrained.value || about.constrained === constrained.value);
      let fits = about.standing === "paper" ? paper.checked && !narrows : isChosen;
      if (row.isLine) fits = row.values[column] !== null; // no row is above or below it by a name or a cost
      if (fits) chosen.push(row);
      row.element.hidden = !(fits && row.text.includes(wanted));
      if (!row.isLine) visible += !row.element.hidden;
    }
    nothing.hidden = visible > 0;
    for (const block of blocks) {
      block.rows.sort(compare);
      block.body.append(...block.rows.map((row) => row.element));
      block.body.hidden = block.rows.every((row) => row.isLine || row.element.hidden);
    }
    showRanks(chosen);
    return `${table.dataset.title}: ${visible} of ${rows.filter((row) => !row.isLine).length} rows`;
  }

  headings.forEach((heading, place) => {
    if (heading.dataset.key === undefined) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const startsDescending = heading.dataset.better !== "lower";
      descending = place === column ? !descending : startsDescending;
      headings[column].removeAttribute("aria-sort");
      column = place;
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      show();
    });
  });
  return show;
}

function startBoards(tables) {
  const [filters, fold] = ["filters", "narrow"].map((name) => document.getElementById(name));
  const isWide = matchMedia("(min-width: 601px)"); // as in the style, which hides the fold's summary there
  const unfold = () => {
    if (isWide.matches) fold.open = true;
  };
  const showAll = () => {
    document.getElementById("status").textContent = shows.map((show) => show()).join("; ");
  };
  const clear = () => {
    filters.reset();
    showAll();
    fold.open = true;
    document.getElementById("search").focus(); // the button is gone
  };
  const shows = tables.map((table) => startBoard(table, clear));
  filters.addEventListener("input", showAll);
  filters.addEventListener("submit", (event) => event.preventDefault());
  isWide.addEventListener("change", unfold);
  unfold();
  fold.hidden = false;
  showAll();
}

document.addEventListener("DOMContentLoaded", () => {
  startTheme();
  const tables = [...document.querySelectorAll("table.board")];
  if (tables.length) startBoards(tables);
});
