// The page of one run, used as people do: `run.mjs FAILED.html`.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import * as lib from "./lib.mjs";

const [failed] = process.argv.slice(2);
const { opened, shot } = lib;

async function readsAndCopies() {
  const page = await opened(failed, { permissions: ["clipboard-read", "clipboard-write"] });
  assert.match(await page.locator("h1").innerText(), /^\d.* cases? failed on /);
  const copies = async (part) => {
    const command = part.locator("pre.copy").first();
    assert.match(await command.innerText(), /^syncspec run --target \S+ .*\S$/);
    await part.getByRole("button", { name: "Copy" }).first().click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await command.innerText());
  };
  // What broke, and a line that shows it again, are on the first screen; everything that a
  // minute is enough for, on the first two.
  const again = page.locator("#broke pre.copy");
  assert.ok((await again.boundingBox()).y < lib.DESKTOP.height, "the first command is on the first screen");
  await copies(page.locator("#broke"));
  const first = page.locator("#broken .group").first();
  assert.ok(await first.evaluate((group) => group.open), "the first broken rule is open");
  const top = await first.evaluate((group) => group.getBoundingClientRect().top);
  assert.ok(top < 2 * lib.DESKTOP.height, `the first broken rule begins ${top} pixels down`);
  await copies(first);
  for (const text of ["expected", "actual", "On the wire", "curl -i"]) {
    assert.ok((await first.innerText()).includes(text), `the first broken rule shows ${text}`);
  }
  assert.ok(await first.locator("mark").count() > 0, "the difference is marked on the wire");
  // Every rule that the numbers count as broken has its place below.
  const counted = Number((await page.locator(".numbers .key.broken").innerText()).match(/\d+/)[0]);
  assert.equal(await page.locator("#broken [id^='rule/']").count(), counted);
  await page.context().close();
}

async function filters() {
  const page = await opened(failed);
  const shown = () => page.locator("#shown").innerText();
  const all = Number((await shown()).match(/of ([\d,]+) cases/)[1].replace(",", ""));
  await page.getByRole("searchbox", { name: "Search" }).fill("stale");
  const found = Number((await shown()).match(/^[\d,]+/)[0].replace(",", ""));
  assert.ok(found > 0 && found < all, `${found} of ${all}`);
  assert.equal(new URL(page.url()).hash, "#cases?q=stale");
  await page.getByRole("searchbox", { name: "Search" }).fill("");
  await page.getByRole("checkbox", { name: /^pass / }).uncheck();
  assert.equal(await page.locator("#rows .verdict.pass").count(), 0);
  // The filter travels with the address.
  const same = await opened(failed, {}, new URL(page.url()).hash);
  assert.equal(await same.locator("#shown").innerText(), await shown());
  // One click leads from a number to its cases.
  await same.locator("nav a", { hasText: "passed" }).click();
  assert.equal(await same.locator("#rows .verdict:not(.pass)").count(), 0);
  assert.ok(await same.locator("#rows .verdict.pass").count() > 0);
}

async function followsLinks() {
  const page = await opened(failed);
  const closed = page.locator("#broken .group:not([open])[id]").last();
  const [rule, id] = await closed.evaluate((group) => [group.id, group.querySelector("[id^='case/']").id]);
  const passed = await page.locator("#rows .verdict.pass").first().evaluate((one) => one.closest("tr").querySelector("a").hash);
  for (const name of [rule, id]) {
    const there = await opened(failed, {}, `#${name}`);
    await there.waitForFunction((name) => document.getElementById(name).closest("details").open, name);
    await there.waitForTimeout(200);
    assert.ok(await lib.isShown(there, name), `#${name} is shown`);
    await there.context().close();
  }
  const there = await opened(failed, {}, passed);
  assert.match(await there.locator("#rows .more pre").innerText(), /^syncspec run .*\S$/);
  await shot(there, "run-deep-link");
}

// A link of the head leads past hundreds of others.
async function searchesByKeyboard() {
  const page = await opened(failed);
  await lib.tabTo(page, "nav a[href='#cases']");
  await page.keyboard.press("Enter");
  await lib.tabTo(page, "#search", 2);
  await page.keyboard.type("stale");
  assert.match(await page.locator("#shown").innerText(), /^\d+ of [\d,]+ cases/);
  await lib.tabTo(page, "#rows a", 12);
  await page.keyboard.press("Enter");
  const id = await page.evaluate(() => decodeURIComponent(location.hash.slice(1)));
  assert.match(id, /^case\/.*stale/);
  await page.context().close();
}

async function readsWithoutScript() {
  const page = await opened(failed, { javaScriptEnabled: false });
  assert.ok(await page.locator("#broken .case pre").first().isVisible());
  assert.ok(!(await page.locator("#filter").isVisible()));
  assert.ok(!(await page.locator("#theme").isVisible()));
}

console.log(`page of a failed run: ${(statSync(failed).size / 1e3).toFixed(0)} kB, in ${lib.version}`);
await lib.check("run", {
  readsAndCopies,
  filters,
  followsLinks,
  worksByKeyboard: () => lib.worksByKeyboard(failed, ["#broke button", "#broke li a", "#broken summary", ".case .line button"]),
  searchesByKeyboard,
  looksRight: () => lib.looksRight(failed, "run", ["broken", "requirements", "cases"]),
  switchesThemes: () => lib.switchesThemes(failed, "run"),
  prints: () => lib.prints(failed, "run", "#broken .group:not([open]) .case"),
  readsWithoutScript,
});
