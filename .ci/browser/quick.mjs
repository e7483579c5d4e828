// How long the page of a large run keeps people waiting: `quick.mjs MANY.html`.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import * as lib from "./lib.mjs";

const [many] = process.argv.slice(2);
// What nobody would wait for without noticing, on a machine that is busy with other
// work; the figures themselves are printed.
const MOST_TO_OPEN = 10_000, MOST_TO_FILTER = 1_000;

async function staysQuick() {
  const begun = performance.now();
  const page = await lib.opened(many);
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length > 0);
  const open = performance.now() - begun;
  // From the keystroke until what it leaves is drawn.
  const filter = (text) => page.evaluate(async (text) => {
    const search = document.getElementById("search"), begun = performance.now();
    search.value = text;
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    return performance.now() - begun;
  }, text);
  const times = [];
  for (const text of ["s", "st", "sta", "stal", "stale", "update records", "nothing is called so", ""]) times.push(await filter(text));
  times.sort((a, b) => a - b);
  const [median, worst] = [times[Math.floor(times.length / 2)], times.at(-1)];
  const cases = await page.locator("#shown").innerText();
  console.log(`${cases.match(/of ([\d,]+) cases/)[1]} results, ${(statSync(many).size / 1e6).toFixed(1)} MB: open after ${open.toFixed(0)} ms, ` +
    `filtered and drawn within ${median.toFixed(0)} ms (worst of ${times.length}: ${worst.toFixed(0)} ms)`);
  assert.ok(open < MOST_TO_OPEN && worst < MOST_TO_FILTER, "a large page keeps people waiting");
  await lib.fits(page, "many");
}

await lib.check("many", { staysQuick });
