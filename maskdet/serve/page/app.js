// Puts the page together: tabs, ways to bring a picture, colours, the key.

import { Camera } from "./camera.js";
import { address, ask } from "./client.js";
import { Pictures } from "./pictures.js";

const get = (id) => document.getElementById(id);

/** Say something at the foot of the page; quietly: to screen readers only. */
function say(text, { quietly = false } = {}) {
  const toast = get("toast");
  toast.textContent = text;
  toast.classList.toggle("shown", !quietly);
  clearTimeout(say.timer);
  say.timer = setTimeout(() => toast.classList.remove("shown"), 6000);
}

/** Ask the person for the server's key, once for however many pictures wait; null where it is not given. */
function askKey() {
  askKey.asking ??= new Promise((done) => {
    const dialog = get("key-dialog");
    get("key").value = "";
    dialog.returnValue = "cancel";
    dialog.showModal();
    dialog.addEventListener("close", () => done(dialog.returnValue === "ok" ? get("key").value.trim() : null), { once: true });
  }).finally(() => (askKey.asking = null));
  return askKey.asking;
}

const pictures = new Pictures({ askKey, say, known: () => learnt });
const camera = new Camera({
  say,
  snapshot: (file, result) => pictures.add([file], result),
  ready: () => about(),
});

// Tabs.

const tabs = ["pictures", "camera"];

function open(name, { focus = false } = {}) {
  for (const each of tabs) {
    const tab = get(`tab-${each}`);
    tab.setAttribute("aria-selected", String(each === name));
    tab.tabIndex = each === name ? 0 : -1;
    get(each).hidden = each !== name;
  }
  if (focus) get(`tab-${name}`).focus();
  if (name !== "camera") camera.stop();
  history.replaceState(null, "", name === "camera" ? "#camera" : location.pathname);
}

for (const name of tabs) {
  get(`tab-${name}`).addEventListener("click", () => open(name));
  get(`tab-${name}`).addEventListener("keydown", ({ key: pressed }) => {
    if (pressed === "ArrowRight" || pressed === "ArrowLeft") open(tabs[1 - tabs.indexOf(name)], { focus: true });
  });
}

// Ways to bring a picture.

const actions = {
  choose: () => get("file").click(),
  // A phone's own camera takes better photos than a page does.
  photograph: () => (matchMedia("(pointer: coarse)").matches ? get("photo").click() : open("camera", { focus: true })),
  clear: () => pictures.clear(),
  json: () => pictures.saveJson(),
  csv: () => pictures.saveCsv(),
  annotated: () => pictures.savePicture(),
};
for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => actions[button.dataset.do]());
}

function take(files) {
  if (!files.length) return;
  open("pictures");
  pictures.add(files);
}

for (const id of ["file", "photo"]) {
  get(id).addEventListener("change", ({ target }) => {
    take([...target.files]);
    target.value = "";
  });
}
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) {
    event.preventDefault();
    take([...event.clipboardData.files]);
  }
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    get("drop").hidden = false;
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) get("drop").hidden = true;
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  get("drop").hidden = true;
  take([...event.dataTransfer.files]);
});

// Copy buttons.

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(get(button.dataset.copy).textContent);
    say("Copied.");
  });
}

// Light and dark.

const dark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
const showTheme = () => get("theme").setAttribute("aria-pressed", String(dark()));
get("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  localStorage.setItem("maskdet-theme", document.documentElement.dataset.theme);
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
showTheme();

// Where pictures go, and what looks at them.

const here = /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
for (const line of document.querySelectorAll(".privacy")) {
  line.textContent = here
    ? `Your pictures stay on this machine: they go to ${location.host} only and are not stored.`
    : `Your pictures go to ${location.host} only and are not stored.`;
}

// What somebody chooses before the server has answered stays as it is.
const chosen = new Set();
document.addEventListener("input", ({ target }) => chosen.add(target.id), true);

/** Learn what is loaded; asks for a key where the server wants one. */
async function about() {
  const { models, defaults, thresholds } = await (await ask(address("v1/models"), { askKey })).json();
  get("model").textContent = models.map((model) => model.name).join(" · ");
  if (about.known) return;
  about.known = true;
  if (["detect", "chain", "compare"].includes(defaults?.mode) && !chosen.has("mode")) get("mode").value = defaults.mode;
  pictures.threshold.learn(thresholds, defaults?.conf);
  camera.learn(defaults?.mode, thresholds, defaults?.conf);
  for (const id of ["tile", "close_ups"]) {
    const usual = Boolean(defaults?.[id]);
    if (!chosen.has(id)) get(id).checked = usual;
    get(id).dataset.usual = String(usual);
  }
}

const learnt = about().catch((error) => say(error.message));
if (location.hash === "#camera") open("camera");
