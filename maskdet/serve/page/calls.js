// The call that the page makes, for a shell and for Python.

import { address, key } from "./client.js";

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Return the call as curl. */
export function asCurl(name, type, options) {
  const lines = [`curl ${shell(address("v1/detect", options).href)}`, `-H ${shell(`Content-Type: ${type}`)}`];
  if (key.get()) lines.push('-H "X-API-Key: $MASKDET_API_KEY"');
  lines.push(`--data-binary ${shell(`@${name}`)}`);
  return lines.join(" \\\n  ");
}

/** Return the call as Python, which needs no package. */
export function asPython(name, type, options) {
  const headers = [`"Content-Type": ${JSON.stringify(type)}`];
  if (key.get()) headers.push('"X-API-Key": os.environ["MASKDET_API_KEY"]');
  return [
    `import json${key.get() ? ", os" : ""}`,
    "from pathlib import Path",
    "from urllib.request import Request, urlopen",
    "",
    `url = ${JSON.stringify(address("v1/detect", options).href)}`,
    `picture = Path(${JSON.stringify(name)}).read_bytes()`,
    `request = Request(url, picture, {${headers.join(", ")}})`,
    "answer = json.load(urlopen(request))",
    'print(answer["counts"], answer["summary"]["compliance"])',
  ].join("\n");
}
