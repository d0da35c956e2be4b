// Makes the animation at the top of the README: one call on a board and on the phone of the person who
// holds that number. Usage: node call.mjs PROGRAM FOLDER
//
// A real broker, hub and node; the board is the node's picture, the phone a page of the hub in a
// browser. Both are taken before the call, when the board has it, and when the phone has it; each is
// shown as long as it lasted, but for the last. Needs mosquitto, chromium and ffmpeg. Leaves for each
// language an animated PNG for wide screens, one for phones, and a picture of its end for those who
// want no motion.
import { chromium } from "playwright-core";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CHROMIUM, QUIET, office, sleep, until } from "./office.mjs";

const [program, out] = process.argv.slice(2).map((path) => resolve(path));
// For each language, how much of a phone's screen is shown, side by side and below the board: down to
// the end of a paragraph.
const LANGS = { en: [535, 460], ja: [495, 432] };
const PHONE_WIDTH = 375;
const TICKET = "A042";
// Before the call, and after it, in seconds; what is between is as it was.
const [BEFORE, AFTER] = [2.5, 5];
// A page asks for "my number" within two seconds of a call, at random so that a city's phones do not
// all ask at once. This share of them is what the eye needs to go from the board to the phone.
const SHARE = 0.4;

const STATE = {
  certificates: { waiting: 13, next: [TICKET, "A043", "A044"], on_hold: 1, calls: [[40, "A041", "1", 260]], wait: { low: 480, high: 900 } },
  moving: { waiting: 21, next: ["B318", "B319", "B320"], on_hold: 3, calls: [[17, "B317", "6", 200]], wait: { low: 3300, high: 4800 } },
  "moving-fast": { waiting: 1, next: ["F010"], calls: [[9, "F009", "7", 180]], wait: { low: 0, high: 360 } },
  "my-number": { waiting: 2, next: ["C529", "C530"], calls: [[28, "C528", "11", 150]], wait: { low: 300, high: 720 } },
  koseki: { waiting: 0, next: [], calls: [[6, "D706", "13", 320]], wait: { low: 0, high: 0 } },
};
const CALLED = { ...STATE.certificates, waiting: 12, next: ["A043", "A044", "A045"], calls: [[41, TICKET, "3", 0], ...STATE.certificates.calls] };

// The stage: a monitor and a phone, side by side or, on a narrow screen, one above the other. Nothing
// behind them, so that it stands on a light page and on a dark one.
const WIDE = 830; // a README on a wide screen
const stage = (board, phone, height, narrow) => {
  // Side by side they are equally high: frames of 7 and 6 pixels, 16 between them.
  const width = narrow ? 258 : Math.round(((WIDE - 42) * 9 / 16 + 2) / (height / PHONE_WIDTH + 9 / 16));
  return `<!doctype html><meta charset="utf-8"><style>
  * { box-sizing: border-box; margin: 0 }
  body { display: flex; flex-direction: ${narrow ? "column" : "row"}; align-items: center; justify-content: space-between;
    gap: ${narrow ? 14 : 16}px; width: ${narrow ? 360 : WIDE}px; background: transparent }
  img { display: block; width: 100% }
  .board { width: ${narrow ? "100%" : `${WIDE - 28 - width}px`}; padding: ${narrow ? 4 : 7}px; border-radius: ${narrow ? 5 : 7}px; background: #23262d; flex: none }
  .phone { width: ${width + 12}px; padding: 6px; border-radius: 22px; background: #23262d; flex: none }
  .phone div { overflow: hidden; border-radius: 16px; aspect-ratio: ${PHONE_WIDTH} / ${height} }
</style><div class="board"><img src="${board}"></div><div class="phone"><div><img src="${phone}"></div></div>`;
};

// 256 colours, chosen for all frames: a third of the bytes, and no eye sees it.
const ffmpeg = (from, to) => execFileSync("ffmpeg", ["-v", "error", "-y", ...from,
  "-filter_complex", "split[a][b];[a]palettegen=use_alpha=1[p];[b][p]paletteuse=dither=none:use_alpha=1", ...to]);
const data = (bytes) => `data:image/png;base64,${bytes.toString("base64")}`;

