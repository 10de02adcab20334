// Make the snapshot that start.mjs starts from: `node make.mjs <folder of Pyodide> <folder to write> <index of files> <their bytes>`
//
// It writes the memory, and the files of the packages in two parts: those that a first answer reads, and the rest.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [folder, made, indexFile, bytesFile] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const { default: createModule } = await import(pathToFileURL(`${folder}/pyodide.asm.mjs`));
const { isCode, put } = await import(pathToFileURL(`${folder}/start.mjs`));
const lock = JSON.parse(readFileSync(`${folder}/pyodide-lock.json`, "utf8"));
const index = JSON.parse(readFileSync(indexFile, "utf8"));
const bytes = new Uint8Array(readFileSync(bytesFile));
const files = index.map(([path, offset, size]) => [path, true, offset, size]);

const IMPORTED = `
import linked_is_tab.transport, linked_is_tab.settings_window, mock_server.app, mock_server.settings_page, mock_server.dot_env
import bs4, dotenv, jinja2, requests, starlette.applications, yaml
import comm, IPython.core.application, IPython.core.history, IPython.core.interactiveshell, IPython.core.shellapp, IPython.display
import inspect, shutil, tempfile
import gc; gc.collect(); del gc
`;
const FIRST_ANSWER = `
import os
os.environ["PYTHONSTARTUP"] = "/lib/python3.14/site-packages/linked_is_tab/startup.py"
from linked_is_tab import page
said = []
await page.run("import requests\\nprint(requests.get('http://127.0.0.1:8787/v1/links', timeout=5).status_code)", said.append)
await page.run("1 / 0", said.append)
"".join(said)
`;

const start = (options, read = () => {}) =>
  loadPyodide({
    indexURL: folder,
    fsInit: (FS, { sitePackages }) => put(FS, sitePackages, files.filter(isCode), (isEarly, path) => (read(path), bytes)),
    ...options,
  });
console.log("making the snapshot");
const maker = await start({ _makeSnapshot: true });
maker.runPython(IMPORTED);
const memory = maker.makeMemorySnapshot();

console.log("looking what a first answer reads");
const read = new Set();
const restored = await start(
  {
    _loadSnapshot: memory,
    createPyodideModule: async (settings) => {
      const module = await createModule(settings);
      module._malloc(memory.length);
      return module;
    },
  },
  (path) => read.add(path),
);
for (const { name } of Object.values(lock.packages)) restored.loadedPackages[name] = "snapshot";
const said = await restored.runPythonAsync(FIRST_ANSWER);
if (!said.includes("401") || !said.includes("ZeroDivisionError")) throw new Error(`A first answer from the snapshot is wrong: ${said}`);

const parts = [[], []];
const sizes = [0, 0];
const placed = index.map(([path, offset, size]) => {
  const part = read.has(path) ? 0 : 1;
  parts[part].push(bytes.subarray(offset, offset + size));
  sizes[part] += size;
  return [path, part === 0, sizes[part] - size, size];
});
const [first, rest] = parts.map((part) => Buffer.concat(part));
const write = (name, content) => {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const file = name.replace(".", `-${hash}.`);
  writeFileSync(`${made}/${file}`, content);
  return file;
};
const writePacked = (name, content) => {
  const packed = gzipSync(content, { level: 9 });
  return { name: write(name, packed), size: content.length, packed: packed.length };
};
const list = {
  snapshot: writePacked("snapshot.gz", memory),
  first: writePacked("first.gz", first),
  rest: write("rest.txt", rest), // hosts compress text, and a synchronous request can't unpack anything itself
  files: placed,
};
writeFileSync(`${made}/start.json`, JSON.stringify(list));
console.log(read.size, "files are read at the start,", index.length - read.size, "later");
process.exit(0);
