// The classes, their short names and colours, as in maskdet/classes.py and maskdet/results/draw.py.

const KNOWN = ["with_mask", "without_mask", "mask_weared_incorrect"];
const SHORT = ["mask", "no mask", "worn wrong"];
const TITLES = ["With mask", "Without mask", "Worn wrong"];
const COLOURS = ["#1eb43c", "#e12828", "#f5cd00"];
const OTHER_COLOURS = ["#1478dc", "#b43cc8", "#fa8c3c", "#14bebe", "#787878", "#5a3c8c"];
const ALIASES = {
  mask: 0, masked: 0, facemask: 0, nomask: 1, unmasked: 1, maskwornincorrect: 2, maskwornincorrectly: 2,
  maskwearedincorrectly: 2, incorrectmask: 2, impropermask: 2,
};

/** Return which of the three classes a name means (0, 1, 2), or -1. */
function meaning(name) {
  const plain = name.toLowerCase().replace(/[\s_-]+/g, "");
  const known = KNOWN.findIndex((one) => one.replaceAll("_", "") === plain);
  return known >= 0 ? known : (ALIASES[plain] ?? -1);
}

/** Return the colour of a class as #rrggbb. */
export function colourOf(name, id) {
  const known = meaning(name);
  return known < 0 ? OTHER_COLOURS[id % OTHER_COLOURS.length] : COLOURS[known];
}

/** Return what a label on a picture says of a class. */
export function shortName(name) {
  const index = KNOWN.indexOf(name);
  return index < 0 ? name.slice(0, 24) : SHORT[index];
}

/** Return what a list says of a class. */
export function titleOf(name) {
  const index = KNOWN.indexOf(name);
  return index < 0 ? name.replaceAll("_", " ") : TITLES[index];
}

/** Whether a face of this class wears its mask properly. */
export const isCompliant = (name) => meaning(name) === 0;

/** Whether faces of these classes can be counted as compliant or not; as says_compliance in maskdet/classes.py. */
export function saysCompliance(names) {
  const meanings = new Set(names.map(meaning));
  return !meanings.has(-1) && meanings.has(0) && meanings.size > 1;
}

/** Return black or white, whichever is read more easily on a colour #rrggbb. */
export function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.114 * blue + 0.587 * green + 0.299 * red > 110 ? "#000" : "#fff";
}
