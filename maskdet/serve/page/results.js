// Answers (maskdet/1 objects): what is left of one above a threshold, and as files.

import { isCompliant, saysCompliance } from "./classes.js";
import { asNumber, isAbove } from "./threshold.js";

/** Return the answer that the server would have given with this threshold, or with these: fewer faces, other counts. */
export function above(result, conf) {
  const detections = result.detections.filter((face) => isAbove(face, conf));
  const counts = Object.fromEntries(Object.keys(result.counts).map((name) => [name, 0]));
  for (const face of detections) counts[face.name] = (counts[face.name] ?? 0) + 1;
  const compliant = saysCompliance(Object.keys(counts)) ? detections.filter((face) => isCompliant(face.name)).length : null;
  const faces = detections.length;
  const compliance = compliant === null || !faces ? null : Math.round((compliant / faces) * 1e4) / 1e4;
  return { ...result, model: { ...result.model, conf: asNumber(conf) }, detections, counts, summary: { faces, compliant, compliance } };
}

/** Return how often detector and classifier differ, and of how many faces; null where only one was asked. */
export function disagreement(result) {
  const asked = result.detections.filter((face) => face.classifier);
  return asked.length ? { differ: asked.filter((face) => !face.classifier.agrees).length, of: asked.length } : null;
}

/** Return JSON, or JSON Lines of several. */
export const toJson = (results) => results.map((result) => `${JSON.stringify(result)}\n`).join("");

/** Return a table of faces with the columns of maskdet's own CSV. */
export function toCsv(results) {
  const head = ["path", "frame", "name", "class", "confidence", "x1", "y1", "x2", "y2", "track_id"];
  const rows = results.flatMap(({ image, detections }) =>
    detections.map(({ name, class: id, confidence, box, track_id: track }) => {
      return [image.path, image.frame, name, id, confidence, box.x1, box.y1, box.x2, box.y2, track];
    }),
  );
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
}

/** Return a cell of CSV; one that a spreadsheet would compute is written as a path or with an apostrophe. */
function cell(value, column) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r\n＝＋－＠]/.test(text)) text = (column === 0 ? "./" : "'") + text;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
