// Run notebooks in a real browser, and print as JSON what each shows, one a line: below `lab/` in JupyterLab, cell by cell;
// on a page by its buttons.
//
//   node run_in_tab.mjs <seconds that each step may take> chrome|firefox <browser program> <address of the site> <path below it>…
//
// The last line holds the addresses of other sites that were asked: there should be none.

import puppeteer from "puppeteer-core";

const [seconds, browserName, executablePath, site, ...paths] = process.argv.slice(2);
const timeout = seconds * 1000;
const browser = await puppeteer.launch({
  browser: browserName,
  executablePath,
  args: browserName === "chrome" ? ["--no-sandbox"] : [],
  timeout,
  protocolTimeout: timeout,
});
const foreign = new Set();

for (const path of paths) {
  const page = await browser.newPage(); // leaving a changed notebook would ask whether to save it
  page.setDefaultTimeout(timeout);
  page.on("request", (request) => {
    const address = new URL(request.url());
    if (["http:", "https:"].includes(address.protocol) && address.origin !== new URL(site).origin) foreign.add(address.origin);
  });
  const begun = Date.now();
  try {
    await page.goto(site + path);
    const shown = await (path.startsWith("lab/") ? inLab(page) : onPage(page));
    console.log(JSON.stringify({ path, seconds: (Date.now() - begun) / 1000, shown }));
  } catch (error) {
    console.log(`${path}: ${error}\nLast seen:\n${await page.evaluate(() => document.body.innerText)}`);
    process.exit(1);
  }
  await page.close();
}
console.log(JSON.stringify({ foreign: [...foreign] }));
await browser.close();

async function inLab(page) {
  await page.waitForFunction(() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === "idle");
  for (let cell = 0; await page.evaluate(run, cell); cell++);
  return page.evaluate(() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON());
}

async function onPage(page) {
  await page.evaluate(() => {
    const inOrder = document.querySelector("script[data-notebook]"); // the last one runs all above it
    for (const bar of [...document.querySelectorAll(".run-bar")].slice(inOrder ? -1 : 0)) bar.querySelector("button").click();
  });
  await page.waitForFunction(() => [...document.querySelectorAll(".run-bar")].every((bar) => bar.textContent.includes("just now")));
  return page.evaluate(() =>
    [...document.querySelectorAll(".run-bar")].map((bar) => {
      const texts = { recorded: [], mine: [], said: bar.querySelector("[role=status]").textContent };
      for (let box = bar.nextElementSibling; box?.matches(".cell-output"); box = box.nextElementSibling)
        texts[box.matches(".cell-output--mine") ? "mine" : "recorded"].push(...[...box.children].map((one) => one.textContent.trim()));
      return texts;
    }),
  );
}

// Run a cell and say whether there was one. Run All would stop at a check that says "not yet".
async function run(cell) {
  const { commands, shell } = window.jupyterapp;
  const { content } = shell.currentWidget;
  if (cell >= content.widgets.length) return false;
  content.activeCellIndex = cell;
  await commands.execute("notebook:run-cell");
  return true;
}
