// A board drawn by the node beside a browser in kiosk mode that shows the hub's page of the same
// office, on this machine. Usage: node kiosk.mjs PROGRAM [CALLS] [STARTS]; PROGRAM a release build.
//
// Prints a table of medians with the smallest and largest value:
// - from a call's publication to its pixels. Node: until the frame is drawn and handed to the output
//   (the log's "displayed"). Browser: until the page has changed and the frame with the change has been
//   rendered (a task queued in its requestAnimationFrame), without what the compositor does after that;
//   and the part of it from the arrival of the hub's event. Every call goes to both.
// - memory: proportional set size of all processes, after those calls.
// - from the start of the process to the first picture with numbers: the node's "displayed", and the
//   browser's first contentful paint, with a profile that it has used before.
// The broker, the hub and the ticketing system (this script) run on the same machine, so nothing waits
// for a network. There is no monitor: the node writes a PNG, and Chromium is headless.
import { chromium } from "playwright-core";
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import { CHROMIUM, QUIET, office, sleep, until } from "./office.mjs";

const program = resolve(process.argv[2]);
const calls = Number(process.argv[3] ?? 60);
const starts = Number(process.argv[4] ?? 7);
const TRACE = { YOBIBAN_LOG: "info,yobiban=trace" };
const now = () => performance.timeOrigin + performance.now();

const spread = (values, digits) => {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, middle, most] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
};

