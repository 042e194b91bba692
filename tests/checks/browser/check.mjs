// Opens the HTML report in a real browser: filters, search, keyboard, printing, hostile values, a large fleet.
//
//   RECONCILER  the installed command (default: that of .venv in the clone)
//   CHROMIUM    the browser (default: the first that is found)
//   SCREENSHOTS a folder that gets a picture of each page, light and dark, wide and narrow, and as printed

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const golden = path.join(root, "tests", "report", "golden");
const reconciler = process.env.RECONCILER ?? path.join(root, ".venv", "bin", "reconciler");
const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];
const executablePath = process.env.CHROMIUM ?? browsers.find((file) => fs.existsSync(file));
assert(executablePath, "no Chromium is installed; set CHROMIUM");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "reconciler-browser-"));
const screenshots = process.env.SCREENSHOTS;
const FLEET = 1000;
const QUIET = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// A page of the report that a JSON file holds, made by the installed command.
function rendered(json, name) {
  const html = path.join(folder, `${name}.html`);
  execFileSync(reconciler, ["report", json, "--report", html], { stdio: ["ignore", "ignore", "inherit"] });
  return html;
}

function fleet() {
  const report = JSON.parse(fs.readFileSync(path.join(golden, "plan_with_base.json"), "utf8"));
  const [first] = report.assistants;
  const prompt = Array.from({ length: 200 }, (_, line) => `${line}. Stay friendly, whatever the caller says.`);
  report.assistants = Array.from({ length: FLEET }, (_, number) => {
    const key = `office-${number % 20}/assistant-${String(number).padStart(4, "0")}`;
    const revised = prompt.with(number % 200, `${number % 200}. Stay calm and friendly, whatever number ${number} says.`);
    const path = "/model/messages/0/content";
    const long = { path, kind: "change", line: 9, live: prompt.join("\n"), desired: revised.join("\n") };
    return { ...first, key, file: `assistants/${key}.yaml`, id: `asst_${number}`, name: `Assistant ${number}`,
      status: "conflicted", changes: [...first.changes, long] };
  });
  const json = path.join(folder, "fleet.json");
  fs.writeFileSync(json, JSON.stringify(report));
  return json;
}

// A page that fails the check if it asks for anything, complains, or opens a dialog.
async function opened(browser, html, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  const address = pathToFileURL(html).href;
  page.on("request", (request) => request.url() === address || wrong.push(`request: ${request.url()}`));
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(address);
  return { page, wrong, close: async () => { await context.close(); assert.deepEqual(wrong, []); } };
}

const shown = (page) => page.locator("#cards > li:visible").count();
const counted = (page) => page.locator("#count").textContent();
const toggle = (page, name) => page.getByRole("button", { name });

async function filtersAndSearch(browser) {
  const { page, close } = await opened(browser, rendered(path.join(golden, "plan_with_base.json"), "filters"));
  assert.equal(await shown(page), 3);
  assert.equal(await counted(page), "3 assistants");
  await toggle(page, /^1 conflict/).click();
  assert.equal(await shown(page), 1);
  assert.equal(await counted(page), "1 of 3 assistants");
  await toggle(page, /^1 to change/).click();
  assert.equal(await shown(page), 2, "two statuses are either of them");
  await toggle(page, "Show all again").click();
  assert.equal(await shown(page), 3);
  await toggle(page, /^edited in the dashboard/).click();
  assert.equal(await shown(page), 2, "one drifted, and one in conflict that drifted too");
  await page.getByRole("searchbox", { name: "Search" }).fill("VOICEID nova");
  assert.equal(await shown(page), 1, "values are found in closed parts, whatever their case");
  await page.getByRole("searchbox").fill("nothing has this");
  assert.equal(await shown(page), 0);
  assert(await page.getByText("No assistant fits").isVisible());
  await toggle(page, "Show all again").click();
  assert.equal(await shown(page), 3);
  await close();
}

async function keyboard(browser) {
  const { page, close } = await opened(browser, rendered(path.join(golden, "plan.json"), "keyboard"));
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the assistants");
  await page.locator("button.tile").first().focus();
  await page.keyboard.press("Space");
  assert.equal(await page.locator("button.tile").first().getAttribute("aria-pressed"), "true");
  await page.keyboard.press("Space");
  const first = page.locator("#cards summary").first();
  await first.focus();
  await page.keyboard.press("Enter");
  assert(await page.locator("#cards details").first().evaluate((part) => part.open));
  await toggle(page, "Expand all").click();
  assert.equal(await page.locator("#cards details:not([open])").count(), 0);
  assert(await toggle(page, "Collapse all").isVisible());
  for (const role of ["banner", "main", "search", "status"]) assert.equal(await page.getByRole(role).count(), 1, role);
  assert(await page.getByText("live now has").or(page.getByText("Would change")).first().isVisible());
  const nameless = await page.evaluate(() => [...document.querySelectorAll("button, input, summary")]
    .filter((part) => !(part.textContent.trim() || part.labels?.[0]?.textContent.trim())).length);
  assert.equal(nameless, 0);
  await close();
}

