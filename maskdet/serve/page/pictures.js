// The pictures: those that were given, their answers, and the one that is shown.

import { countsInWords, showAnswer } from "./answer.js";
import { asCurl, asPython } from "./calls.js";
import { address, ask } from "./client.js";
import { saveCsv, saveJson, savePicture } from "./downloads.js";
import { drawFaces } from "./draw.js";
import { showFaces } from "./faces.js";
import { above, disagreement } from "./results.js";
import { Strip } from "./strip.js";
import { Threshold } from "./threshold.js";

const AT_ONCE = 2; // pictures under way
const WIDEST = 2400; // pixels of a picture that is held for showing

const get = (id) => document.getElementById(id);

/** One picture. */
class Item {
  constructor(file) {
    this.file = file;
    this.name = file.name || "pasted.png";
    this.type = file.type || "application/octet-stream";
    this.bitmap = null; // as large as it is shown at most
    this.size = null; // {width, height} of the picture itself
    this.result = null; // as the server gave it, with all that a threshold may show
    this.problem = null;
    this.shownDrawn = false; // the bitmap is the server's drawing, since the browser cannot decode the file
  }
}

export class Pictures {
  #items = [];
  #current = null;
  #chosen = -1;
  #waiting = [];
  #running = 0;
  #round = 0;

