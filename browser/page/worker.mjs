// Python for one page, in a thread of its own: it is the lab's, with the same mock server, packages and settings.

const lab = new URL("../lab/", import.meta.url);
let python = null;

async function start({ token, kept, interrupt }) {
  const settings = await (await fetch(new URL("jupyter-lite.json", lab))).json();
  const kernel = settings["jupyter-config-data"].litePluginSettings["@jupyterlite/pyodide-kernel-extension:kernel"];
  const { loadPyodide } = await import(new URL(kernel.pyodideUrl, lab));
  const { lockFileURL, ...options } = kernel.loadPyodideOptions;
  const pyodide = await loadPyodide({
    ...options,
    indexURL: new URL("static/pyodide/", lab).href,
    lockFileURL: new URL(lockFileURL, lab).href,
    progress: (part) => postMessage({ progress: part }),
  });
  if (interrupt) pyodide.setInterruptBuffer(interrupt);
  python = pyodide.pyimport("linked_is_tab.page");
  try {
    if (kept) python.go_on(kept);
  } catch (error) {
    console.warn("What an earlier page kept does not fit: the mock server starts with nothing in it.", error);
  }
  if (token) python.have_token();
}

// Hand out what the next page needs to go on from here.
function keep() {
  const kept = python?.kept();
  if (kept) postMessage({ kept });
}

// Run a cell. A page can't draw each of ten thousand lines: what comes fast is sent in larger pieces.
async function run(code) {
  let held = null; // text that waits
  let begun = 0; // of the time that is counted in
  let sent = 0;
  const flush = () => {
    if (held) postMessage({ output: held });
    held = null;
  };
  const send = (json) => {
    const output = JSON.parse(json);
    if (output.output_type !== "stream" || held?.name !== output.name) flush();
    if (output.output_type !== "stream") return postMessage({ output });
    held = held ? { ...held, text: held.text + output.text } : output;
    if (performance.now() - begun > 100) [begun, sent] = [performance.now(), 0];
    if (sent++ < 100) flush();
  };
  try {
    return await python.run(code, send);
  } finally {
    flush();
  }
}

const tasks = {
  start,
  run,
  visit: ({ path, form }) => python.visit(path, form && JSON.stringify(form)),
  readSettings: () => python.read_settings(),
  saveSettings: (text) => python.save_settings(text),
};

// Each message is one task and what it needs.
let queue = Promise.resolve(); // one after the other
onmessage = ({ data }) => {
  const [[task, request]] = Object.entries(data);
  queue = queue
    .then(() => tasks[task](request))
    .finally(keep)
    .then((answer) => postMessage({ ended: true, answer }))
    .catch((error) => postMessage({ failed: String(error.message ?? error) }));
};
