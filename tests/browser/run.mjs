// Looks at the hub's pages as a visitor's browser does. Usage: node run.mjs http://127.0.0.1:PORT
// Prints one line a finding and ends with 1 if there was any. With SHOTS=DIR, leaves pictures there;
// page.png of them is docs/images/page.png. With SMOKE set, fewer languages, screens and looks.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const base = process.argv[2];
const shots = process.env.SHOTS;
const smoke = Boolean(process.env.SMOKE);
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
  procedures: "/procedures",
  procedure: "/procedures/certificates",
  forecast: "/offices/chuo/forecast",
  accuracy: "/accuracy",
  ahead: "/offices/chuo/queues/moving/tickets/B325",
  called: "/offices/chuo/queues/certificates/tickets/A042",
  passed: "/offices/chuo/queues/certificates/tickets/A040",
  unlisted: "/offices/chuo/queues/moving/tickets/Z999",
  find: "/find?ticket=A077",
  choose: "/find?ticket=A900",
  offline: "/offline",
  missing: "/offices/nowhere",
  widget: "/widgets/chuo",
  lite: "/lite",
  "lite-office": "/lite/chuo",
};
// Pages that differ in nothing but words from another are looked at in two languages.
const ALIKE = new Set(["called", "unlisted", "choose", "missing", "offline"]);
const LANGS = smoke ? ["ja", "vi"] : ["ja", "ja-x-easy", "en", "zh-Hans", "ko", "vi", "pt"];
const SCREENS = smoke ? [[360, 780]] : [[360, 780], [1280, 800]];
const withLang = (path, lang) => `${base}${path}${path.includes("?") ? "&" : "?"}lang=${lang}`;

const open = async (options, path, lang = "ja") => {
  // The page's own policy forbids injected scripts; axe is one. Workers have a test of their own.
  const context = await browser.newContext({ bypassCSP: true, serviceWorkers: "block", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => found(`${path}: script error ${error.message}`));
  await page.goto(withLang(path, lang), { waitUntil: "load" });
  return { context, page };
};
const shoot = async (page, name, fullPage = true) => {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage });
};
const accessible = async (page, where) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    rules: { "color-contrast-enhanced": { enabled: true } },
  }));
  for (const v of violations) {
    found(`${where}: ${v.impact} ${v.id}: ${v.help} (${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")})`);
  }
};
// Nothing is wider than the screen, cut off, or laid over its neighbour.
const fits = async (page, where) => {
  const spilt = await page.evaluate(() => [
    ...(document.documentElement.scrollWidth > innerWidth ? [`the page, by ${document.documentElement.scrollWidth - innerWidth} px`] : []),
    ...[...document.querySelectorAll("td, th, .level, .head > *, h2 a, #glance a, .button, .sub a, summary, .links a, .advice")]
      .filter((e) => e.offsetParent && getComputedStyle(e).clipPath === "none" && !e.closest("thead") && e.scrollWidth > e.clientWidth + 1)
      .map((e) => `${e.className} ${e.textContent.trim()}`),
    ...[...document.querySelectorAll("thead th")]
      .filter((e) => e.offsetParent && getComputedStyle(e.closest("thead")).clipPath === "none" && e.scrollWidth > e.clientWidth + 1)
      .map((e) => `heading ${e.textContent.trim()}`),
  ]);
  for (const text of spilt) found(`${where}: spills: ${text}`);
};
const touchable = async (page, where) => {
  const small = await page.evaluate(() => [...document.querySelectorAll("a, button, input, select, summary")]
    .filter((e) => e.type !== "hidden" && !e.closest("label") && !e.classList.contains("skip") && e.offsetParent)
    .map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 60)])
    .filter(([r]) => r.width > 0 && r.height < 24).map(([, html]) => html));
  for (const html of small) found(`${where}: touch target under 24 px: ${html}`);
};

