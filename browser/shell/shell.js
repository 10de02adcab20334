// The frame around a notebook that runs in the browser. It says how far the start is, shows Settings > API of the
// mock server in the kernel, and tells what went wrong, with a way out.

import { show } from "../run/window.mjs";

const SLOW = 20_000; // milliseconds until the start says that it goes on, and looks for what is wrong, again and again
const COMM = "linked-is-settings"; // as in linked_is_tab/settings_window.py

const MOCK_SERVER = "http://127.0.0.1:8787"; // as in linked_is_tab/server.py
const STORAGE = "linked.is "; // as in build.py: a release's name comes after it
const PALETTE = `${new URL("..", location.href).pathname}.__palette`; // where the site's switch for light and dark keeps its choice

const lab = new URL("../lab/", location.href);
const path = new URLSearchParams(location.search).get("notebook") ?? "notebooks/01-start-here.ipynb";
const released = path.replaceAll(".earlier.", "."); // what the site has a page of
const part = (id) => document.getElementById(id);

const narrow = matchMedia("(max-width: 60rem)"); // no room for two beside each other
// A telephone has no Shift key. The arrow is that of the notebook's toolbar.
const RUN = matchMedia("(any-pointer: fine)").matches ? "Shift+Enter" : "the arrow \u25b6\ufe0e above it";

let loaded = 0; // of Python, from 0 to 1: start.mjs tells
new BroadcastChannel("linked.is: loading Python").onmessage = ({ data }) => (loaded = data);

let comm = null;
let failure = null; // why Python did not start

function say(text) {
  part("status").textContent = text;
}

function giveUp(reason, detail = "") {
  part("reason").textContent = reason;
  part("detail").textContent = detail;
  part("panes").hidden = true;
  part("problem").hidden = false;
  say("Not started.");
}

// What this browser lacks, or null.
function missing() {
  if (typeof WebAssembly !== "object") return "Python needs WebAssembly. This browser has none, or it is switched off.";
  if (!window.isSecureContext) return "A browser lets a page run Python only over https, or from localhost.";
  if (!("serviceWorker" in navigator)) return "The notebook needs a service worker. A private window or a setting of the browser doesn't allow it.";
  if (!("findLast" in Array.prototype)) return "This browser is too old. Update it, or use another one.";
  return null;
}

// Whether the site hands out what Python needs: a filter on the way may not.
async function blocked() {
  for (const file of ["jupyter-lite.json", "static/pyodide/pyodide-lock.json", "static/pyodide/pyodide.asm.wasm"]) {
    try {
      const answer = await fetch(new URL(file, lab), { method: "HEAD", cache: "no-store" });
      if (!answer.ok) return `${file} is not there (status ${answer.status}).`;
    } catch {
      return `${file} could not be loaded.`;
    }
  }
  return null;
}

