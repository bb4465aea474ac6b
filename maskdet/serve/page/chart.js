// Compliance over the last two minutes, as a line that breaks where nobody is seen.

const SECONDS = 120;

export class Chart {
  #canvas;
  #points = [];

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Add a share (null: no face) at a time in seconds, and draw. */
  add(seconds, share) {
    this.#points.push([seconds, share]);
    while (this.#points[0][0] < seconds - SECONDS) this.#points.shift();
    const seen = this.#points.map(([, one]) => one).filter((one) => one !== null);
    const mean = seen.length ? Math.round((100 * seen.reduce((sum, one) => sum + one, 0)) / seen.length) : null;
    const said = mean === null ? "no face yet" : `${mean} percent on average`;
    this.#canvas.setAttribute("aria-label", `Compliance over the last two minutes: ${said}`);
    this.draw();
  }

  clear() {
    this.#points = [];
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!width) return;
    const ratio = devicePixelRatio;
    this.#canvas.width = width * ratio;
    this.#canvas.height = height * ratio;
    const context = this.#canvas.getContext("2d");
    context.scale(ratio, ratio);
    const colours = getComputedStyle(this.#canvas);
    const [left, right, top, bottom] = [46, width - 6, 8, height - 20];
    const y = (share) => bottom - share * (bottom - top);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colours.getPropertyValue("--quiet");
    context.strokeStyle = colours.getPropertyValue("--line");
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const share of [0, 0.5, 1]) {
      context.fillText(`${share * 100} %`, left - 6, y(share));
      context.beginPath();
      context.moveTo(left, y(share));
      context.lineTo(right, y(share));
      context.stroke();
    }
    context.textBaseline = "alphabetic";
    context.fillText("now", right, height - 4);
    context.textAlign = "left";
    const now = this.#points.at(-1)?.[0] ?? 0;
    const span = Math.min(SECONDS, Math.max(20, now - (this.#points[0]?.[0] ?? now)));
    context.fillText(`${Math.round(span)} s ago`, left, height - 4);
    context.strokeStyle = context.fillStyle = colours.getPropertyValue("--accent");
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    let drawing = false;
    for (const [seconds, share] of this.#points) {
      const x = right - ((now - seconds) / span) * (right - left);
      if (share !== null) context[drawing ? "lineTo" : "moveTo"](x, y(share));
      drawing = share !== null;
    }
    context.stroke();
    const last = this.#points.at(-1);
    if (last && last[1] !== null) {
      context.beginPath();
      context.arc(right, y(last[1]), 3.5, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
