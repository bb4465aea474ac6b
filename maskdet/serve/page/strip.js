// The pictures as a strip of small ones, each with its compliance; the arrow keys go along it.

import { countsInWords, percent } from "./answer.js";
import { above } from "./results.js";

const SIDE = 144; // pixels of a small picture, twice what it takes on the screen

export class Strip {
  #items = [];
  #current = null;

  /** Show small pictures in an element; `select` is given the one that is wanted. */
  constructor(element, select) {
    Object.assign(this, { element, select });
    element.addEventListener("keydown", (event) => this.#step(event));
  }

  show(items) {
    this.#items = items;
    this.element.hidden = items.length < 2;
    this.element.replaceChildren(...items.map((item) => (item.tile ??= this.#tile(item))));
  }

  #tile(item) {
    const tile = Object.assign(document.createElement("button"), { type: "button", className: "tile" });
    tile.setAttribute("role", "option");
    const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    tile.append(canvas, Object.assign(document.createElement("span"), { className: "badge", textContent: "…" }));
    tile.addEventListener("click", () => this.select(item));
    return tile;
  }

  /** Draw the middle of a picture that has been decoded. */
  draw(item) {
    if (!item.bitmap) return;
    const { width, height } = item.bitmap;
    const side = Math.min(width, height);
    const context = item.tile.querySelector("canvas").getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(item.bitmap, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  }

  /** Show how far each one is, and which is current. */
  mark(items, current, conf) {
    if (current !== this.#current) current.tile.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.#current = current;
    for (const item of items) {
      const result = item.result && above(item.result, conf);
      const badge = item.tile.querySelector(".badge");
      badge.textContent = item.problem ? "!" : result ? percent(result.summary.compliance) : "…";
      badge.classList.toggle("wrong", Boolean(item.problem));
      item.tile.setAttribute("aria-selected", String(item === current));
      item.tile.tabIndex = item === current ? 0 : -1;
      const said = item.problem ?? (result ? countsInWords(result.counts) : "waiting");
      item.tile.setAttribute("aria-label", `${item.name}: ${said}`);
    }
  }

  #step(event) {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const at = this.#items.indexOf(this.#current) + move;
    const item = this.#items[Math.max(0, Math.min(at, this.#items.length - 1))];
    this.select(item);
    item.tile.focus();
  }
}