  constructor({ askKey, say, known }) {
    this.askKey = askKey;
    this.say = say;
    this.known = known;
    this.threshold = new Threshold("threshold", { mode: () => get("mode").value, changed: () => this.#show() });
    for (const id of ["mode", "tile", "close_ups"]) get(id).addEventListener("change", () => this.#again());
    this.strip = new Strip(get("strip"), (item) => this.#select(item));
    new ResizeObserver(() => this.#draw()).observe(get("frame"));
    get("same-call").addEventListener("toggle", () => this.#calls());
  }

  /** The options that give what the page shows. */
  get #options() {
    const options = { mode: get("mode").value };
    if (!this.threshold.isOwn) options.conf = get("threshold").value;
    for (const id of ["tile", "close_ups"]) {
      if (get(id).checked !== (get(id).dataset.usual === "true")) options[id] = String(get(id).checked);
    }
    return options;
  }

  get #conf() {
    return this.threshold.value;
  }

  /** Take files, show the first of them, and ask for their answers. */
  add(files, known = null) {
    const items = Array.from(files, (file) => new Item(file));
    if (!items.length) return;
    this.#items.push(...items);
    this.#current = items[0];
    this.#chosen = -1;
    get("empty").hidden = true;
    get("work").hidden = false;
    this.strip.show(this.#items);
    for (const item of items) {
      this.#decode(item);
      if (known) item.result = known;
      else this.#enqueue(item);
    }
    this.#show();
  }

  clear() {
    this.#round += 1;
    for (const item of this.#items) item.bitmap?.close();
    [this.#items, this.#waiting, this.#current] = [[], [], null];
    get("empty").hidden = false;
    get("work").hidden = true;
    get("empty").querySelector("button").focus();
  }

  #again() {
    this.#round += 1;
    this.#waiting = [];
    for (const item of this.#items) {
      [item.result, item.problem] = [null, null];
      this.#enqueue(item);
    }
    this.#show();
  }

  async #decode(item) {
    try {
      await this.#hold(item, await createImageBitmap(item.file));
    } catch {
      item.shownDrawn = true; // HEIC in most browsers, or no picture at all: the server tells
    }
    this.strip.draw(item);
    if (item === this.#current) this.#show();
  }

  /** Keep a decoded picture in a size for showing: twenty photos of a phone would take a gigabyte. */
  async #hold(item, bitmap) {
    const { width, height } = bitmap;
    item.size = { width, height };
    item.bitmap = bitmap;
    const scale = WIDEST / Math.max(width, height);
    if (scale >= 1) return;
    const resizeWidth = Math.round(width * scale);
    item.bitmap = await createImageBitmap(bitmap, { resizeWidth, resizeQuality: "high" });
    bitmap.close();
  }

  #enqueue(item) {
    this.#waiting.push(item);
    this.#next();
  }

  #next() {
    while (this.#running < AT_ONCE && this.#waiting.length) {
      this.#running += 1;
      const item = this.#waiting.shift();
      this.#answer(item).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #answer(item) {
    const round = this.#round;
    await this.known(); // what the server does by default is what the page shows first
    const options = { ...this.#options, conf: this.threshold.lowest };
    const call = { body: item.file, type: item.type, askKey: this.askKey };
    try {
      const response = await ask(address("v1/detect", options), call);
      const result = await response.json();
      if (round !== this.#round) return;
      item.result = { ...result, image: { ...result.image, path: item.name } };
      if (item.shownDrawn && !item.bitmap) {
        const drawing = await ask(address("v1/detect", this.#options), { ...call, accept: "image/jpeg" });
        await this.#hold(item, await createImageBitmap(await drawing.blob()));
      }
    } catch (error) {
      if (round !== this.#round) return;
      item.problem = error.message;
    }
    this.strip.draw(item);
    if (item !== this.#current) this.#progress();
    else {
      this.#show();
      this.say(item.problem ?? `${item.name}: ${countsInWords(above(item.result, this.#conf).counts)}`, { quietly: true });
    }
  }

  // What is shown.

  get #shown() {
    return this.#current?.result ? above(this.#current.result, this.#conf) : null;
  }

  #show() {
    const item = this.#current;
    this.threshold.show();
    if (!item) return;
    const result = this.#shown;
    get("picture-name").textContent = item.name;
    const facts = [];
    const size = result?.image ?? item.size;
    if (size) facts.push(`${size.width} × ${size.height}`);
    if (result) facts.push(result.model.name, `${Math.round(result.time_ms)} ms`);
    get("picture-facts").textContent = facts.join(" · ");
    const note = item.problem ?? (result ? null : "Looking …");
    get("picture-note").textContent = note ?? "";
    get("picture-note").hidden = !note;
    get("picture-note").classList.toggle("wrong", Boolean(item.problem));
    showAnswer(result, {
      big: get("compliance"), words: get("compliance-words"), meter: get("meter"), counts: get("counts"),
    });
    const both = result && get("mode").value === "compare" ? disagreement(result) : null;
    get("disagreement").hidden = !both;
    if (both) {
      const faces = both.of === 1 ? "1 face" : `${both.of} faces`;
      get("disagreement").textContent = both.differ
        ? `Detector and classifier differ on ${both.differ} of ${faces}.`
        : `Detector and classifier agree on ${both.of === 1 ? "the face" : `all ${faces}`}.`;
    }
    this.#table(result);
    this.#draw();
    this.#calls();
    this.#progress();
  }

  /** Show which pictures are answered, and what can be downloaded. */
  #progress() {
    if (!this.#current) return;
    this.strip.mark(this.#items, this.#current, this.#conf);
    const done = this.#items.some((one) => one.result);
    for (const name of ["json", "csv"]) document.querySelector(`[data-do=${name}]`).disabled = !done;
    document.querySelector("[data-do=annotated]").disabled = !this.#shown || !this.#current.bitmap;
    get("download-note").textContent =
      this.#items.length > 1
        ? "JSON Lines and CSV hold every picture; the drawn one is that which is shown."
        : "As shown, with this threshold.";
  }

  #draw() {
    const item = this.#current;
    const canvas = get("canvas");
    if (!item?.bitmap) {
      canvas.width = canvas.height = 0;
      canvas.style.width = canvas.style.height = "0";
      canvas.setAttribute("aria-label", item ? item.name : "No picture yet");
      return;
    }
    const { bitmap, size } = item;
    const room = get("frame").clientWidth;
    const tallest = Math.max(240, innerHeight * 0.62);
    const scale = Math.min(room / size.width, tallest / size.height, 3);
    const ratio = devicePixelRatio * scale;
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
    canvas.style.width = `${size.width * scale}px`;
    canvas.style.height = `${size.height * scale}px`;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.scale(ratio, ratio);
    context.drawImage(bitmap, 0, 0, size.width, size.height);
    const result = this.#shown;
    if (result && !item.shownDrawn) {
      drawFaces(context, result.detections, size, { unit: 1 / scale, chosen: this.#chosen });
    }
    const said = result ? countsInWords(result.counts) : "being looked at";
    canvas.setAttribute("aria-label", `${item.name}: ${said}`);
  }

  #table(result) {
    showFaces(get("faces"), result, get("mode").value === "compare", (index) => {
      this.#chosen = index;
      this.#draw();
    });
  }

  #select(item) {
    this.#current = item;
    this.#chosen = -1;
    this.#show();
  }

  #calls() {
    if (!get("same-call").open || !this.#current) return;
    const { name, type } = this.#current;
    get("curl").textContent = asCurl(name, type, this.#options);
    get("python").textContent = asPython(name, type, this.#options);
  }

  // Downloads.

  get #results() {
    return this.#items.filter((item) => item.result).map((item) => above(item.result, this.#conf));
  }

  saveJson() {
    saveJson(this.#results);
  }

  saveCsv() {
    saveCsv(this.#results);
  }

  savePicture() {
    const item = this.#current;
    return savePicture(item, item.shownDrawn ? [] : this.#shown.detections);
  }
}
