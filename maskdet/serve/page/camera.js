// The camera: its newest frame to the server, one at a time, and the answer over the moving picture.

import { countsInWords, showAnswer } from "./answer.js";
import { Chart } from "./chart.js";
import { openLive } from "./client.js";
import { drawFaces } from "./draw.js";
import { above } from "./results.js";
import { Threshold } from "./threshold.js";

const WIDEST = 1280; // pixels of a frame that is sent
const QUALITY = 0.8;
const FORGET = 0.9; // share of the old value in running means

const get = (id) => document.getElementById(id);

export class Camera {
  #stream = null;
  #live = null;
  #sent = null; // when the frame under way was taken, and its pixels
  #answered = null; // {result, frame}
  #last = 0;
  #rate = 0;
  #delay = 0;
  #paused = false;
  #chart = new Chart(get("chart"));
  #mode = "detect"; // how frames are answered: as the server does by default

  constructor({ say, snapshot, ready }) {
    Object.assign(this, { say, snapshot, ready });
    get("camera-start").addEventListener("click", () => this.start());
    get("camera-stop").addEventListener("click", () => this.stop());
    get("camera-pause").addEventListener("click", () => this.#pause(!this.#paused));
    get("camera-snapshot").addEventListener("click", () => this.#snap());
    get("camera-device").addEventListener("change", () => this.start());
    get("track").addEventListener("change", () => this.#stream && this.#connect());
    this.threshold = new Threshold("live-threshold", { mode: () => this.#mode, changed: () => this.#show() });
    // Nothing is sent that nobody looks at.
    document.addEventListener("visibilitychange", () => this.#stream && !this.#paused && this.#send());
    new ResizeObserver(() => this.#draw()).observe(get("live-frame"));
  }

  /** Learn how the server answers where nobody asks. */
  learn(mode, thresholds, conf) {
    this.#mode = mode;
    this.threshold.learn(thresholds, conf);
  }

  async start() {
    this.stop();
    const deviceId = get("camera-device").value;
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
      await this.ready(); // a key, where one is asked for
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1280 }, height: { ideal: 720 }, ...(deviceId && { deviceId: { exact: deviceId } }) },
      });
    } catch (error) {
      this.say(REASONS[error.name] ?? error.message);
      return;
    }
    this.#stream.getVideoTracks()[0].addEventListener("ended", () => this.stop());
    const video = get("video");
    video.srcObject = this.#stream;
    await video.play();
    get("camera-off").hidden = true;
    for (const id of ["camera-pause", "camera-snapshot", "camera-stop"]) get(id).disabled = false;
    this.#chart.clear();
    this.#pause(false);
    this.#connect();
    this.#devices();
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#live?.close();
    [this.#stream, this.#live, this.#sent, this.#answered] = [null, null, null, null];
    get("video").srcObject = null;
    get("camera-off").hidden = false;
    get("live-canvas").setAttribute("aria-label", "Camera is off");
    for (const id of ["camera-pause", "camera-snapshot", "camera-stop"]) get(id).disabled = true;
    for (const id of ["fps", "delay"]) get(id).textContent = "–";
    this.#draw();
  }

  async #devices() {
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput");
    const current = this.#stream?.getVideoTracks()[0].getSettings().deviceId;
    get("camera-choice").hidden = cameras.length < 2;
    get("camera-device").replaceChildren(
      ...cameras.map((one, index) => new Option(one.label || `Camera ${index + 1}`, one.deviceId, false, one.deviceId === current)),
    );
  }

  #connect() {
    this.#live?.close();
    [this.#rate, this.#last] = [0, 0];
    const live = openLive({ conf: this.threshold.lowest, track: get("track").checked }, {
      open: () => this.#live === live && this.#send(),
      answer: (answer) => this.#live === live && this.#answer(answer),
      closed: (reason) => this.#live === live && this.#lost(reason),
    });
    this.#live = live;
  }

  #lost(reason) {
    if (get("track").checked && reason) {
      get("track").checked = false; // the server cannot; go on without
      this.say(reason);
      this.#connect();
      return;
    }
    this.stop();
    this.say(reason || "The server closed the connection. Is it still running?");
  }

  async #send() {
    const video = get("video");
    if (this.#sent || this.#paused || document.hidden || !this.#live || !video.videoWidth) return;
    const live = this.#live;
    const scale = Math.min(1, WIDEST / video.videoWidth);
    const frame = new OffscreenCanvas(Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
    frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
    this.#sent = { frame, at: performance.now() };
    const blob = await frame.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    if (this.#live === live) live.send(blob);
    else this.#sent = null;
  }

  #answer(answer) {
    const now = performance.now();
    const sent = this.#sent;
    this.#sent = null;
    if (!answer.detections) {
      // The queue was full or the frame was bad: another one, a little later.
      setTimeout(() => this.#send(), 500);
      if (answer.status !== 503) this.say(answer.detail);
      return;
    }
    if (sent && !this.#paused) {
      this.#answered = { result: answer, frame: sent.frame };
      const mean = (old, fresh) => (old ? FORGET * old + (1 - FORGET) * fresh : fresh);
      this.#delay = mean(this.#delay, now - sent.at);
      if (this.#last) this.#rate = mean(this.#rate, 1000 / (now - this.#last));
      this.#last = now;
      this.#show();
      this.#chart.add(now / 1000, this.#shown.summary.compliance);
    }
    // As soon as the camera has another picture than the one that was answered.
    get("video").requestVideoFrameCallback?.(() => this.#send()) ?? this.#send();
  }

  get #shown() {
    return this.#answered && above(this.#answered.result, this.threshold.value);
  }

  #show() {
    this.threshold.show();
    const result = this.#shown;
    if (!result) return;
    showAnswer(result, {
      big: get("live-compliance"), words: get("live-words"), meter: get("live-meter"), counts: get("live-counts"),
    });
    get("fps").textContent = this.#rate ? this.#rate.toFixed(1) : "–";
    get("delay").textContent = `${Math.round(this.#delay)} ms`;
    const { people } = result;
    get("people").hidden = !people;
    if (people) {
      const share = people.compliance === null ? "" : `, ${Math.round(people.compliance * 100)} % of them masked properly`;
      get("people").textContent = `${people.people} ${people.people === 1 ? "person" : "people"} so far${share}.`;
    }
    get("live-canvas").setAttribute("aria-label", `Camera: ${countsInWords(result.counts)}`);
    this.#draw();
  }

  #draw() {
    const [canvas, video] = [get("live-canvas"), get("video")];
    const { clientWidth: width, clientHeight: height } = video;
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    if (!this.#stream || !this.#answered) return;
    const { frame } = this.#answered;
    const scale = Math.min(width / frame.width, height / frame.height); // as object-fit: contain
    const context = canvas.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    context.translate((width - frame.width * scale) / 2, (height - frame.height * scale) / 2);
    context.scale(scale, scale);
    // The frame that was answered, not the newest: boxes would lie beside who moved meanwhile.
    context.drawImage(frame, 0, 0);
    drawFaces(context, this.#shown.detections, frame, { unit: 1 / scale });
  }

  #pause(paused) {
    this.#paused = paused;
    get("camera-pause").textContent = paused ? "Go on" : "Pause";
    get("camera-pause").setAttribute("aria-pressed", String(paused));
    if (paused) get("video").pause();
    else if (this.#stream) {
      get("video").play();
      this.#last = 0;
      this.#send();
    }
  }

  /** Give the frame that was answered last, with its answer, to the pictures. */
  async #snap() {
    if (!this.#answered) return;
    const { frame } = this.#answered;
    const { people, ...result } = this.#answered.result; // everybody so far is none of a picture's
    const name = `camera-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.jpg`;
    const blob = await frame.convertToBlob({ type: "image/jpeg", quality: 0.92 });
    this.snapshot(new File([blob], name, { type: "image/jpeg" }), { ...result, image: { ...result.image, path: name, frame: null } });
    this.say("Snapshot added to the pictures.");
  }
}

const REASONS = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it beside the address, then start again.",
  NotFoundError: "No camera was found on this device.",
  NotReadableError: "The camera is used by another program.",
  SecurityError: "Browsers open a camera on localhost or over https only.",
};
