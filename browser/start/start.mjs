// Python from a memory snapshot: what is imported at the start is there already, so it starts in a fraction of the time.
// The lab's kernel and the pages take `loadPyodide` from here. If anything fails, Python starts plainly: slower, else the same.

import { loadPyodide as startPlainly, version } from "./pyodide.mjs";

export { version };

export async function loadPyodide(options) {
  return Promise.race([refused(), begin(options)]);
}

// Rejects if the browser has no memory for Python. Pyodide itself would wait for ever.
function refused() {
  return new Promise((_, reject) => {
    for (const name of ["instantiate", "instantiateStreaming"]) {
      const original = WebAssembly[name];
      WebAssembly[name] = async (...given) => {
        try {
          return await original(...given);
        } catch (error) {
          if (error instanceof RangeError) reject(error);
          throw error;
        }
      };
    }
  });
}

async function begin(options) {
  const { Suspending } = WebAssembly;
  // Pyodide asks for these later, one after the other, and waits for ever if one does not come.
  const needed = Promise.all(["pyodide.asm.wasm", "python_stdlib.zip"].map(async (name) => (await get(name)).arrayBuffer()));
  try {
    delete WebAssembly.Suspending; // the snapshot is made without it, and works in browsers that lack it
    return await restore(options, needed);
  } catch (error) {
    await needed;
    console.warn("Python starts without its snapshot, which takes longer.", error);
    if (Suspending) WebAssembly.Suspending = Suspending;
    return startPlainly(options);
  }
}

// Who loads it may pass `progress`, which is told how much has come, from 0 to 1. The lab can't pass anything: it listens.
const announced = new BroadcastChannel("linked.is: loading Python");
const announce = (part) => announced.postMessage(part);

async function restore({ packages = [], env = {}, progress = announce, ...options }, needed) {
  const { snapshot, first, rest, files } = await (await get("start.json", { cache: "no-cache" })).json();
  const [memory, early] = await Promise.all([unpacked(snapshot, progress), unpacked(first), needed]);
  const late = later(rest);
  const bytesOf = (isEarly) => (isEarly ? early : late());
  let folder;
  const pyodide = await startPlainly({
    ...options,
    ...from(memory),
    fsInit: (FS, { sitePackages }) => put(FS, (folder = sitePackages), files.filter(isCode), bytesOf),
  });
  put(pyodide.FS, folder, files.filter((file) => !isCode(file)), bytesOf);
  for (const name of packages) pyodide.loadedPackages[name] = "snapshot";
  pyodide.globals.set("env", pyodide.toPy(env));
  pyodide.runPython("import os, random; os.environ.update(env); random.seed(); del env, os, random");
  return pyodide;
}

// The options to start from a snapshot. Python's memory begins with less than it needs (pyodide issue 6254), so that grows first.
export function from(memory) {
  const createPyodideModule = async (settings) => {
    const { default: create } = await import("./pyodide.asm.mjs");
    const module = await create(settings);
    module._malloc(memory.length);
    return module;
  };
  return { _loadSnapshot: memory, createPyodideModule };
}

// A snapshot that knows which packages are installed can't be made: Pyodide then keeps objects of JavaScript in it.
export function isCode([path]) {
  return !path.includes(".dist-info/");
}

// Put files where packages are, each `[path, is early, offset, size]` of what `bytesOf(is early)` returns when it is read.
export function put(FS, folder, files, bytesOf) {
  const made = new Set();
  for (const [path, isEarly, offset, size] of files) {
    const parent = `${folder}/${path.slice(0, path.lastIndexOf("/") + 1)}`;
    if (!made.has(parent)) FS.mkdirTree(parent);
    made.add(parent);
    const node = FS.create(`${folder}/${path}`, 0o644);
    node.usedBytes = size;
    const keep = (value) => Object.defineProperty(node, "contents", { value, writable: true });
    Object.defineProperty(node, "contents", {
      configurable: true,
      get() {
        try {
          return keep(bytesOf(isEarly, path).subarray(offset, offset + size)).contents;
        } catch {
          throw new FS.ErrnoError(29); // an input or output error: Python lives, and can try again
        }
      },
      set: keep,
    });
  }
}

async function get(name, options) {
  const answer = await fetch(new URL(name, import.meta.url), options).catch(() => ({ status: "none" }));
  if (!answer.ok) throw new Error(`${name} could not be loaded (status ${answer.status})`);
  return answer;
}

// The bytes of a file that was packed by gzip, whole: `size` of them. `progress` is told how much of it came, from 0 to 1.
async function unpacked({ name, size, packed }, progress = () => {}) {
  let came = 0;
  const count = new TransformStream({
    transform(chunk, controller) {
      progress((came += chunk.length) / packed);
      controller.enqueue(chunk);
    },
  });
  const stream = (await get(name)).body.pipeThrough(count).pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes.set(value, at);
    at += value.length;
  }
  if (at !== size) throw new Error(`${name} has ${at} bytes in place of ${size}`);
  return bytes;
}

// What returns the bytes of a file when they are first needed, at once: a file that Python reads can't wait.
function later(name) {
  let bytes;
  return () => {
    if (!bytes) {
      const request = new XMLHttpRequest();
      request.open("GET", new URL(name, import.meta.url), false);
      request.responseType = "arraybuffer";
      request.send();
      if (request.status !== 200) throw new Error(`${name} could not be loaded (status ${request.status})`);
      bytes = new Uint8Array(request.response);
    }
    return bytes;
  };
}
