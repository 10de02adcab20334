// Run notebooks in the tab of a real browser, cell by cell, and print each as JSON with its outputs, one a line.
//
//   node run_in_tab.mjs <seconds that each step may take> chrome|firefox <browser program> <address of the lab> <notebook>…
//
// The last line holds the addresses of other sites that were asked: there should be none.

import puppeteer from "puppeteer-core";

const [seconds, browserName, executablePath, lab, ...notebooks] = process.argv.slice(2);
const timeout = seconds * 1000;
const browser = await puppeteer.launch({
  browser: browserName,
  executablePath,
  args: browserName === "chrome" ? ["--no-sandbox"] : [],
  timeout,
  protocolTimeout: timeout,
});
const foreign = new Set();

for (const path of notebooks) {
  const page = await browser.newPage(); // leaving a changed notebook would ask whether to save it
  page.setDefaultTimeout(timeout);
  page.on("request", (request) => {
    const address = new URL(request.url());
    if (["http:", "https:"].includes(address.protocol) && address.origin !== new URL(lab).origin) foreign.add(address.origin);
  });
  const begun = Date.now();
  try {
    await page.goto(`${lab}notebooks/index.html?path=${path}`);
    await page.waitForFunction(() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === "idle");
    for (let cell = 0; await page.evaluate(run, cell); cell++);
    const notebook = await page.evaluate(() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON());
    console.log(JSON.stringify({ path, seconds: (Date.now() - begun) / 1000, notebook }));
  } catch (error) {
    console.log(`${path}: ${error}\nLast seen:\n${await page.evaluate(() => document.body.innerText)}`);
    process.exit(1);
  }
  await page.close();
}
console.log(JSON.stringify({ foreign: [...foreign] }));
await browser.close();

// Run a cell and say whether there was one. Run All would stop at a check that says "not yet".
async function run(cell) {
  const { commands, shell } = window.jupyterapp;
  const { content } = shell.currentWidget;
  if (cell >= content.widgets.length) return false;
  content.activeCellIndex = cell;
  await commands.execute("notebook:run-cell");
  return true;
}
