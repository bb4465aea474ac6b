// The server: pictures and frames in, answers out. Nothing else is ever asked, and nobody else.

/** An error that the server states in one sentence. */
export class Problem extends Error {
  constructor(detail, status) {
    super(detail);
    this.status = status;
  }
}

const PATIENCE = 6; // tries while the server is busy

export const key = {
  get: () => sessionStorage.getItem("maskdet-key"),
  set: (value) => sessionStorage.setItem("maskdet-key", value),
};

/** Return an address below this page, with a query; options that are null or false are left out. */
export function address(path, options = {}) {
  const given = Object.entries(options).filter(([, value]) => value !== null && value !== undefined && value !== false);
  const url = new URL(path, document.baseURI);
  url.search = new URLSearchParams(given).toString();
  return url;
}

/**
 * Ask the server; where it wants a key, `askKey` is called for one (null: it is not given).
 * @param accept media type of the answer
 * @returns the response
 */
export async function ask(url, { body, type, accept = "application/json", askKey }) {
  for (let tries = 0; ; tries += 1) {
    const headers = { Accept: accept };
    if (type) headers["Content-Type"] = type;
    if (key.get()) headers["X-API-Key"] = key.get();
    let response;
    try {
      response = await fetch(url, { method: body ? "POST" : "GET", body, headers });
    } catch {
      throw new Problem("The server does not answer. Is it still running?", 0);
    }
    if (response.ok) return response;
    if (response.status === 401 && askKey) {
      const given = await askKey();
      if (given === null) throw new Problem("This server asks for a key.", 401);
      key.set(given);
      continue;
    }
    if ((response.status === 429 || response.status === 503) && tries < PATIENCE) {
      const seconds = Number(response.headers.get("Retry-After")) || 1;
      await new Promise((done) => setTimeout(done, Math.min(seconds, 10) * 1000));
      continue;
    }
    const told = await response.json().catch(() => ({}));
    throw new Problem(told.detail ?? `The server answered ${response.status}.`, response.status);
  }
}

/**
 * Open /v1/live.
 * @param on answer(object), closed(reason)
 * @returns {send(blob), close()}
 */
export function openLive(options, on) {
  const url = address("v1/live", options);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const protocols = ["maskdet"];
  if (key.get()) {
    const bytes = String.fromCharCode(...new TextEncoder().encode(key.get()));
    protocols.push(`maskdet.key.${btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`);
  }
  const socket = new WebSocket(url, protocols);
  socket.addEventListener("open", () => on.open());
  socket.addEventListener("message", (event) => on.answer(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => on.closed(event.reason, event.wasClean));
  return {
    send: (blob) => socket.readyState === WebSocket.OPEN && socket.send(blob),
    close: () => socket.close(),
  };
}