// Not over the end of a minute: the clock would move between two pictures.
if (new Date().getSeconds() > 40) await sleep((60 - new Date().getSeconds()) * 1000);
// A short blink, so that the picture is of the steady look.
const city = await office(program, { calls: 'min_highlight = "1s"\nmax_highlight = "60s"' });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
try {
  city.node();
  await until(() => existsSync(city.picture), "the board");
  // Earlier calls first, as it was: the board lists them in the order in which it learnt of them.
  const age = ([, state]) => state.calls[0][3];
  for (const [queue, state] of Object.entries(STATE).sort((a, b) => age(b) - age(a))) city.publish(queue, state);
  const phones = {};
  for (const [lang, [height]] of Object.entries(LANGS)) {
    const context = await browser.newContext({ viewport: { width: PHONE_WIDTH, height }, deviceScaleFactor: 2, serviceWorkers: "block" });
    const page = phones[lang] = await context.newPage();
    await page.addInitScript((share) => { Math.random = () => share; }, SHARE);
    const path = `${city.base}/offices/chuo/queues/certificates/tickets/${TICKET}?lang=${lang}`;
    await until(async () => (await page.goto(path, { waitUntil: "load" })).ok() && (await page.locator("#mine .lead").count()), "the phone's page", 200);
  }
  // The calls of the beginning are old and settle; then the newest picture holds all of them.
  await sleep(2500);
  const shots = async () => Object.fromEntries(await Promise.all(Object.entries(phones).map(async ([lang, page]) => [lang, await page.screenshot()])));
  const before = { board: readFileSync(city.picture), phone: await shots() };
  const written = statSync(city.picture).mtimeMs;
  const { at } = city.publish("certificates", CALLED);
  const follows = phones.ja.waitForFunction(() => document.querySelector(".lead")?.textContent.includes("3"), undefined, { polling: "raf" });
  await until(() => statSync(city.picture).mtimeMs > written, "the call on the board", 2);
  const onBoard = statSync(city.picture).mtimeMs - at;
  await follows;
  const onPhone = performance.timeOrigin + performance.now() - at;
  console.log(`board after ${onBoard.toFixed(0)} ms, phone after ${onPhone.toFixed(0)} ms`);
  await sleep(2500);
  const after = { board: readFileSync(city.picture), phone: await shots() };

  mkdirSync(out, { recursive: true });
  const page = await (await browser.newContext({ viewport: { width: WIDE, height: 800 }, deviceScaleFactor: 2 })).newPage();
  const frame = async (board, phone, height, narrow, path) => {
    await page.setViewportSize({ width: narrow ? 360 : WIDE, height: 800 });
    await page.setContent(stage(data(board), data(phone), height, narrow), { waitUntil: "load" });
    await page.locator("body").screenshot({ path, omitBackground: true });
  };
  for (const [lang, heights] of Object.entries(LANGS)) {
    for (const narrow of [false, true]) {
      const height = heights[Number(narrow)];
      const name = `call-${lang}${narrow ? "-narrow" : ""}`;
      const frames = [
        [before.board, before.phone[lang], BEFORE],
        [after.board, before.phone[lang], (onPhone - onBoard) / 1000],
        [after.board, after.phone[lang], AFTER],
      ];
      const list = [];
      for (const [i, [board, phone, seconds]] of frames.entries()) {
        const path = join(city.dir, `${name}-${i}.png`);
        await frame(board, phone, height, narrow, path);
        list.push(`file '${path}'\nduration ${seconds.toFixed(3)}`);
      }
      const concat = join(city.dir, `${name}.txt`);
      writeFileSync(concat, `ffconcat version 1.0\n${list.join("\n")}\n`);
      ffmpeg(["-safe", "0", "-f", "concat", "-i", concat], ["-vsync", "vfr", "-f", "apng", "-plays", "0", "-final_delay", String(AFTER), join(out, `${name}.png`)]);
      ffmpeg(["-i", join(city.dir, `${name}-${frames.length - 1}.png`)], [join(out, `${name}-still.png`)]);
    }
  }
} finally {
  await browser.close();
  await city.close();
}
