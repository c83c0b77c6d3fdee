"use strict";
(function () {
  const element = (id) => document.getElementById(id);
  const numbers = JSON.parse(element("what-if-numbers").textContent);
  const controls = {
    strategy: element("strategy"),
    moved: element("moved"),
    odds: element("odds"),
    share: element("share"),
    falsePositive: element("cost-fp"),
    falseNegative: element("cost-fn"),
  };
  let share = numbers.prior[numbers.place];
  let place = numbers.place;

  const sum = (values) => values.reduce((total, value) => total + value, 0);

  // The class's share is given, the others keep their proportions.
  function priorOf() {
    const rest = 1 - numbers.prior[place];
    return numbers.prior.map((p, k) => (k === place ? share : (p * (1 - share)) / rest));
  }

  // Recalls stay: each true class's row is scaled to its share.
  function project(counts, prior) {
    return counts.map((row, k) => {
      const scale = (numbers.per * prior[k]) / sum(row);
      return row.map((count) => count * scale);
    });
  }

  function quotient(hits, all) {
    return all > 0 ? hits / all : NaN;
  }

  // Three figures, thousands in full: as the tables have them.
  function shown(value) {
    if (Number.isNaN(value)) return "\u2013";
    if (value === 0) return "0";
    const digits = Math.max(0, 2 - Math.floor(Math.log10(value)));
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return value.toLocaleString("en-US", options);
  }

  function brief(value) {
    return Number(value.toPrecision(3)).toLocaleString("en-US");
  }

  function put(target, value) {
    target.value = Number.isNaN(value) ? "" : String(value);
    target.textContent = shown(value);
  }

  function oddsText() {
    const others = (1 - share) / share;
    return others >= 1 ? "1:" + brief(others) : brief(1 / others) + ":1";
  }

  function percent() {
    return shown(100 * share) + "\u00a0%";
  }

  function rates(matrix) {
    const columns = matrix.map((_, k) => sum(matrix.map((row) => row[k])));
    return {
      columns: columns,
      rows: matrix.map(sum),
      precision: matrix.map((row, k) => quotient(row[k], columns[k])),
      recall: matrix.map((row, k) => quotient(row[k], sum(row))),
    };
  }

  function figures(matrix) {
    const found = rates(matrix);
    const hits = matrix[place][place];
    const alarms = found.columns[place];
    const rows = found.rows[place];
    const right = sum(matrix.map((row, k) => row[k]));
    const values = {
      precision: found.precision[place],
      recall: found.recall[place],
      f1: (2 * hits) / (alarms + rows),
      alarms: alarms,
      wrong: (numbers.per - right) / numbers.per,
    };
    if (controls.falsePositive) {
      const costs = [controls.falsePositive, controls.falseNegative].map((c) => c.valueAsNumber);
      values.cost = ((alarms - hits) * costs[0] + (rows - hits) * costs[1]) / numbers.per;
    }
    return { values: values, precision: found.precision, recall: found.recall };
  }

  function putAll(name, values) {
    for (const target of document.querySelectorAll("[data-" + name + "]")) {
      put(target, values[Number(target.dataset[name])]);
    }
  }

  function sayAll(values) {
    element("summary").textContent =
      "At " + oddsText() + " (" + percent() + "): precision " + shown(values.precision) +
      ", recall " + shown(values.recall) + ", " + shown(values.alarms) +
      " alarms in 10,000 rows.";
  }

  function update() {
    const counts = numbers.confusions[Number(controls.strategy.value)];
    const matrix = project(counts, priorOf());
    const found = figures(matrix);
    for (const name of Object.keys(found.values)) {
      const target = element("figure-" + name);
      if (target) put(target, found.values[name]);
    }
    for (const target of document.querySelectorAll("[data-cell]")) {
      const [row, column] = target.dataset.cell.split(",").map(Number);
      put(target, matrix[row][column]);
    }
    putAll("recall", found.recall);
    putAll("precision", found.precision);
    controls.odds.setAttribute("aria-valuetext", oddsText() + ", " + percent());
    sayAll(found.values);
  }

  function moveSlider() {
    controls.odds.value = String(Math.log10(share / (1 - share)));
  }

  function writeShare() {
    controls.share.value = String(Number(share.toPrecision(4)));
    say("");
  }

  function say(problem) {
    const target = element("share-error");
    target.textContent = problem;
    target.hidden = problem === "";
    controls.share.setAttribute("aria-invalid", String(problem !== ""));
  }

  // "0.01", "1%" or "1:99"; NaN for anything else.
  function parsed(text) {
    const words = text.replace(/\s|,/g, "");
    const number = "(\\d+\\.?\\d*(?:e-?\\d+)?|\\.\\d+(?:e-?\\d+)?)";
    const odds = words.match(new RegExp("^" + number + ":" + number + "$", "i"));
    if (odds) return Number(odds[1]) / (Number(odds[1]) + Number(odds[2]));
    const one = words.match(new RegExp("^" + number + "(%?)$", "i"));
    return one ? Number(one[1]) / (one[2] ? 100 : 1) : NaN;
  }

  controls.odds.addEventListener("input", () => {
    const odds = Math.pow(10, Number(controls.odds.value));
    share = odds / (1 + odds);
    writeShare();
    update();
  });
  controls.share.addEventListener("input", () => {
    const value = parsed(controls.share.value);
    const valid = value > 0 && value < 1;
    say(valid ? "" : "Give a share between 0 and 1, such as 0.01, 1% or 1:99.");
    if (!valid) return;
    share = value;
    moveSlider();
    update();
  });
  if (controls.moved) {
    controls.moved.addEventListener("change", () => {
      place = Number(controls.moved.value);
      share = numbers.prior[place];
      moveSlider();
      writeShare();
      update();
    });
  }
  for (const control of [controls.strategy, controls.falsePositive, controls.falseNegative]) {
    if (control) control.addEventListener("input", update);
  }

  // A page that comes back may keep what was chosen.
  controls.strategy.value = String(numbers.chosen);
  if (controls.moved) controls.moved.value = String(place);
  element("what-if").hidden = false;
  moveSlider();
  writeShare();
  update();
})();