// Wait for it, however long it takes: a slow computer is not a broken one. Only a reason ends it. `amount` says how much has come.
async function until(found, what, amount) {
  for (let look = Date.now() + SLOW; ; ) {
    const value = found();
    if (value) return value;
    if (Date.now() > look) {
      failure ??= await blocked();
      say(`${what} still goes on.`);
      look = Date.now() + SLOW;
    }
    if (failure) throw new Error(failure);
    part("amount").textContent = amount?.() || "";
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

// What the frame of the notebook has loaded so far.
function megabytes() {
  const files = part("notebook").contentWindow?.performance.getEntriesByType("resource") ?? [];
  return `${(files.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1e6).toFixed(1)} MB`;
}

// How much of Python has come.
function percent() {
  return loaded === 1 ? "It has come, and starts." : loaded && `${Math.round(100 * loaded)} %`;
}

// The text of the notebook, from its page on the site, until JupyterLab shows it.
async function showLesson() {
  const address = part("back").href;
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const element of page.querySelectorAll("script, .run-bar, .run-here, .notebook-source, .md-content__button")) element.remove();
  const chosen = document.documentElement.style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const styles = [...page.querySelectorAll("link[rel=stylesheet]")].map((link) => link.outerHTML).join("");
  const body = page.body.cloneNode();
  body.dataset.mdColorScheme = chosen === "dark" ? "slate" : "default";
  body.append(page.querySelector("article"));
  part("lesson").srcdoc = `<base href="${address}" target="_parent">${styles}${body.outerHTML}`;
}

async function start() {
  const reason = missing();
  if (reason) return giveUp(reason);
  part("back").href = new URL(`../${released.replace(/\.ipynb$/, "/")}`, location.href).pathname;
  try {
    const problem = await blocked();
    if (problem) return giveUp("This page can't load a file. Something between you and the site blocks it.", problem);
    say("1 of 3: loading the notebook");
    showLesson();
    part("notebook").style.visibility = "hidden"; // it is white until it has its theme
    part("notebook").src = new URL(`notebooks/index.html?path=${encodeURIComponent(path)}`, lab);
    const app = await until(() => part("notebook").contentWindow?.jupyterapp, "Loading the notebook", megabytes);
    const panel = await until(() => app.shell.currentWidget?.sessionContext && app.shell.currentWidget, "Opening the notebook", megabytes);
    part("notebook").style.visibility = "";
    part("lesson").remove();
    say("2 of 3: loading Python, once about 21 MB");
    const session = panel.sessionContext;
    showEarlier(app.serviceManager.contents);
    part("notebook").contentDocument.addEventListener("click", follow, true);
    part("notebook").contentWindow.addEventListener("unhandledrejection", ({ reason }) => {
      if (typeof reason === "string") failure ??= reason; // of the kernel: what else fails there rejects with an Error
    });
    await until(() => session.session?.kernel?.status === "idle", "Loading Python", percent);
    say("3 of 3: starting the mock server");
    connect(session.session.kernel);
    await until(() => part("window").srcdoc, "Starting the mock server");
    part("amount").remove();
    session.statusChanged.connect((_, status) => {
      if (status === "restarting" || status === "autorestarting") say("Python starts again.");
    });
    session.kernelChanged.connect((_, { newValue }) => newValue && connectAgain(newValue));
    session.session.kernel.statusChanged.connect((kernel, status) => {
      if (status === "restarting") comm = null;
      if (status === "idle" && !comm) connectAgain(kernel);
    });
    part("toggle").disabled = part("start-over").disabled = false;
    say(`Ready. Run a cell with ${RUN}.`);
  } catch (error) {
    giveUp("It did not start.", error.message);
  }
}

function connect(kernel) {
  comm = kernel.createComm(COMM);
  comm.onMsg = (message) => show(part("window"), message.content.data.html, ask);
  comm.onClose = () => (failure ??= "Python has no mock server."); // a package of it did not come
  comm.open({});
  ask({ path: "/settings/api" });
}

function connectAgain(kernel) {
  connect(kernel);
  say("Python and the mock server started again: earlier tokens and links are gone. Run the notebook from the top.");
}

// The kernel answers when it has run the cell at hand. Until then the page that is about to go takes no input.
function ask(request) {
  part("window").inert = true;
  comm.send(request);
}

// A link of the notebook. The mock server's page is beside it, another notebook opens in a tab of its own, and a page of
// the docs is on the site.
function follow(event) {
  const link = event.target.closest("a[href]");
  const [, page, kind, heading = ""] = link?.href.match(/\/lab\/files\/(?:docs\/)?(.+)\.(ipynb|md)(#.*)?$/) ?? [];
  const settings = link?.href.startsWith(`${MOCK_SERVER}/`) && comm;
  if (!kind && !settings) return;
  event.preventDefault();
  event.stopPropagation();
  if (kind === "md") return open(`../${page}/${heading.replace(/[^\w#-]/g, "").toLowerCase()}`);
  if (kind) return open(`?notebook=${page}.ipynb${heading}`);
  showSettings(true);
  ask({ path: new URL(link.href).pathname });
}

// Each release of the site has a storage of its own, so that its notebooks show. What a learner changed in an earlier
// one is put beside them, as NAME.earlier.ipynb; so are the learner's other files.
async function showEarlier(contents) {
  const settings = await (await fetch(new URL("jupyter-lite.json", lab))).json();
  const current = settings["jupyter-config-data"].contentsStorageName;
  for (const { name } of (await indexedDB.databases?.()) ?? []) {
    if (!name.startsWith(STORAGE) || name === current) continue;
    for (const file of await filesIn(name)) {
      if (file.type !== "directory") await contents.save(earlier(file.path), { ...file, path: earlier(file.path) });
    }
    indexedDB.deleteDatabase(name);
  }
  const mine = earlier(path);
  if (await contents.get(mine, { content: false }).catch(() => null)) {
    part("earlier").href = `?notebook=${encodeURIComponent(mine)}`;
    part("earlier").hidden = false;
  }
}

function earlier(path) {
  return path.replace(/(\.\w+)?$/, ".earlier$1");
}

// What JupyterLite keeps in a storage of the browser.
function filesIn(storage) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(storage);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const close = (files) => (database.close(), resolve(files));
      if (!database.objectStoreNames.contains("files")) return close([]);
      const reading = database.transaction("files").objectStore("files").getAll();
      reading.onerror = () => (database.close(), reject(reading.error));
      reading.onsuccess = () => close(reading.result);
    };
  });
}

// Beside the notebook, or in its place.
function showSettings(shown) {
  part("panes").className = !shown ? "notebook" : narrow.matches ? "settings" : "both";
  part("toggle").setAttribute("aria-pressed", String(shown));
}

// The scheme that the reader chose on the site, if any: the frames take it over from here.
function takeScheme() {
  const chosen = JSON.parse(localStorage.getItem(PALETTE))?.color?.media; // such as "(prefers-color-scheme: dark)"
  document.documentElement.style.colorScheme = chosen?.match(/light|dark/)?.[0] ?? "";
}

part("toggle").addEventListener("click", () => showSettings(part("panes").className === "notebook"));

part("start-over").addEventListener("click", async () => {
  if (!confirm("Start over? You lose your changes to this notebook, and all tokens and links in this tab.")) return;
  const { serviceManager, shell } = part("notebook").contentWindow.jupyterapp;
  await shell.currentWidget.sessionContext.shutdown();
  await serviceManager.contents.delete(path).catch(() => {}); // the release's own copy shows again
  location.search = `?notebook=${released}`;
});

narrow.addEventListener("change", () => showSettings(!narrow.matches)); // such as a tablet that is turned
showSettings(!narrow.matches);
addEventListener("storage", takeScheme); // another tab of the site switched
try {
  takeScheme();
} catch {
  // The browser keeps the storage from pages. What else lacks then is told below.
}
start();
