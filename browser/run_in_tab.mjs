// Run notebooks in the tab of a real browser, cell by cell, and print each as JSON with its outputs, one a line.
//
//   node run_in_tab.mjs chrome|firefox <browser program> <address of the lab> <notebook>…
//
// The last line holds the addresses of other sites that were asked: there should be none.

import puppeteer from "puppeteer-core";

const [browserName, executablePath, lab, ...notebooks] = process.argv.slice(2);
const browser = await puppeteer.launch({
  browser: browserName,
  executablePath,
  args: browserName === "chrome" ? ["--no-sandbox"] : [],
});
const foreign = new Set();

for (const path of notebooks) {
  const page = await browser.newPage(); // leaving a changed notebook would ask whether to save it
  page.on("request", (request) => {
    const address = new URL(request.url());
    if (["http:", "https:"].includes(address.protocol) && address.origin !== new URL(lab).origin) foreign.add(address.origin);
  });
  const begun = Date.now();
  await page.goto(`${lab}notebooks/index.html?path=${path}`);
  await page.waitForFunction(
    () => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === "idle",
    { timeout: 120_000 },
  );
  const notebook = await page.evaluate(async () => {
    const { commands, shell } = window.jupyterapp;
    const { content } = shell.currentWidget;
    content.activeCellIndex = 0;
    for (let cell = 0; cell < content.widgets.length; cell++) {
      content.activeCellIndex = cell;
      await commands.execute("notebook:run-cell"); // Run All would stop at a check that says "not yet"
    }
    return content.model.sharedModel.toJSON();
  });
  console.log(JSON.stringify({ path, seconds: (Date.now() - begun) / 1000, notebook }));
  await page.close();
}
console.log(JSON.stringify({ foreign: [...foreign] }));
await browser.close();