async function words(browser) {
  const { page, close } = await opened(browser, rendered(path.join(golden, "plan.json"), "words"));
  await toggle(page, "Expand all").click();
  const prompt = page.locator(".field", { hasText: "model.messages" });
  assert.deepEqual(await prompt.locator("ins").allTextContents(), ["calm and "]);
  assert.equal(await prompt.locator("tr.changed").count(), 1);
  await close();
}

async function hostile(browser) {
  const { page, wrong, close } = await opened(browser, rendered(path.join(golden, "plan_hostile.json"), "hostile"));
  await toggle(page, "Expand all").click();
  assert.equal(await page.locator("main script, main img, main a, header img, header a").count(), 0);
  assert.equal(await page.locator("script").count(), 1);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  const text = await page.locator("body").innerText();
  for (const part of ["<script>alert(1)</script>", "\\u202egnp.exe", "<img src=x onerror=alert(1)>", "\\x1b[31mred"])
    assert(text.includes(part), part);
  assert(!/[\u202a-\u202e\u2066-\u2069\x1b]/.test(text));
  assert.deepEqual(wrong, []);
  const refused = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.pwned = true";
    document.body.append(script);
    return window.pwned;
  });
  assert.equal(refused, undefined, "the policy runs no script but the page's own");
  assert.match(wrong.splice(0).join(), /^console: .*Content Security Policy/);
  await close();
}

async function withoutScript(browser) {
  const html = rendered(path.join(golden, "plan.json"), "no-script");
  const { page, close } = await opened(browser, html, { javaScriptEnabled: false });
  assert.equal(await shown(page), 4);
  assert.equal(await page.locator(".tools:visible").count(), 0, "no search that would not work");
  assert.equal(await page.locator("button:enabled:visible").count(), 0);
  await close();
}

async function largeFleet(browser) {
  const html = rendered(fleet(), "fleet");
  const size = fs.statSync(html).size;
  const began = performance.now();
  const { page, close } = await opened(browser, html);
  assert.equal(await counted(page), `${FLEET} assistants`);
  const loaded = performance.now() - began;
  const searching = await page.evaluate(() => {
    const began = performance.now();
    const search = document.getElementById("search");
    search.value = "number 777 says";
    search.dispatchEvent(new Event("input"));
    document.body.getBoundingClientRect();
    return performance.now() - began;
  });
  assert.equal(await counted(page), `1 of ${FLEET} assistants`);
  console.log(`${FLEET} assistants: ${(size / 1e6).toFixed(1)} MB, open after ${loaded.toFixed(0)} ms, ` +
    `first search ${searching.toFixed(0)} ms`);
  assert(size < 20e6, "a page for 1000 assistants fits into a mail");
  await close();
}

async function printed(browser) {
  const { page, close } = await opened(browser, rendered(path.join(golden, "plan.json"), "print"));
  await page.emulateMedia({ media: "print" });
  assert(await page.locator("ins", { hasText: "calm and" }).isVisible(), "what is folded is printed");
  assert.equal(await page.locator(".tools:visible").count(), 0);
  if (screenshots) await page.screenshot({ path: path.join(screenshots, "plan-print.png"), fullPage: true });
  await page.emulateMedia({ media: "screen" });
  await page.pdf({ format: "A4" });
  assert.equal(await page.locator("#cards details[open]").count(), 0, "printing leaves the page as it was");
  await close();
}

async function narrow(browser) {
  for (const name of ["plan_with_base", "plan_hostile", "apply", "validate"]) {
    const html = rendered(path.join(golden, `${name}.json`), `narrow-${name}`);
    const { page, close } = await opened(browser, html, { viewport: { width: 400, height: 800 } });
    await page.evaluate(() => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert(wide <= 400, `${name} is ${wide} px wide on a screen of 400`);
    await close();
  }
}

async function pictures(browser) {
  fs.mkdirSync(screenshots, { recursive: true });
  for (const file of fs.readdirSync(golden).filter((name) => name.endsWith(".json")))
    for (const colorScheme of ["light", "dark"])
      for (const width of [1280, 400]) {
        const name = path.basename(file, ".json");
        const html = rendered(path.join(golden, file), name);
        const { page, close } = await opened(browser, html, { colorScheme, viewport: { width, height: 800 } });
        await page.evaluate(() => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
        await page.screenshot({ path: path.join(screenshots, `${name}-${colorScheme}-${width}.png`), fullPage: true });
        await close();
      }
}

const checks = [filtersAndSearch, keyboard, words, hostile, withoutScript, largeFleet, printed, narrow];
if (screenshots) checks.unshift(pictures);
const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu", ...QUIET] });
try {
  for (const check of checks) {
    await check(browser);
    console.log(`ok ${check.name}`);
  }
} finally {
  await browser.close();
  fs.rmSync(folder, { recursive: true, force: true });
}
