// The page of two nights that differ in one verdict, one added and one vanished case:
// `diff.mjs DIFF.html`. The new one has a page of its own beside it.
import assert from "node:assert/strict";
import * as lib from "./lib.mjs";

const [diff] = process.argv.slice(2);
const { opened, shot } = lib;

async function saysWhatChangedAndNoMore() {
  const page = await opened(diff);
  assert.match(await page.locator("h1").innerText(), /^A step back: 1 newly failing, 1 vanished, 1 added, [\d,]+ cases as before$/i);
  const sections = await page.locator("main section").evaluateAll((all) =>
    all.map((section) => [section.id, section.querySelectorAll(".change").length]));
  assert.deepEqual(sections, [["newly-failing", 1], ["vanished", 1], ["added", 1]]);
  const verdicts = await page.locator(".change").evaluateAll((all) => all.map((one) => [...one.querySelectorAll(".verdict")].map((it) => it.textContent)));
  assert.deepEqual(verdicts, [["pass", "fail"], ["pass", "no result"], ["no result", "pass"]]);
  await page.context().close();
}

async function leadsToTheEvidence() {
  const page = await opened(diff);
  await page.locator("#newly-failing .change a").first().click();
  await page.waitForURL(/run\.html#case\//);
  const id = decodeURIComponent(new URL(page.url()).hash.slice(1));
  await page.waitForTimeout(300);
  assert.ok(await lib.isShown(page, id), `#${id} is shown`);
  assert.ok((await page.locator(`[id="${id}"]`).innerText()).includes("On the wire"));
  await shot(page, "diff-followed");
  await page.context().close();
}

async function keepsAddressesOfCases() {
  const page = await opened(diff);
  const id = await page.locator("#added .change").evaluate((change) => change.id);
  const there = await opened(diff, { viewport: lib.SMALL }, `#${id}`);
  await there.waitForTimeout(200);
  assert.ok(await lib.isShown(there, id));
}

async function copiesCommands() {
  const page = await opened(diff, { permissions: ["clipboard-read", "clipboard-write"] });
  await page.locator("#newly-failing .change summary").click();
  await page.getByRole("button", { name: "Copy" }).first().click();
  // The command leads to the target of the night.
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^syncspec run --target \S+ .*\S$/);
  await shot(page, "diff-command");
}

await lib.check("diff", {
  saysWhatChangedAndNoMore,
  leadsToTheEvidence,
  keepsAddressesOfCases,
  copiesCommands,
  worksByKeyboard: () => lib.worksByKeyboard(diff, [".change a", ".change summary"]),
  looksRight: () => lib.looksRight(diff, "diff", ["vanished"]),
  switchesThemes: () => lib.switchesThemes(diff, "diff"),
  prints: () => lib.prints(diff, "diff"),
});
