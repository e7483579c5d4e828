// What the checks of all pages have in common: a browser, windows, and what every page
// must do.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Sizes of windows, in CSS pixels.
export const DESKTOP = { width: 1280, height: 900 }, PHONE = { width: 360, height: 780 }, SMALL = { width: 320, height: 640 };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
export const version = `${browser.browserType().name()} ${browser.version()}`;

const shots = process.env.SCREENSHOTS;
mkdirSync(shots, { recursive: true });
export const shotPath = (name) => join(shots, name);
export const shot = async (page, name) => {
  // What was off screen a moment ago is drawn first.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await page.screenshot({ path: shotPath(`${name}.png`) });
};

// A page in a window of its own that may ask nobody for anything.
export async function opened(file, options = {}, hash = "") {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(`the page's script failed: ${error.message}`));
  page.on("request", (request) => assert.match(request.url(), /^(file|data):/, "the page asks for something"));
  await page.goto(pathToFileURL(file).href + hash);
  return page;
}

// Nothing stands beyond the window's right edge but what scrolls by itself.
export async function fits(page, name) {
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
export async function accessible(page, name) {
  // What is off screen and not drawn yet would not be looked at.
  await page.addStyleTag({ content: ".case { content-visibility: visible !important; }" });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map(({ id, impact, help, nodes }) => `${impact} ${id}: ${help}\n    ${nodes[0].html.slice(0, 200)}\n    ${nodes[0].failureSummary}`);
  if (told.length > 0) console.log(`${name}:\n  ${told.join("\n  ")}`);
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.equal(serious.length, 0, `${name}: ${serious.map(({ id }) => id).join(", ")}`);
}

export const isShown = (page, id) => page.evaluate((id) => {
  const box = document.getElementById(id).getBoundingClientRect();
  return box.height > 0 && box.top < innerHeight && box.bottom > 0;
}, id);

export const openAll = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));

// ---- what every page must do ----------------------------------------------

// At any width, in both themes: a picture of the top and of each of these places.
export async function looksRight(file, name, places) {
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE, small: SMALL })) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await opened(file, { viewport, colorScheme });
      const where = `${name}-${size}-${colorScheme}`;
      await fits(page, where);
      await shot(page, where);
      if (size !== "small") {
        for (const place of places) {
          await page.evaluate((id) => document.getElementById(id).scrollIntoView(), place);
          await shot(page, `${where}-${place}`);
        }
        await accessible(page, where);
      }
      // Everything open is wide where anything is.
      await openAll(page);
      await fits(page, `${where}, all open`);
      await page.context().close();
    }
  }
}

const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

export async function switchesThemes(file, name) {
  const page = await opened(file, { colorScheme: "light" });
  const light = await paper(page);
  await page.getByRole("button", { name: "Dark theme" }).click();
  assert.notEqual(await paper(page), light);
  await accessible(page, `${name}, switched to dark`);
  await page.getByRole("button", { name: "Light theme" }).click();
  assert.equal(await paper(page), light);
  await page.context().close();
}

// Presses Tab until what has the focus is so.
export async function tabTo(page, selector, most = 80) {
  for (let press = 0; press < most; press++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
  }
  assert.fail(`${most} presses of Tab do not lead to ${selector}`);
}

// The first press leads past the head; wherever the focus is, it shows.
export async function worksByKeyboard(file, selectors) {
  const page = await opened(file);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "To the results");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  for (const selector of selectors) {
    await tabTo(page, selector);
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none", `${selector} shows its focus`);
    if (await page.evaluate(() => document.activeElement.tagName === "SUMMARY")) {
      const open = () => page.evaluate(() => document.activeElement.parentElement.open);
      const before = await open();
      await page.keyboard.press("Enter");
      assert.notEqual(await open(), before, `Enter opens or closes ${selector}`);
      await page.keyboard.press("Enter");
    }
  }
  await page.context().close();
}

// On white, without controls, with what is folded on the screen.
export async function prints(file, name, folded) {
  const page = await opened(file, { colorScheme: "dark" });
  await page.pdf({ path: shotPath(`${name}.pdf`), format: "A4" });
  await page.emulateMedia({ media: "print" });
  assert.equal(await paper(page), "rgb(255, 255, 255)", "paper is white");
  for (const control of ["nav", "#theme", "#filter"]) {
    assert.ok(!(await page.locator(control).first().isVisible()), `${control} is not printed`);
  }
  if (folded && await page.locator(folded).count() > 0) {
    assert.ok((await page.locator(folded).first().boundingBox())?.height > 0, "what is folded is printed");
  }
  await page.setViewportSize({ width: 794, height: 1123 });
  await shot(page, `${name}-printed`);
  await fits(page, `${name}, printed`);
  await page.context().close();
}

// Says how each check ended; the process then ends with 1 if one failed.
export async function check(name, checks) {
  for (const [what, run] of Object.entries(checks)) {
    try {
      await run();
      console.log(`ok ${name}: ${what}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${what}`);
      console.log(error.stack);
      process.exitCode = 1;
    }
  }
  await browser.close();
}
