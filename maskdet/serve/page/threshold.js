// From which confidence on faces are shown: the model's own threshold of each class, or one that a slider gives.

const get = (id) => document.getElementById(id);
const LOWEST = 0.05; // what the slider can still show

/** Return whether a face is above a threshold: a number, or one a class. */
export const isAbove = (face, conf) => face.confidence > (typeof conf === "number" ? conf : (conf[face.name] ?? 1));

/** Return the number that stands for a threshold in an answer: of one a class the smallest. */
export const asNumber = (conf) => (typeof conf === "number" ? conf : Math.min(...Object.values(conf)));

export class Threshold {
  #moved = false;
  #own = {}; // by mode, {class: confidence}; null for a mode in which the model has none

  /** Take the slider of this id, the box "id-own" and the words "id-value"; mode says how pictures are answered. */
  constructor(id, { mode, changed }) {
    [this.slider, this.box, this.words] = [get(id), get(`${id}-own`), get(`${id}-value`)];
    this.mode = mode;
    this.slider.addEventListener("input", () => {
      this.#moved = true;
      this.box.checked = false;
      changed();
    });
    this.box.addEventListener("change", changed);
  }

  /** Learn what the server does where nobody asks: thresholds of its own by mode, or a number. */
  learn(own, conf) {
    this.#own = own ?? {};
    if (typeof conf === "number" && !this.#moved) this.slider.value = conf;
    this.show();
  }

  /** Whether faces are shown as the model itself would. */
  get isOwn() {
    return this.box.checked && Boolean(this.#own[this.mode()]);
  }

  get value() {
    return this.isOwn ? this.#own[this.mode()] : Number(this.slider.value);
  }

  /** What the server is asked for: everything that may be shown without asking again. */
  get lowest() {
    return Math.min(LOWEST, ...Object.values(this.#own[this.mode()] ?? {}));
  }

  /** Show where it stands. */
  show() {
    this.box.disabled = !this.#own[this.mode()];
    this.box.parentElement.hidden = this.box.disabled;
    this.words.textContent = this.isOwn ? "the model's own" : Number(this.slider.value).toFixed(2);
  }
}
