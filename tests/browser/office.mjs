// One office for a script: a broker, a hub and a node with one board, each a process of its own, in a
// folder that is removed at the end. Needs mosquitto.
import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync, readFileSync, existsSync, createWriteStream } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/// Waits until `what` gives something, asking every `every` milliseconds.
export const until = async (what, name, every = 20, limit = 30000) => {
  for (const end = Date.now() + limit; Date.now() < end; await sleep(every)) {
    const got = await what();
    if (got) return got;
  }
  throw new Error(`${name}: nothing after ${limit / 1000} s`);
};

const freePort = () => new Promise((done, fail) => {
  const server = createServer().once("error", fail);
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});
const isOpen = (port) => new Promise((done) => {
  const socket = connect(port, "127.0.0.1", () => { socket.destroy(); done(true); });
  socket.once("error", () => done(false));
});

// MQTT 3.1.1, as much of it as a ticketing system needs: a connection, and publishing with QoS 1.
const text = (s) => {
  const bytes = Buffer.from(s);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};
const packet = (kind, ...parts) => {
  const body = Buffer.concat(parts);
  const size = [];
  let rest = body.length;
  do {
    size.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>= 7;
  } while (rest);
  return Buffer.concat([Buffer.from([kind, ...size]), body]);
};
const publisher = (port) => new Promise((done, fail) => {
  const socket = connect(port, "127.0.0.1");
  let id = 0;
  const publish = (topic, payload) => {
    id = (id % 65535) + 1;
    const whole = packet(0x33, text(topic), Buffer.from([id >> 8, id & 255]), Buffer.from(payload));
    const at = performance.timeOrigin + performance.now();
    socket.write(whole);
    return at;
  };
  socket.setNoDelay(true);
  socket.once("error", fail);
  socket.write(packet(0x10, text("MQTT"), Buffer.from([4, 2, 0, 0]), text("ticketing")));
  socket.once("data", () => done({ publish, close: () => socket.destroy() }));
  socket.resume();
});

/// The queues of the office, as the pictures of the documentation have them.
const QUEUES = [
  ["certificates", "証明書の交付", "Certificates"],
  ["moving", "住所の異動", "Change of address"],
  ["moving-fast", "住所の異動", "Change of address, applied online", "fast"],
  ["my-number", "マイナンバーカード", "My Number Card"],
  ["koseki", "戸籍の届出", "Family register"],
];

// The office lies where it is ten o'clock now: whatever the hour, it is open, and today is today.
const zone = () => {
  let east = 10 - new Date().getUTCHours();
  if (east < -12) east += 24;
  return { east, name: east === 0 ? "Etc/GMT" : `Etc/GMT${east > 0 ? "-" : "+"}${Math.abs(east)}` };
};

/// Starts a broker and a hub; `node()` then starts the node, whose board is the file `picture`.
export const office = async (program, { calls = "" } = {}) => {
  const dir = mkdtempSync(join(tmpdir(), "yobiban-office-"));
  const children = [];
  const run = (name, command, args, env = {}) => {
    const child = spawn(command, args, { cwd: dir, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    child.once("error", (e) => console.error(`${command}: ${e.message}`));
    child.stdout.pipe(createWriteStream(join(dir, `${name}.out`)));
    child.stderr.pipe(createWriteStream(join(dir, `${name}.log`)));
    children.push(child);
    return child;
  };
  const [mqtt, http] = [await freePort(), await freePort()];
  const root = process.getuid() === 0 ? "user root\n" : "";
  writeFileSync(join(dir, "mosquitto.conf"), `listener ${mqtt} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n${root}`);
  writeFileSync(join(dir, "hub.toml"), `[mqtt]\nurl = "mqtt://127.0.0.1:${mqtt}"\n[http]\nlisten = "127.0.0.1:${http}"
[store]\nurl = "sqlite:hub.db"\n[site]\nclosed_weekdays = []\n`);
  const { east, name } = zone();
  const queue = ([id, ja, en, lane]) => `[[queue]]\nid = "${id}"\nname = { ja = "${ja}", en = "${en}" }\nlane = "${lane ?? "standard"}"\n`;
  mkdirSync(join(dir, "store"));
  writeFileSync(join(dir, "node.toml"), `[office]\nid = "chuo"\nname = { ja = "中央区役所", en = "Chuo Ward Office" }\ntimezone = "${name}"
page_url = "https://yobiban.example.jp/offices/chuo"
notices = [{ ja = "証明書はコンビニでも受け取れます", en = "Certificates are available at convenience stores too." }]
[node]\nid = "n1"\n[mqtt]\nurl = "mqtt://127.0.0.1:${mqtt}"\n[store]\ndir = "store"\n${QUEUES.map(queue).join("")}
[[board]]\nid = "main"\noutput = { kind = "png", path = "main.png" }\n[board.calls]\n${calls}\n`);
  const broker = run("mosquitto", existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto", ["-c", "mosquitto.conf"]);
  await until(() => isOpen(mqtt), "mosquitto");
  const hub = run("hub", program, ["hub", "--config", "hub.toml"]);
  await until(() => isOpen(http), "hub");
  const system = await publisher(mqtt);

  // Times as a clock on the office's wall tells them.
  const stamp = (ms) => {
    const digits = String(Math.abs(east)).padStart(2, "0");
    return new Date(ms + east * 3600000).toISOString().replace("Z", `${east < 0 ? "-" : "+"}${digits}:00`);
  };
  let seq = Date.now();
  return {
    dir, hub, broker, base: `http://127.0.0.1:${http}`,
    picture: join(dir, "main.png"),
    log: (name) => readFileSync(join(dir, `${name}.log`), "utf8"),
    node: (env) => run("node", program, ["node", "--config", "node.toml"], env),
    /// Publishes the state of a queue: `calls` are [no, ticket, counter, seconds ago]. Gives when, in
    /// milliseconds since 1970, and its `seq`.
    publish: (id, { waiting, next, on_hold = 0, calls: list, wait }) => {
      const now = Date.now();
      const made = list.map(([no, ticket, counter, ago]) => ({ no, ticket, counter, at: stamp(now - ago * 1000), kind: "call" }));
      const payload = { seq: ++seq, at: stamp(now), day: stamp(now).slice(0, 10), status: "open", waiting, next, on_hold, calls: made, wait };
      return { at: system.publish(`yobiban/v1/chuo/feed/${id}`, JSON.stringify(payload)), seq };
    },
    close: async () => {
      system.close();
      for (const child of children) child.kill();
      await Promise.all(children.map((c) => c.exitCode ?? c.signalCode ?? new Promise((done) => c.once("exit", done))));
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

/// What a browser is started with here.
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-first-run"];
