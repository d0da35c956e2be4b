// Plays the page /stream as a visitor's browser does. Usage: node video.mjs http://127.0.0.1:PORT PICTURE
// Writes what the video shows to PICTURE (PNG), prints one line a finding, ends with 1 if there was any.
import { chromium } from "playwright-core";
import { writeFileSync } from "node:fs";

const [base, picture] = process.argv.slice(2);
const findings = [];
const found = (text) => { findings.push(text); console.log(`finding: ${text}`); };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run"],
});

// The page's own policy holds: whatever it forbids is said on the console.
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
page.on("console", (message) => { if (message.type() === "error") found(`console: ${message.text()}`); });
page.on("pageerror", (error) => found(`script error ${error.message}`));
page.on("request", (request) => { if (!request.url().startsWith(base)) found(`loads ${request.url()}`); });
await page.goto(`${base}/stream?lang=ja`, { waitUntil: "load" });
const state = () => page.evaluate(() => {
  const video = document.querySelector("video");
  return { at: video.currentTime, ready: video.readyState, paused: video.paused, width: video.videoWidth,
    height: video.videoHeight, error: video.error?.message, native: video.canPlayType("application/vnd.apple.mpegurl") };
});
try {
  await page.waitForFunction(() => document.querySelector("video").currentTime > 1, undefined, { timeout: 30000 });
} catch {
  found("the video does not begin to play");
}
const first = await state();
const began = Date.now();
await page.waitForTimeout(4000);
const then = await state();
const seconds = (Date.now() - began) / 1000;
console.log(`played ${(then.at - first.at).toFixed(2)} s in ${seconds.toFixed(2)} s; native HLS: ${then.native}`);
if (then.at - first.at < seconds / 2) found(`it stands still: ${JSON.stringify([first, then])}`);
if (then.paused || then.error || then.width !== 1280 || then.height !== 720) found(`not as it should be: ${JSON.stringify(then)}`);
const data = await page.evaluate(() => {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png");
});
writeFileSync(picture, Buffer.from(data.split(",")[1], "base64"));
if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/stream.png` });

// Without script the way to the numbers is there.
const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
await plain.goto(`${base}/stream?lang=ja`, { waitUntil: "load" });
if (!(await plain.locator("a[href^='/?lang=ja']").count())) found("without script: no way to the numbers");
if (!(await plain.locator("video[controls]").count())) found("without script: no video");

await browser.close();
process.exit(findings.length ? 1 : 0);