// Every process below `pid`, itself included, by the parents that the kernel names.
const family = (pid) => {
  const parents = new Map();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch { /* ended meanwhile */ }
  }
  const all = new Set([pid]);
  for (let size = 0; size !== all.size;) {
    size = all.size;
    for (const [child, parent] of parents) if (all.has(parent)) all.add(child);
  }
  return [...all];
};
const memory = (pid) => family(pid).reduce((sum, p) => {
  try {
    return sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${p}/smaps_rollup`, "utf8"))[1]) * 1024 / 1e6;
  } catch { return sum; }
}, 0);

// Whatever happens, no browser stays behind.
const browsers = new Set();
process.on("exit", () => browsers.forEach((child) => child.kill()));

const exited = (child) => child.exitCode ?? child.signalCode ?? new Promise((done) => child.once("exit", done));
const kiosk = async (url, profile) => {
  const began = now();
  const child = spawn(CHROMIUM, [...QUIET, "--headless=new", "--kiosk", "--window-size=1920,1080", "--mute-audio",
    `--user-data-dir=${profile}`, "--remote-debugging-port=0", url], { stdio: ["ignore", "ignore", "pipe"] });
  browsers.add(child);
  let said = "";
  child.stderr.on("data", (chunk) => { said += chunk; });
  const address = await until(() => /DevTools listening on ws:\/\/(\S+?)\//.exec(said)?.[1], "the browser");
  // Nothing asks the browser anything before it is done: it notes the time of its first paint itself.
  const isThere = async () => (await (await fetch(`http://${address}/json/list`)).json()).some((p) => p.url === url);
  await until(isThere, "its page", 100);
  await sleep(1500);
  const attach = () => chromium.connectOverCDP(`http://${address}`, { timeout: 5000 }).catch(() => null);
  const browser = await until(attach, "the connection to the browser");
  const page = await until(() => browser.contexts()[0].pages().find((p) => p.url() === url), "its page");
  const painted = await until(() => page.evaluate(() => {
    const [entry] = performance.getEntriesByName("first-contentful-paint");
    return entry && performance.timeOrigin + entry.startTime;
  }), "its first paint");
  const close = async () => {
    await browser.close();
    child.kill();
    await exited(child);
    browsers.delete(child);
  };
  return { child, page, started: painted - began, close };
};

// When the node's log says that the board shows a message, milliseconds since 1970.
const displayed = (log, from, what) => {
  const line = log.slice(from).split("\n").find((l) => l.includes("displayed") && l.includes(what));
  const [, second, fraction] = /^(\S+)\.(\d+)Z/.exec(line ?? "") ?? [];
  return second && Date.parse(`${second}Z`) + Number(`0.${fraction}`) * 1000;
};

const city = await office(program);
try {
  const state = (no) => ({
    waiting: 12, next: [1, 2, 3].map((i) => `A${String(no + i).padStart(3, "0")}`), on_hold: 1,
    calls: [[no, `A${String(no).padStart(3, "0")}`, String(1 + (no % 9)), 0]], wait: { low: 480, high: 900 },
  });
  const first = city.publish("certificates", state(1));

  const nodeStarts = [];
  let node;
  for (let i = 0; i < starts; i++) {
    if (node) {
      node.kill();
      await exited(node);
    }
    const began = now();
    node = city.node(TRACE);
    const log = () => { try { return city.log("node"); } catch { return ""; } };
    nodeStarts.push(await until(() => {
      const at = displayed(log(), 0, `seq=${first.seq}`);
      return at > began && at - began;
    }, "the node's first picture", 5));
    await sleep(300);
  }

  const url = `${city.base}/offices/chuo?lang=ja`;
  await until(async () => (await fetch(url)).ok, "the hub's page");
  const browserStarts = [];
  let browser = await kiosk(url, join(city.dir, "profile"));
  for (let i = 0; i < starts; i++) {
    await browser.close();
    browser = await kiosk(url, join(city.dir, "profile"));
    browserStarts.push(browser.started);
  }

  const { page } = browser;
  // The page itself takes its events; this only notes when one was there and when a frame has it.
  await page.addInitScript(() => {
    const now = () => performance.timeOrigin + performance.now();
    const Native = EventSource;
    window.arrived = 0;
    window.seen = {};
    window.EventSource = class extends Native {
      constructor(...args) {
        super(...args);
        super.addEventListener("message", () => { window.arrived = now(); });
      }
    };
    new MutationObserver(() => {
      const text = document.querySelector("#office [data-key=certificates]")?.textContent ?? "";
      const ticket = /A\d{3}/.exec(text)?.[0];
      if (!ticket || ticket in window.seen) return;
      const { arrived } = window;
      window.seen[ticket] = null;
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { window.seen[ticket] = { arrived, painted: now() }; };
        port2.postMessage(0);
      });
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
  await page.reload({ waitUntil: "load" });
  await sleep(1500);

  const [onBoard, inBrowser, fromEvent] = [[], [], []];
  for (let no = 2; no < calls + 2; no++) {
    // Not in step with the node's clock, and never so soon that a report waits for the one before.
    await sleep(1000 + ((no * 37) % 100) * 5);
    const { at, seq } = city.publish("certificates", state(no));
    const ticket = `A${String(no).padStart(3, "0")}`;
    const seen = await until(() => page.evaluate((t) => window.seen[t], ticket), `${ticket} in the browser`, 50);
    onBoard.push(await until(() => displayed(city.log("node"), 0, `seq=${seq}`), `${ticket} on the board`) - at);
    inBrowser.push(seen.painted - at);
    fromEvent.push(seen.painted - seen.arrived);
  }
  const [nodeMemory, browserMemory] = [memory(node.pid), memory(browser.child.pid)];

  const version = (await browser.page.context().browser().version());
  console.log(`Chromium ${version}, ${cpus().length} × ${cpus()[0].model}, load ${loadavg()[0].toFixed(1)}; ${calls} calls, ${starts} starts\n`);
  console.log("| median (least–most) | node | Chromium |\n|---|---|---|");
  console.log(`| publish to pixels, ms | ${spread(onBoard, 1)} | ${spread(inBrowser, 1)} |`);
  console.log(`| … from the hub's event | | ${spread(fromEvent, 1)} |`);
  console.log(`| memory, MB | ${nodeMemory.toFixed(0)} | ${browserMemory.toFixed(0)} |`);
  console.log(`| start to first picture, ms | ${spread(nodeStarts, 0)} | ${spread(browserStarts, 0)} |`);
  await browser.close();
} finally {
  for (const child of browsers) child.kill();
  await Promise.all([...browsers].map(exited));
  await city.close();
}
