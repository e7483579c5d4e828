// Uses the pages of recorded runs as people do, in a headless browser, and fails when
// something does not work: `check.mjs FAILED.html MANY.html SCREENSHOTS`.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [failed, many, shots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

// Sizes of windows, in CSS pixels.
const DESKTOP = { width: 1280, height: 900 }, PHONE = { width: 390, height: 844 }, SMALL = { width: 320, height: 640 };
// What nobody would wait for without noticing, on a machine that is busy with other
// work; the figures themselves are printed.
const MOST_TO_OPEN = 10_000, MOST_TO_FILTER = 1_000;

// A page in a window of its own that may ask nobody for anything.
async function opened(file, options = {}, hash = "") {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(`the page's script failed: ${error.message}`));
  page.on("request", (request) => assert.match(request.url(), /^(file|data):/, "the page asks for something"));
  await page.goto(pathToFileURL(file).href + hash);
  return page;
}

const shot = (page, name, whole = false) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: whole });

// Nothing stands beyond the window's right edge but what scrolls by itself.
async function fits(page, name) {
  const wider = await page.evaluate(() => {
    const scrolls = (element) => {
      for (let up = element; up; up = up.parentElement) {
        const style = getComputedStyle(up);
        if (style.overflowX === "auto" || style.overflowX === "hidden" || style.clipPath !== "none") return true;
      }
      return false;
    };
    const beyond = [...document.querySelectorAll("body *")].filter((element) =>
      element.getBoundingClientRect().right > innerWidth + 1 && element.checkVisibility() && !scrolls(element));
    return { page: document.documentElement.scrollWidth - innerWidth, beyond: beyond.slice(0, 5).map((one) => one.outerHTML.slice(0, 120)) };
  });
  assert.deepEqual(wider.beyond, [], `${name}: something stands beyond the edge`);
  assert.ok(wider.page <= 0, `${name}: the page is ${wider.page} pixels too wide`);
}

// The checker finds nothing that keeps somebody out.
async function accessible(page, name) {
  // What is off screen and not drawn yet would not be looked at.
  await page.addStyleTag({ content: ".case { content-visibility: visible !important; }" });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map(({ id, impact, help, nodes }) => `${impact} ${id}: ${help}\n    ${nodes[0].html.slice(0, 200)}\n    ${nodes[0].failureSummary}`);
  if (told.length > 0) console.log(`${name}:\n  ${told.join("\n  ")}`);
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.equal(serious.length, 0, `${name}: ${serious.map(({ id }) => id).join(", ")}`);
}

const isShown = (page, id) => page.evaluate((id) => {
  const box = document.getElementById(id).getBoundingClientRect();
  return box.height > 0 && box.top < innerHeight && box.bottom > 0;
}, id);

async function readsAndCopies() {
  const context = await browser.newContext({ viewport: DESKTOP, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto(pathToFileURL(failed).href);
  assert.match(await page.locator("h1").innerText(), /^\d.* cases? failed on /);
  // Everything that a minute is enough for is on the first two screens.
  const first = page.locator("#broken .group").first();
  assert.ok(await first.evaluate((group) => group.open), "the first broken rule is open");
  const top = await first.evaluate((group) => group.getBoundingClientRect().top);
  assert.ok(top < 2 * DESKTOP.height, `the first broken rule begins ${top} pixels down`);
  const command = first.locator("pre.copy").first();
  assert.match(await command.innerText(), /^syncspec run --target \S+ .*\S$/);
  await first.getByRole("button", { name: "Copy" }).first().click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await command.innerText());
  for (const text of ["expected", "actual", "On the wire", "curl -i"]) {
    assert.ok((await first.innerText()).includes(text), `the first broken rule shows ${text}`);
  }
  assert.ok(await first.locator("mark").count() > 0, "the difference is marked on the wire");
  await context.close();
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
  const closed = page.locator("#broken .group:not([open])").last();
  const [rule, id] = await closed.evaluate((group) => [group.id, group.querySelector("[id^='case/']").id]);
  const passed = await page.locator("#rows .verdict.pass").first().evaluate((one) => one.closest("tr").querySelector("a").hash);
  for (const name of [rule, id]) {
    const there = await opened(failed, {}, `#${name}`);
    await there.waitForFunction((name) => document.getElementById(name).closest("details").open, name);
    await there.waitForTimeout(200);
    assert.ok(await isShown(there, name), `#${name} is shown`);
    await there.context().close();
  }
  const there = await opened(failed, {}, passed);
  assert.match(await there.locator("#rows .more pre").innerText(), /^syncspec run .*\S$/);
  await shot(there, "deep-link");
}

async function worksByKeyboard() {
  const page = await opened(failed);
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "To the results");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  // Into the first group, which closes and opens again.
  const first = page.locator("#broken .group").first();
  for (let press = 0; press < 60 && !(await first.evaluate((group) => document.activeElement === group.querySelector("summary"))); press++) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  assert.ok(!(await first.evaluate((group) => group.open)), "Enter closes a group");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Copy");
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
}

