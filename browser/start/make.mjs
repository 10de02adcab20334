// Make the snapshot that start.mjs starts from: `node make.mjs <folder of Pyodide> <folder to write> <index of files> <their bytes> <notebooks>`
//
// It writes the memory, and the files of the packages in two parts: those that the kit has written or a first answer reads, and the rest.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const IMPORTED = `
import linked_is_tab.transport, linked_is_tab.settings_window, mock_server.app, mock_server.settings_page, mock_server.dot_env
import bs4, dotenv, jinja2, requests, starlette.applications, yaml
import comm, IPython.core.application, IPython.core.history, IPython.core.interactiveshell, IPython.core.shellapp, IPython.display
import inspect, shutil, tempfile
import gc; gc.collect(); del gc
`;
// What a reader does first: begin the course. An error is drawn with the code around it, so its files come early too.
const LESSONS = ["01", "02", "03"];
const FIRST_CELLS = `
import json, os
os.environ["PYTHONSTARTUP"] = "/lib/python3.14/site-packages/linked_is_tab/startup.py"
import piplite.piplite
from linked_is_tab import page
said = []
for code in [*json.loads(cells), "1 / 0"]:
    await page.run(code, said.append)
"".join(said)
`;

const [folder, made, indexFile, bytesFile, notebooks] = process.argv.slice(2);
process.argv[1] = "./this.program"; // as in a browser: Python keeps the name
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const { from, isCode, put } = await import(pathToFileURL(`${folder}/start.mjs`));
const lock = JSON.parse(readFileSync(`${folder}/pyodide-lock.json`, "utf8"));
const index = JSON.parse(readFileSync(indexFile, "utf8"));
const bytes = new Uint8Array(readFileSync(bytesFile));
const names = readdirSync(notebooks).filter((name) => LESSONS.some((lesson) => name.startsWith(lesson)));
const lessons = names.sort().flatMap((name) => JSON.parse(readFileSync(`${notebooks}/${name}`, "utf8")).cells)
  .filter(({ cell_type }) => cell_type === "code").map(({ source }) => [source].flat().join(""));
const files = index.map(([path, offset, size]) => [path, true, offset, size]);

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
const restored = await start(from(memory), (path) => read.add(path));
for (const { name } of Object.values(lock.packages)) restored.loadedPackages[name] = "snapshot";
restored.globals.set("cells", JSON.stringify(lessons));
const said = await restored.runPythonAsync(FIRST_CELLS);
const errors = said.match(/"ename": "[^"]*"/g);
if (errors?.length !== 1) throw new Error(`The first lessons do not run from the snapshot: ${errors}`);

const parts = [[], []];
const sizes = [0, 0];
const placed = index.map(([path, offset, size]) => {
  const part = read.has(path) || /^(mock_server|linked_is_tab)\//.test(path) ? 0 : 1;
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
process.exit(0);
