// Boxes and labels on a canvas.

import { colourOf, inkOn, shortName } from "./classes.js";

/**
 * Draw faces with their labels.
 * @param context of the canvas, in pixels of the picture
 * @param faces of an answer
 * @param size {width, height} of the picture
 * @param look unit: pixels of the picture that one pixel of the screen takes; chosen: index of a face that stands out
 */
export function drawFaces(context, faces, size, { unit = 1, chosen = -1 } = {}) {
  const side = Math.min(size.width, size.height);
  const line = Math.max(2 * unit, side / 300);
  const font = Math.max(11.5 * unit, Math.min(side / 32, 34 * unit));
  context.textBaseline = "middle";
  context.lineJoin = "round";
  // The surest face last: its label stays readable in a crowd.
  for (let index = faces.length - 1; index >= 0; index -= 1) {
    const face = faces[index];
    const { x1, y1, x2, y2 } = face.box;
    const colour = colourOf(face.name, face.class);
    context.globalAlpha = chosen >= 0 && chosen !== index ? 0.35 : 1;
    context.lineWidth = chosen === index ? line * 1.8 : line;
    context.strokeStyle = colour;
    context.beginPath();
    context.roundRect(x1, y1, x2 - x1, y2 - y1, Math.min(line * 2, (x2 - x1) / 4));
    context.stroke();
    const who = face.track_id === null || face.track_id === undefined ? "" : `${face.track_id} `;
    // Small faces stand close together: their labels say the class alone.
    const sure = x2 - x1 > 4 * font ? ` ${face.confidence.toFixed(2)}` : "";
    drawLabel(context, `${who}${shortName(face.name)}${sure}`, face.box, colour, font, size, false);
    if (face.classifier && !face.classifier.agrees) {
      const other = colourOf(face.classifier.name, 0);
      const text = `or ${shortName(face.classifier.name)}?`;
      drawLabel(context, text, face.box, other, font, size, true);
    }
  }
  context.globalAlpha = 1;
}

function drawLabel(context, text, box, colour, font, size, below) {
  context.font = `600 ${font}px system-ui, sans-serif`;
  const pad = font * 0.35;
  const width = context.measureText(text).width + 2 * pad;
  const height = font * 1.5;
  const left = Math.max(0, Math.min(box.x1 - context.lineWidth / 2, size.width - width));
  const above = box.y1 - height - context.lineWidth / 2;
  const under = Math.min(box.y2 + context.lineWidth / 2, size.height - height);
  const top = below || above < 0 ? under : above;
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(left, top, width, height, font * 0.25);
  context.fill();
  context.fillStyle = inkOn(colour);
  context.fillText(text, left + pad, top + height / 2 + font * 0.04);
}

/** Return a picture with its faces drawn, in its full size, as a Blob. */
export async function annotated(bitmap, faces, type) {
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  drawFaces(context, faces, bitmap);
  return new Promise((done) => canvas.toBlob(done, type, 0.92));
}
