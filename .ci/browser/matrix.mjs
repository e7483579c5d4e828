// The pages of a matrix: one whose runs have pages of their own beside them, and one whose
// runs have none: `matrix.mjs LINKED.html ALONE.html`.
import assert from "node:assert/strict";
import * as lib from "./lib.mjs";

const [linked, alone] = process.argv.slice(2);
const { opened, shot } = lib;
const broken = "td .standing.broken";

async function saysWhoDiffers() {
  const page = await opened(linked);
  const targets = await page.locator("#targets tbody th").count();
  assert.ok(targets >= 3, `${targets} targets`);
  assert.match(await page.locator("h1").innerText(), new RegExp(`^${targets} targets on \\d+ requirements: they differ on \\d+; \\d+ broken`));
  // What they differ on comes first, and is open.
  const first = page.locator("#requirements .group").first();
  assert.ok(await first.evaluate((group) => group.open));
  const rows = await first.locator("table").first().locator("tbody tr").evaluateAll((rows) =>
    rows.map((row) => new Set([...row.querySelectorAll(".standing")].map((one) => one.textContent)).size));
  assert.ok(rows[0] > 1, "the first row is one on which targets differ");
  // The heads of columns stay in sight.
  const head = first.locator("thead th").nth(1);
  await first.locator("tbody tr").nth(6).evaluate((row) => row.scrollIntoView({ block: "center" }));
  const box = await head.boundingBox();
  assert.ok(box.y >= -1 && box.y < lib.DESKTOP.height, `the column's head is at ${box.y}`);
  await page.context().close();
}

async function cellsSayWhoseTheyAreOnAPhone() {
  const page = await opened(linked, { viewport: lib.PHONE });
  const row = page.locator("#requirements tbody tr").first();
  const labels = await row.locator("td").evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell, "::before").content.slice(1, -1)));
  assert.deepEqual(labels, await page.locator("#targets tbody th a").allInnerTexts());
  await page.context().close();
}

async function leadsToThePageOfARun() {
  const page = await opened(linked);
  await page.locator(broken).first().click();
  await page.waitForURL(/run\.html#case\//);
  const id = decodeURIComponent(new URL(page.url()).hash.slice(1));
  await page.waitForTimeout(300);
  assert.ok(await lib.isShown(page, id), `#${id} is shown`);
  await shot(page, "matrix-followed");
  await page.context().close();
}

async function leadsToEvidenceBelow() {
  const page = await opened(alone, { permissions: ["clipboard-read", "clipboard-write"] });
  const id = await page.locator(broken).first().evaluate((cell) => decodeURIComponent(cell.closest("a").hash.slice(1)));
  await page.locator(broken).first().click();
  await page.waitForFunction((id) => document.getElementById(id).open, id);
  assert.ok(await lib.isShown(page, id), `#${id} is shown`);
  const entry = page.locator(`[id="${id}"]`);
  await entry.getByRole("button", { name: "Copy" }).first().click();
  // The command leads to the target of the column.
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^syncspec run --target \S+ .*\S$/);
  // What an address points at is there when the page opens, too.
  const there = await opened(alone, {}, `#${id}`);
  await there.waitForFunction((id) => document.getElementById(id).open, id);
  assert.ok(await lib.isShown(there, id));
  await shot(there, "matrix-alone-evidence");
}

await lib.check("matrix", {
  saysWhoDiffers,
  cellsSayWhoseTheyAreOnAPhone,
  leadsToThePageOfARun,
  leadsToEvidenceBelow,
  worksByKeyboard: () => lib.worksByKeyboard(linked, [".words summary", "#requirements .group > summary", "#requirements td a"]),
  looksRight: () => lib.looksRight(linked, "matrix", ["requirements", "disputes"]),
  looksRightAlone: () => lib.looksRight(alone, "matrix-alone", ["evidence"]),
  switchesThemes: () => lib.switchesThemes(linked, "matrix"),
  prints: () => lib.prints(alone, "matrix", "#evidence details:not([open]) pre"),
});