async function looksRight() {
  for (const [name, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE, small: SMALL })) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await opened(failed, { viewport, colorScheme });
      await fits(page, `${name}, ${colorScheme}`);
      await shot(page, `${name}-${colorScheme}`);
      if (name !== "small") {
        await page.locator("#broken").scrollIntoViewIfNeeded();
        await page.evaluate(() => document.getElementById("broken").scrollIntoView());
        await shot(page, `${name}-${colorScheme}-broken`);
        await page.evaluate(() => document.getElementById("requirements").scrollIntoView());
        await shot(page, `${name}-${colorScheme}-requirements`);
        await page.evaluate(() => document.getElementById("cases").scrollIntoView());
        await shot(page, `${name}-${colorScheme}-cases`);
        await accessible(page, `${name}, ${colorScheme}`);
      }
      // Everything open is wide where anything is.
      await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
      await fits(page, `${name}, ${colorScheme}, all open`);
      await page.context().close();
    }
  }
}

async function switchesThemes() {
  const page = await opened(failed, { colorScheme: "light" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole("button", { name: "Dark theme" }).click();
  assert.notEqual(await paper(), light);
  await accessible(page, "switched to dark");
  await page.getByRole("button", { name: "Light theme" }).click();
  assert.equal(await paper(), light);
}

async function prints() {
  const page = await opened(failed, { colorScheme: "dark" });
  await page.pdf({ path: join(shots, "printed.pdf"), format: "A4" });
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)", "paper is white");
  assert.ok(!(await page.locator("#filter").isVisible()) && !(await page.locator("nav").isVisible()));
  // Evidence that is folded on the screen is printed.
  const folded = page.locator("#broken .group:not([open]) .case").first();
  if (await folded.count() > 0) assert.ok((await folded.boundingBox())?.height > 0, "what is folded is printed");
  await page.setViewportSize({ width: 794, height: 1123 });
  await shot(page, "printed");
}

async function readsWithoutScript() {
  const page = await opened(failed, { javaScriptEnabled: false });
  assert.ok(await page.locator("#broken .case pre").first().isVisible());
  assert.ok(!(await page.locator("#filter").isVisible()));
  assert.ok(!(await page.locator("#theme").isVisible()));
}

async function staysQuick() {
  const begun = performance.now();
  const page = await opened(many);
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
  await fits(page, "many");
}

console.log(`page of a failed run: ${(statSync(failed).size / 1e3).toFixed(0)} kB, in ${browser.browserType().name()} ${browser.version()}`);
for (const check of [readsAndCopies, filters, followsLinks, worksByKeyboard, looksRight, switchesThemes, prints, readsWithoutScript, staysQuick]) {
  try {
    await check();
    console.log(`ok ${check.name}`);
  } catch (error) {
    console.log(`FAILED ${check.name}`);
    console.log(error.stack);
    process.exitCode = 1;
  }
}
await browser.close();
