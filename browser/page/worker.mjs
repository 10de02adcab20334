// Python for one page, in a thread of its own: it is the lab's, with the same mock server, packages and settings.

const lab = new URL("../lab/", import.meta.url);
let python = null;

async function start({ token, interrupt }) {
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
  if (token) python.have_token();
}

const tasks = {
  start,
  run: (code) => python.run(code, (output) => postMessage({ output: JSON.parse(output) })),
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
    .then((answer) => postMessage({ ended: true, answer }))
    .catch((error) => postMessage({ failed: String(error.message ?? error) }));
};
