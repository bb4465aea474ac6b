// The large figures beside a picture: compliance, a bar, counts.

import { colourOf, titleOf } from "./classes.js";

/** Return a share as whole percent, or a dash. */
export const percent = (share) => (share === null ? "–" : `${Math.round(share * 100)} %`);

/** Return the summary of an answer in words. */
export function inWords({ faces, compliant }) {
  if (!faces) return "No face found.";
  const some = faces === 1 ? "1 face" : `${faces} faces`;
  return compliant === null ? `${some} found.` : `${compliant} of ${some}`;
}

/** Return the counts in words, for who does not see the picture. */
export function countsInWords(counts) {
  const told = Object.entries(counts).filter(([, count]) => count);
  return told.length ? told.map(([name, count]) => `${count} ${titleOf(name).toLowerCase()}`).join(", ") : "no face";
}

/** Show an answer's figures in the elements that are given; null empties them. */
export function showAnswer(result, { big, words, meter, counts }) {
  big.textContent = result ? percent(result.summary.compliance) : "–";
  words.textContent = result ? inWords(result.summary) : "";
  const entries = result ? Object.entries(result.counts) : [];
  meter.replaceChildren(
    ...entries.flatMap(([name, count], index) => {
      if (!count) return [];
      const part = document.createElement("span");
      part.style.flexGrow = String(count);
      part.style.background = colourOf(name, index);
      return [part];
    }),
  );
  counts.replaceChildren(
    ...entries.map(([name, count], index) => {
      const line = document.createElement("div");
      const term = document.createElement("dt");
      const dot = document.createElement("span");
      dot.className = "dot";
      dot.style.background = colourOf(name, index);
      term.append(dot, titleOf(name));
      const value = document.createElement("dd");
      value.textContent = String(count);
      line.append(term, value);
      return line;
    }),
  );
}
