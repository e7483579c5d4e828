// The page of a history that has a gap, a run that was cut off, another suite, and a file
// that is no run: `trend.mjs TREND.html`. Some of its runs have pages beside them.
import assert from "node:assert/strict";
import * as lib from "./lib.mjs";

const [trend] = process.argv.slice(2);
const { opened, shot } = lib;

async function drawsWhatTheTableSays() {
  const page = await opened(trend);
  assert.match(await page.locator("h1").innerText(), /, latest run: [\d,]+ passed, \d+ failed, \d+ not judged$/);
  const nights = await page.locator(".nights tbody tr").count();
  assert.ok(nights >= 10, `${nights} nights`);
  const failed = (part) => page.locator(`.chart circle.failed${part}`);
  assert.equal(await failed("").count(), nights, "each night is a point");
  assert.equal(await failed(".partial").count(), 1);
  assert.equal(await page.locator(".chart .gap").count(), 1);
  assert.equal(await page.locator(".chart .suite").count(), 1);
  assert.ok(await page.locator(".notices").innerText().then((text) => text.includes("log.jsonl")), "what is no run is told");
  const notes = await page.locator(".nights .note").allInnerTexts();
  for (const note of ["partial: ", "no run for ", "suite changed: "]) assert.equal(notes.filter((text) => text.startsWith(note)).length, 1, note);
  // Numbers in the drawing can be read at any width.
  for (const viewport of [lib.DESKTOP, lib.PHONE]) {
    await page.setViewportSize(viewport);
    const height = await page.locator(".chart .name").first().evaluate((name) => name.getBoundingClientRect().height);
    assert.ok(height >= 9, `text of ${height} pixels, ${viewport.width} pixels wide`);
  }
  await page.context().close();
}

async function leadsToThePageOfARun() {
  const page = await opened(trend);
  await page.locator(".nights a").first().click();
  await page.waitForURL(/run\.html$/);
  assert.match(await page.locator("h1").innerText(), / cases /);
  await shot(page, "trend-followed");
  await page.context().close();
}

await lib.check("trend", {
  drawsWhatTheTableSays,
  leadsToThePageOfARun,
  worksByKeyboard: () => lib.worksByKeyboard(trend, [".scroll", ".nights a"]),
  looksRight: () => lib.looksRight(trend, "trend", ["target-1"]),
  switchesThemes: () => lib.switchesThemes(trend, "trend"),
  prints: () => lib.prints(trend, "trend", ".chart"),
});
