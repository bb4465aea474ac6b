// What is shown, as files.

import { annotated } from "./draw.js";
import { toCsv, toJson } from "./results.js";

const stem = (name) => name.replace(/\.[^.]+$/, "");
const called = (results) => (results.length === 1 ? stem(results[0].image.path) : "maskdet");

export function saveJson(results) {
  const [ending, type] = results.length > 1 ? ["jsonl", "application/jsonl"] : ["json", "application/json"];
  save(new Blob([toJson(results)], { type }), `${called(results)}.${ending}`);
}

export function saveCsv(results) {
  save(new Blob([toCsv(results)], { type: "text/csv" }), `${called(results)}.csv`);
}

/** Save a picture in its full size with its faces drawn; a JPEG stays one, anything else becomes a PNG. */
export async function savePicture({ file, bitmap, shownDrawn, name, type }, faces) {
  const whole = shownDrawn ? bitmap : await createImageBitmap(file);
  const [kind, ending] = type === "image/jpeg" ? [type, "jpg"] : ["image/png", "png"];
  save(await annotated(whole, faces, kind), `${stem(name)}-maskdet.${ending}`);
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
