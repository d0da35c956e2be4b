// Looks at the hub's pages as a visitor's browser does. Usage: node run.mjs http://127.0.0.1:PORT
// Prints one line a finding and ends with 1 if there was any. With SHOTS=DIR, leaves pictures there.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const base = process.argv[2];
const shots = process.env.SHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const findings = [];
const found = (text) => { findings.push(text); console.log(`finding: ${text}`); };
const feed = async (ticket) => { console.log(`feed ${ticket}`); await answers.next(); };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run"],
});

const PAGES = {
  front: "/",
  office: "/offices/chuo",
  stale: "/offices/midori",
  ahead: "/offices/chuo/queues/moving/tickets/B325",
  called: "/offices/chuo/queues/certificates/tickets/A042",
  passed: "/offices/chuo/queues/certificates/tickets/A040",
  unlisted: "/offices/chuo/queues/moving/tickets/Z999",
  find: "/find?ticket=A077",
  choose: "/find?ticket=A900",
  missing: "/offices/nowhere",
  lite: "/lite",
  "lite-office": "/lite/chuo",
};
const withLang = (path, lang) => `${base}${path}${path.includes("?") ? "&" : "?"}lang=${lang}`;

const open = async (options, path, lang = "ja") => {
  // The page's own policy forbids injected scripts; axe is one.
  const context = await browser.newContext({ bypassCSP: true, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => found(`${path}: script error ${error.message}`));
  await page.goto(withLang(path, lang), { waitUntil: "load" });
  return { context, page };
};
const shoot = async (page, name, fullPage = true) => {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage });
};

// Every page: accessible, nothing wider than the phone, in both languages, light and dark.
for (const lang of ["ja", "en"]) {
  for (const colorScheme of ["light", "dark"]) {
    const { context, page } = await open({ colorScheme, viewport: { width: 360, height: 780 } }, "/lite", lang);
    for (const [name, path] of Object.entries(PAGES)) {
      // The richest pages in all four looks, the others in two: each look takes its seconds.
      const rich = ["front", "office", "ahead"].includes(name);
      if (!rich && (lang === "ja") !== (colorScheme === "light")) continue;
      await page.goto(withLang(path, lang), { waitUntil: "load" });
      const where = `${path} ${lang} ${colorScheme}`;
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found(`${where}: ${wide} px wider than 360`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        rules: { "color-contrast-enhanced": { enabled: true } },
      }));
      for (const v of violations) {
        found(`${where}: ${v.impact} ${v.id}: ${v.help} (${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")})`);
      }
      if (name !== "lite" && name !== "lite-office") {
        const small = await page.evaluate(() => [...document.querySelectorAll("a, button, input, select")]
          .filter((e) => e.type !== "hidden" && !e.classList.contains("skip"))
          .map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 60)])
          .filter(([r]) => r.width > 0 && r.height < 24).map(([, html]) => html));
        for (const html of small) found(`${where}: touch target under 24 px: ${html}`);
      }
    }
    await context.close();
  }
}

// Clips: no text is cut off or laid over its neighbour in a row.
for (const lang of ["ja", "en"]) {
  const { context, page } = await open({ viewport: { width: 360, height: 900 } }, "/lite", lang);
  for (const path of [PAGES.front, PAGES.office]) {
    await page.goto(withLang(path, lang), { waitUntil: "load" });
    for (const width of [360, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const spilt = await page.evaluate(() => [...document.querySelectorAll("td, th, .level, .head > *, h2 a, #glance a")]
        .filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 1)
        .map((e) => `${e.className} ${e.textContent.trim()}`));
      for (const text of spilt) found(`${path} ${lang} at ${width}: spills: ${text}`);
    }
  }
  await context.close();
}

// A number fed in appears in an open page without reload.
for (const [path, ticket] of [[PAGES.front, "A043"], [PAGES.office, "A044"]]) {
  const { context, page } = await open({ viewport: { width: 390, height: 844 } }, path);
  await page.evaluate(() => { window.sameDocument = true; });
  const cell = page.locator("#o-chuo [data-key=certificates], #office [data-key=certificates]");
  if ((await cell.textContent()).includes(ticket)) found(`${path}: ${ticket} is there too early`);
  await page.waitForTimeout(300);
  await feed(ticket);
  try {
    await page.waitForFunction((t) => document.querySelector("#o-chuo [data-key=certificates], #office [data-key=certificates]")?.textContent.includes(t), ticket, { timeout: 5000 });
  } catch {
    found(`${path}: ${ticket} did not appear`);
  }
  if (!(await page.evaluate(() => window.sameDocument))) found(`${path}: was loaded again`);
  if (!(await page.locator("#as-of").textContent()).includes("10:43")) found(`${path}: the time did not follow`);
  await context.close();
}

// "My number" counts down by itself.
{
  const { context, page } = await open({ viewport: { width: 390, height: 844 } }, "/offices/chuo/queues/certificates/tickets/A048");
  const before = await page.locator(".big strong").textContent();
  await page.waitForTimeout(300);
  await feed("A045");
  try {
    await page.waitForFunction((n) => Number(document.querySelector(".big strong")?.textContent) === n - 1, Number(before), { timeout: 8000 });
  } catch {
    found(`my number stays at ${before}`);
  }
  await context.close();
}

// With script off everything is there, and the form leads on.
{
  const { context, page } = await open({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } }, "/");
  if (!(await page.locator("#o-chuo").textContent()).includes("A045")) found("without script: A045 is missing");
  if ((await page.locator("article.card").count()) !== 6) found("without script: not six offices");
  await page.fill("#ticket", "ｂ３２１");
  await page.selectOption("#office", "chuo");
  await page.click("button[type=submit]");
  if (!page.url().includes("/offices/chuo/queues/moving/tickets/B321")) found(`without script: the form led to ${page.url()}`);
  if (!(await page.locator(".big").textContent()).includes("3")) found("without script: not 3 people before B321");
  await context.close();
}

if (shots) {
  for (const [device, viewport, deviceScaleFactor] of [["phone", { width: 390, height: 844 }, 2], ["desktop", { width: 1280, height: 800 }, 1]]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const [name, path] of Object.entries(PAGES)) {
        const { context, page } = await open({ colorScheme, viewport, deviceScaleFactor }, path);
        await shoot(page, `${name}-${device}-${colorScheme}`);
        await context.close();
      }
    }
  }
  const { context, page } = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }, "/", "en");
  await shoot(page, "front-phone-en");
  await page.setViewportSize({ width: 360, height: 780 });
  await shoot(page, "front-360-en");
  await context.close();
  const small = await open({ viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 }, "/offices/chuo");
  await shoot(small.page, "office-360");
  await small.context.close();
}

await browser.close();
console.log(`${findings.length} findings`);
process.exit(findings.length ? 1 : 0);