// Every page in every language, on a phone and on a wide screen.
for (const lang of LANGS) {
  for (const [width, height] of SCREENS) {
    const { context, page } = await open({ viewport: { width, height } }, "/lite", lang);
    for (const [name, path] of Object.entries(PAGES)) {
      if (ALIKE.has(name) && !["ja", "vi"].includes(lang)) continue;
      const where = `${path} ${lang} at ${width}`;
      await page.goto(withLang(path, lang), { waitUntil: "load" });
      if ((await page.getAttribute("html", "lang")) !== lang) found(`${where}: in another language`);
      await fits(page, where);
      // Structure and colours are the same in every language and at every width: axe, which takes
      // its seconds, sees every page once, and those with most words in every language.
      const rich = ["front", "office", "forecast", "ahead"].includes(name);
      if (lang === "ja" ? width === 360 || rich : width === 360 && rich) await accessible(page, where);
      if (width === 360 && !name.startsWith("lite")) await touchable(page, where);
      await shoot(page, `${name}-${lang}-${width}`);
    }
    await context.close();
  }
}

// The page of all nodes, which asks for its token; in the two languages it has.
for (const lang of ["ja", "en"]) {
  for (const [width, height] of SCREENS) {
    const httpCredentials = { username: "it", password: process.env.FLEET_TOKEN };
    const { context, page } = await open({ httpCredentials, viewport: { width, height } }, "/fleet", lang);
    const where = `/fleet ${lang} at ${width}`;
    if ((await page.locator("section.node").count()) !== 6) found(`${where}: not every node`);
    await fits(page, where);
    await accessible(page, where);
    if (width === 360) await touchable(page, where);
    await shoot(page, `fleet-${lang}-${width}`);
    await context.close();
  }
}

// The first visit asks for page, style, two scripts, icon and manifest; little enough for 2G.
for (const lang of LANGS) {
  const context = await browser.newContext({ serviceWorkers: "block", viewport: { width: 360, height: 780 } });
  const page = await context.newPage();
  const bodies = [];
  const weigh = (request) => bodies.push(request.sizes().then((s) => [request.url(), s.responseBodySize]));
  page.on("requestfinished", weigh);
  await page.goto(withLang("/", lang), { waitUntil: "load" });
  // What ends only when the page closes, as the stream of events does, has no size any more.
  page.off("requestfinished", weigh);
  const all = (await Promise.all(bodies)).filter(([url]) => !url.includes("/live/"));
  const sent = all.reduce((sum, [, size]) => sum + size, 0);
  console.log(`first view, ${lang}: ${all.length} requests, ${sent} bytes as sent`);
  if (all.length > 7) found(`first view ${lang}: ${all.length} requests`);
  if (sent > 60000 || sent < 10000) found(`first view ${lang}: ${sent} bytes`);
  if (all.some(([url]) => !url.startsWith(base))) found(`first view ${lang}: something from elsewhere`);
  await context.close();
}

// The picture for the project's front page: a phone's first view.
if (shots) {
  const { context, page } = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }, PAGES.front);
  await shoot(page, "page", false);
  await context.close();
}

// Dark, high contrast and large type, by the switches of the page.
for (const [look, colorScheme, keys] of [
  ["dark", "dark", []], ["strong", "light", ["strong"]], ["strong-dark", "dark", ["strong"]],
  ["large", "light", ["large"]], ["large-strong", "light", ["large", "strong"]],
].slice(0, smoke ? 1 : undefined)) {
  const { context, page } = await open({ colorScheme, viewport: { width: 360, height: 780 } }, "/");
  await page.click("details.pop:not(.langs) > summary");
  for (const key of keys) await page.check(`#${key}`);
  for (const name of ["front", "office", "procedure", "forecast", "ahead", "accuracy"]) {
    for (const lang of keys.includes("large") ? ["ja", "vi"] : ["ja"]) {
      const where = `${PAGES[name]} ${lang} ${look}`;
      await page.goto(withLang(PAGES[name], lang), { waitUntil: "load" });
      for (const key of keys) {
        if (!(await page.isChecked(`#${key}`))) found(`${where}: the device forgot ${key}`);
      }
      await fits(page, where);
      await accessible(page, where);
      await shoot(page, `${name}-${lang}-${look}`);
    }
  }
  await context.close();
}

