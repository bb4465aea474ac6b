// The faces of an answer as a table, for who does not see the boxes or wants their numbers.

import { colourOf, titleOf } from "./classes.js";

const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

/**
 * Show the faces of an answer.
 * @param table where
 * @param result answer, or null while there is none
 * @param both with a column of the classifier's answers
 * @param choose is given the index of the face that is looked at, or -1
 */
export function showFaces(table, result, both, choose) {
  const head = ["Face", "Class", "Confidence", ...(both ? ["Classifier"] : []), "Box, pixels"];
  const row = make("tr");
  row.append(...head.map((text) => make("th", { textContent: text, scope: "col" })));
  row.lastChild.className = "where";
  table.tHead.replaceChildren(row);
  const faces = result?.detections ?? [];
  const rows = faces.map((face, index) => faceRow(face, index, both, choose));
  if (!faces.length) {
    const empty = make("tr");
    const textContent = result ? "No face above the threshold." : "–";
    empty.append(make("td", { colSpan: head.length, className: "quiet", textContent }));
    rows.push(empty);
  }
  table.tBodies[0].replaceChildren(...rows);
}

function faceRow(face, index, both, choose) {
  const row = make("tr");
  const button = make("button", { type: "button", className: "plain", textContent: index + 1 });
  button.setAttribute("aria-label", `Show face ${index + 1}`);
  row.addEventListener("pointerenter", () => choose(index));
  row.addEventListener("pointerleave", () => choose(-1));
  button.addEventListener("focus", () => choose(index));
  button.addEventListener("blur", () => choose(-1));
  const cells = [button, classCell(face.name, face.class), face.confidence.toFixed(2)];
  if (both) {
    const { classifier } = face;
    const sure = classifier && ` ${classifier.confidence.toFixed(2)}`;
    cells.push(classifier ? classCell(classifier.name, 0, sure, !classifier.agrees) : "–");
  }
  const { x1, y1, x2, y2 } = face.box;
  cells.push(`${Math.round(x1)}, ${Math.round(y1)} – ${Math.round(x2)}, ${Math.round(y2)}`);
  for (const content of cells) row.insertCell().append(content);
  row.lastChild.className = "where";
  return row;
}

function classCell(name, id, more = "", strong = false) {
  const cell = make("span", { className: strong ? "strong" : "" });
  const dot = make("span", { className: "dot" });
  dot.style.background = colourOf(name, id);
  cell.append(dot, titleOf(name), more);
  return cell;
}