// Who asks the system for contrast gets it; paper gets black on white.
{
  const { context, page } = await open({ contrast: "more", viewport: { width: 390, height: 844 } }, "/");
  const ink = await page.evaluate(() => getComputedStyle(document.body).color);
  if (ink !== "rgb(0, 0, 0)") found(`more contrast: the ink is ${ink}`);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  if (await page.locator(".mine").isVisible()) found("print: the form is there");
  if (!(await page.locator("#o-chuo").isVisible())) found("print: no numbers");
  await shoot(page, "front-print");
  await context.close();
}

// Keyboard alone: skip to the content, another language, the form.
{
  const { context, page } = await open({ viewport: { width: 390, height: 844 } }, "/");
  const at = () => page.evaluate(() => document.activeElement.outerHTML.slice(0, 80));
  await page.keyboard.press("Tab");
  if (!(await at()).includes("skip")) found(`keyboard: the first stop is ${await at()}`);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  if (!(await at()).includes('id="ticket"')) found(`keyboard: after skipping, ${await at()}`);
  await page.keyboard.type("B321");
  await page.keyboard.press("Enter");
  await page.waitForURL(/find|tickets/);
  await page.goto(withLang("/", "ja"));
  await page.focus(".langs summary");
  await page.keyboard.press("Enter");
  for (let i = 0; i < 3; i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(/lang=en/).catch(() => found("keyboard: English was not reached"));
  await page.focus(".langs summary");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  if (await page.locator(".langs[open]").count()) found("keyboard: Escape does not close the menu");
  await context.close();
}

// The number is remembered on the device, and forgotten there.
{
  const { context, page } = await open({ viewport: { width: 390, height: 844 } }, PAGES.ahead);
  await page.goto(withLang("/", "ja"));
  if (!(await page.locator("#kept").isVisible())) found("my number is not remembered");
  if (!(await page.locator("#kept a").textContent()).includes("B325")) found("another number is remembered");
  await shoot(page, "front-kept");
  await accessible(page, "/ with a number remembered");
  await page.click("#kept [data-drop]");
  if (await page.locator("#kept").isVisible()) found("my number is not forgotten");
  if ((await context.cookies()).length) found("a cookie was set");
  await context.close();
}

// Without a line: the last known numbers, said to be old; a page that was never open says so.
{
  const { context, page } = await open({ serviceWorkers: "allow", viewport: { width: 390, height: 844 } }, "/");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(async () => navigator.serviceWorker.controller && await caches.match("/offline?lang=ja"), undefined, { timeout: 10000 })
    .catch(() => found("offline: the worker does not take over"));
  await page.reload({ waitUntil: "load" });
  await context.setOffline(true);
  await page.goto(withLang("/", "ja"), { waitUntil: "load" }).catch((e) => found(`offline: ${e.message}`));
  if (!(await page.locator("#o-chuo").count())) found("offline: no numbers");
  if (!(await page.locator("#lost").textContent()).includes("つながっていません")) found("offline: old numbers do not say so");
  await shoot(page, "front-offline");
  await accessible(page, "/ without a line");
  // A worker that the browser has just started again hears of the missing line a moment later.
  let said = "";
  for (let i = 0; i < 3 && !said.includes("つながっていません"); i++) {
    await page.goto(withLang("/procedures/koseki", "ja"), { waitUntil: "load" }).catch((e) => found(`offline: ${e.message}`));
    said = await page.locator("h1").first().textContent();
  }
  if (!said.includes("つながっていません")) found(`offline: a page never open says "${said}"`);
  await context.setOffline(false);
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
  // The time of all offices is not moved by one of them.
  const moved = (await page.locator("#as-of").textContent()).includes("10:43");
  if (moved !== (path === PAGES.office)) found(`${path}: the time ${moved ? "followed one office" : "did not follow"}`);
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
  for (const path of Object.values(PAGES)) {
    await page.goto(withLang(path, "ja"), { waitUntil: "load" });
    await fits(page, `${path} without script`);
    if (!(await page.locator("main").textContent()).trim()) found(`${path} without script: nothing`);
  }
  await page.goto(withLang("/", "ja"));
  await page.click("details.pop:not(.langs) > summary");
  await page.check("#large");
  const size = await page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
  if (size !== "22px") found(`without script: large type is ${size}`);
  await context.close();
}

await browser.close();
console.log(`${findings.length} findings`);
process.exit(findings.length ? 1 : 0);
