"""A box from power-on to its board, with what installers and power cuts do to it. Called by `image`."""

import gzip
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import pixels
from broker import Broker, free_port
from machine import Failed, Line
from scenarios import QUEUES, config, state

ROOT = pathlib.Path(__file__).parent.parent.parent
SECTOR = 512
# The card: larger than the image, as it is in a box.
CARD = 3 * 1024**3
# What a start may take here; on the hardware it is a tenth.
START = float(os.environ.get("YOBIBAN_START_SECONDS", "900"))
# The program for this computer, which draws what must be seen and replays recordings.
DRAW = os.environ.get("YOBIBAN_DRAW", str(ROOT / "target/debug/yobiban"))


class Box:
    """One card, and the machine that it is in."""

    def __init__(self, image):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yobiban-box-"))
        self.card = self.folder / "card"
        subprocess.run(["cp", "--sparse=always", image, self.card], check=True)
        os.truncate(self.card, CARD)
        self.process = None
        self.shots = 0

    def fat(self):
        return f"{self.card}@@1M"

    def read(self, name, to):
        subprocess.run(["mcopy", "-n", "-o", "-i", self.fat(), f"::{name}", to], check=True)

    def put(self, name, text):
        """A file that an installer saves with another computer."""
        path = self.folder / "typed"
        path.write_text(text)
        subprocess.run(["mcopy", "-o", "-i", self.fat(), path, f"::{name}"], check=True)

    def take(self, name):
        path = self.folder / "taken"
        self.read(name, path)
        return path.read_text()

    def firmware(self, slot_file, *more):
        """What the firmware does: fetches the files of the slot that is named; the kernel's line."""
        prefix = self.take(slot_file).strip().removeprefix("os_prefix=")
        for name in ["vmlinuz", "initrd.img", "cmdline.txt", *more]:
            self.read(prefix + name, self.folder / name)
        return (self.folder / "cmdline.txt").read_text().strip()

    def on(self, slot_file="slot.txt", network=True, display=True, base=None, memory=512):
        """Power on; a machine that is running has its plug pulled first."""
        if self.process:
            self.cut()
        line = self.firmware(slot_file).replace("ttyS1,115200", "ttyAMA0")
        self.ssh_port = free_port()
        control, log = self.folder / "control", self.folder / "serial"
        control.unlink(missing_ok=True)
        command = [
            "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", str(memory),
            "-nodefaults", "-no-reboot", "-display", "none", "-serial", f"file:{log}",
            "-qmp", f"unix:{control},server=on,wait=off",
            "-drive", f"file={self.card},if=none,id=card,format=raw,cache=writeback",
            "-device", "virtio-blk-pci,drive=card", "-device", "virtio-rng-pci",
            "-kernel", self.folder / "vmlinuz", "-initrd", self.folder / "initrd.img", "-append", line,
        ]
        if display:
            command += ["-device", "virtio-gpu-pci,id=gpu,xres=1920,yres=1080"]
        if network:
            forward = f"user,id=net,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22"
            command += ["-netdev", forward, "-device", "virtio-net-pci,netdev=net,romfile="]
        if base:
            command += ["-rtc", f"base={base}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.begin = time.monotonic()
        self.control = Line(control, 20)
        self.control.line(20)
        self.ask("qmp_capabilities")

    def on_pi3(self):
        """Power on, as a Raspberry Pi 3: what systemd says goes to its serial line."""
        dtb = "bcm2837-rpi-3-b.dtb"
        line = self.firmware("slot.txt", dtb).replace("quiet loglevel=3", "loglevel=5").replace("show_status=0", "show_status=1")
        # QEMU takes the start of this board's watchdog for the reset that it would bring (bcm2835_powermgt).
        line += " systemd.watchdog_sec=off"
        # The size of a card must be a power of two there.
        os.truncate(self.card, 4 * 1024**3)
        log = self.folder / "serial"
        command = [
            "qemu-system-aarch64", "-M", "raspi3b", "-no-reboot", "-display", "none",
            "-serial", "null", "-serial", f"file:{log}", "-monitor", "none",
            "-drive", f"file={self.card},if=sd,format=raw,cache=writeback",
            "-kernel", self.folder / "vmlinuz", "-initrd", self.folder / "initrd.img", "-dtb", self.folder / dtb,
            "-append", line,
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.begin = time.monotonic()

    def since(self):
        return time.monotonic() - self.begin

    def ask(self, what, **arguments):
        self.control.send(json.dumps({"execute": what, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self.control.line(60))
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Failed(f"{what}: {answer['error']['desc']}")

    def glass(self):
        path = self.folder / "glass.ppm"
        self.ask("screendump", filename=str(path))
        _, size, _, data = path.read_bytes().split(b"\n", 3)
        width, height = map(int, size.split())
        return width, height, data

    def keep(self, name, picture):
        """A picture for people."""
        folder = os.environ.get("YOBIBAN_PICTURES")
        if folder:
            pixels.write_png(pathlib.Path(folder) / f"{name}.png", picture)

    def until(self, what, good, limit=START):
        """Waits for a picture; how long since power-on."""
        last = None
        while self.since() < limit:
            if self.process.poll() is not None:
                raise Failed(f"{what}: the machine ended: {self.serial()}")
            last = self.glass()
            if good(last):
                return self.since()
            time.sleep(1)
        self.keep("failed", last)
        raise Failed(f"{what}: not on the glass within {limit} s: {self.serial()}")

    def said(self):
        """All that came over the serial line; nothing before the machine opened it."""
        log = self.folder / "serial"
        return log.read_text(errors="replace") if log.exists() else ""

    def started(self, unit):
        """Whether systemd said on the serial line that it started a unit."""
        if self.process.poll() is not None:
            raise Failed(f"the machine ended: {self.serial()}")
        return re.search(rf"Started.*{unit}", self.said())

    def serial(self):
        """The end of it, for messages."""
        return self.said()[-1500:]

    def run(self, line, limit=300):
        """A line of a shell in the box, over SSH with the key of its file."""
        command = [
            "ssh", "-i", self.folder / "key", "-p", str(self.ssh_port), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=120",
            "-o", "BatchMode=yes", "root@127.0.0.1", line,
        ]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 255, "", f"no answer within {limit} s")

    def cut(self):
        """The plug is pulled."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def off(self):
        """The system is asked to stop, as by a power button."""
        self.ask("system_powerdown")
        try:
            self.process.wait(180)
        except subprocess.TimeoutExpired:
            raise Failed(f"it does not stop: {self.serial()}") from None
        self.process = None

    def sound(self):
        """Both file systems after a cut: the journal is replayed, nothing else is to be repaired."""
        table = json.loads(subprocess.run(["sfdisk", "--json", self.card], capture_output=True, check=True).stdout)
        parts = table["partitiontable"]["partitions"]
        copy = self.folder / "part"
        for number, check in [(0, ["fsck.vfat", "-n"]), (3, ["e2fsck", "-fp"])]:
            start, size = parts[number]["start"], parts[number]["size"]
            subprocess.run(
                ["dd", f"if={self.card}", f"of={copy}", f"bs={SECTOR * 2048}", f"skip={start // 2048}",
                 f"count={size // 2048}", "conv=sparse", "status=none"], check=True)
            found = subprocess.run([*check, copy], capture_output=True, text=True, check=False)
            if found.returncode and os.environ.get("YOBIBAN_PICTURES"):
                shutil.copy(copy, pathlib.Path(os.environ["YOBIBAN_PICTURES"]) / f"damaged-{number + 1}.part")
            copy.unlink()
            dirty = number == 0 and "Dirty bit" in found.stdout
            if found.returncode > 1 or (found.returncode and number == 0 and not dirty):
                raise Failed(f"partition {number + 1} is damaged: {found.stdout}{found.stderr}")
        return parts[3]["size"] * SECTOR

    def close(self):
        if self.process:
            self.cut()
        shutil.rmtree(self.folder)


class Trial:
    def __init__(self, image):
        self.box = Box(image)
        self.broker = Broker(self.box.folder)
        self.rows = []
        self.wanted = None
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.box.folder / "key"], check=True)
        self.seq = 0

    def file(self, more="", queues=QUEUES):
        key = (self.box.folder / "key.pub").read_text().strip()
        text = config([((1920, 1080), '{ kind = "hdmi" }')], self.broker.port, "/var/lib/yobiban", queues)
        return text + f'[ssh]\nkeys = ["{key}"]\n[wifi]\nssid = "x"\npassword = "wireless-secret-word"\n{more}'

    def tell(self):
        self.seq += 1
        for queue, message in state().items():
            message.update(seq=message["seq"] + 100 * self.seq)
            self.broker.publish(f"yobiban/v1/chuo/feed/{queue}", json.dumps(message))

    def board(self, picture):
        """Whether the numbers are on the glass: the rows of the board drawn without hardware, whatever
        clock, date and marks stand around them."""
        width, height, data = picture
        if (width, height) != (1920, 1080):
            return False
        if not self.wanted:
            self.wanted = self.drawn(state(), QUEUES, "2026-11-24T10:42:30+09:00")
        return self.wanted == self.cells(data)

    def drawn(self, told, queues, at):
        """The rows of a board as they must look, drawn without hardware."""
        folder = self.box.folder
        (folder / "state.json").write_text(json.dumps(told))
        (folder / "board.toml").write_text(config([((1920, 1080), '{ kind = "none" }')], 1883, queues=queues))
        subprocess.run([DRAW, "board", "--config", folder / "board.toml", "--state", folder / "state.json",
                        "--at", at, "--out", folder / "board.png"], check=True)
        return self.cells(pixels.read_png(folder / "board.png")[2])

    @staticmethod
    def cells(data):
        """The part of a board with the tickets called last."""
        left, top, right, bottom = 380, 200, 810, 900
        return [data[(y * 1920 + left) * 3:(y * 1920 + right) * 3] for y in range(top, bottom)]

    def note(self, what, figure=""):
        self.rows.append((what, figure))
        print(f"{what}: {figure}", flush=True)

    # Each scenario takes the card as the one before left it.

    def missing(self):
        """A card as it is flashed: the sheet that says what to do."""
        golden = pixels.read_png(ROOT / "tests/golden/sheets/missing-1080p.png")
        self.box.on(network=False)
        taken = self.box.until("the sheet without a file", lambda picture: picture == golden)
        self.box.keep("missing", self.box.glass())
        self.note("a card without yobiban.toml says what to do, pixel by pixel", f"{taken:.0f} s after power-on")
        self.box.cut()
        size = self.box.sound()
        if size < CARD / 2:
            raise Failed(f"the data partition has not grown: {size}")
        self.note("the data partition fills the card", f"{size / 1e9:.1f} GB of {CARD / 1e9:.1f}")

    def wrong(self):
        """A slip in the file."""
        self.box.put("yobiban.toml", self.file().replace('lane = "fast"', 'lane = "Fast"'))
        self.box.on(network=False)
        black = bytes(1920 * 1080 * 3)
        missing = pixels.read_png(ROOT / "tests/golden/sheets/missing-1080p.png")
        alert = pixels.read_png(ROOT / "tests/golden/sheets/wrong-1080p.png")[2][:3]
        seen = lambda p: p[:2] == (1920, 1080) and p[2] != black and p != missing and p[2][:3] == alert
        taken = self.box.until("the sheet of a wrong file", seen)
        time.sleep(2)
        self.box.keep("wrong", self.box.glass())
        self.note("a wrong yobiban.toml is answered on the screen", f"{taken:.0f} s after power-on")
        self.box.cut()
        self.box.sound()

    def first(self):
        """The first start with a good file: how the box is doing, then the numbers."""
        self.box.put("yobiban.toml", self.file())
        base = "2026-11-24T01:42:07"
        self.box.on(base=base)
        band = pixels.read_png(ROOT / "tests/golden/sheets/status-1080p.png")[2]
        head = lambda data: data[:1920 * 3 * 100]
        taken = self.box.until("the sheet of a box", lambda p: p[:2] == (1920, 1080) and head(p[2]) == head(band))
        self.note("the box says how it is doing", f"{taken:.0f} s after power-on")
        time.sleep(20)
        self.box.keep("status", self.box.glass())
        self.tell()
        begin = time.monotonic()
        self.box.until("the numbers", self.board)
        self.note("the first numbers take its place", f"{time.monotonic() - begin:.1f} s after they were published")
        self.box.keep("board", self.box.glass())
        if "wireless-secret-word" in self.box.take("yobiban.toml"):
            raise Failed("the password is still in the card's file")
        # Free space is overwritten beside the running box.
        taken = self.until_true("no byte of the password on the FAT partition", lambda: not self.secret())
        self.note("no byte of the password is left on the FAT partition", f"{taken:.0f} s after the numbers")

    def secret(self):
        with open(self.box.card, "rb") as whole:
            whole.seek(1024**2)
            return b"wireless-secret-word" in whole.read(192 * 1024**2)

    def day(self):
        """A recorded morning, replayed to a broker of this computer while the box starts: from power-on to
        its numbers. A card and a broker that know nothing yet."""
        recording = pathlib.Path(os.environ.get("YOBIBAN_DAY", ROOT.parent / "shared/days/2026-11-24.jsonl.gz"))
        lines, told = [], {}
        with gzip.open(recording, "rt") as day:
            for line in day:
                message = json.loads(line)
                _, _, office, _, queue = message["topic"].split("/")
                if message["at"] >= "2026-11-24T10:42":
                    break
                if office != "chuo":
                    continue
                lines.append(line)
                payload = message["payload"]
                # Late, doubled and broken ones change nothing.
                if isinstance(payload, dict) and payload.get("seq", 0) > told.get(queue, {}).get("seq", 0):
                    told[queue] = payload
        queues = {queue: (queue, queue, "standard") for queue in sorted(told)}
        morning = self.box.folder / "morning.jsonl"
        morning.write_text("".join(lines))
        self.wanted = self.drawn(told, queues, "2026-11-24T10:50:00+09:00")
        self.box.put("yobiban.toml", self.file(queues=queues))
        self.box.on(base="2026-11-24T01:43:00")
        replay = subprocess.Popen(
            [DRAW, "replay", morning, "--mqtt", f"mqtt://127.0.0.1:{self.broker.port}", "--speed", "60", "--keep-times"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            taken = self.box.until("the numbers of the recorded morning", self.board)
        finally:
            replay.kill()
            replay.wait()
        self.box.keep("day", self.box.glass())
        last = ", ".join(f"{q} {m['calls'][0]['ticket']}" for q, m in sorted(told.items()) if m["calls"])
        self.note(f"{len(lines)} messages of a recorded morning end on the glass", f"{taken:.0f} s after power-on: {last}")
        self.box.cut()
        self.box.sound()
        self.wanted = None  # other scenarios publish other numbers

    def figures(self):
        """What the box says of itself, over SSH with the key of its file; it is running."""
        for what, line in [
            ("system", "systemctl is-system-running --wait"),
            ("start", "systemd-analyze"),
            ("node started after", "systemctl show -p ActiveEnterTimestampMonotonic --value yobiban-node"),
            ("memory", "free -m | sed -n 2p; ps -o rss= -C yobiban"),
            ("root", "findmnt -no FSTYPE,OPTIONS /; touch /x 2>&1"),
            ("failed units", "systemctl --failed --no-legend"),
            ("listening", "ss -Hltun"),
            ("firewall", "nft list chain inet filter input | grep policy"),
            ("journal", "ls -d /run/log/journal /var/log/journal 2>/dev/null"),
            ("watchdog", "systemctl show -p RuntimeWatchdogUSec --value; ls /dev/watchdog* 2>&1"),
            ("slowest", "systemd-analyze blame --no-pager | head -12"),
        ]:
            found = self.box.run(line)
            self.note(what, (found.stdout + found.stderr).strip().replace("\n", " | "))

    def alone(self):
        """After a cut, and without a network: the numbers of before."""
        time.sleep(8)
        self.box.cut()
        self.box.sound()
        self.box.on(network=False, base="2026-11-24T01:50:00")
        taken = self.box.until("the numbers without a network", self.board)
        self.box.keep("alone", self.box.glass())
        self.note("numbers back after a power cut, before any network", f"{taken:.0f} s after power-on")
        self.box.cut()
        self.box.sound()

    def power(self):
        """Cuts at random moments: every other one of a start, the rest while messages come and are kept."""
        cuts = int(os.environ.get("YOBIBAN_CUTS", "20"))
        seed = int(os.environ.get("YOBIBAN_SEED", str(time.time_ns() % 1_000_000)))
        chance = random.Random(seed)
        longest = float(os.environ.get("YOBIBAN_CUT_SECONDS", "90"))
        done = threading.Event()
        telling = threading.Thread(target=self.keep_telling, args=[done])
        telling.start()
        try:
            for index in range(cuts):
                self.box.on(base="2026-11-24T01:50:00")
                if index % 2:
                    self.box.until("the numbers", self.board)
                    time.sleep(chance.uniform(0, 20))
                else:
                    time.sleep(chance.uniform(1, longest))
                when = self.box.since()
                self.box.cut()
                self.box.sound()
                how = "at work" if index % 2 else "while it started"
                print(f"cut {index + 1} of {cuts}: {how}, {when:.0f} s after power-on", flush=True)
        finally:
            done.set()
            telling.join()
        self.box.on(network=False, base="2026-11-24T01:50:00")
        taken = self.box.until("the numbers after all cuts", self.board)
        self.note(f"{cuts} cuts, seed {seed}: file systems sound, numbers back", f"{taken:.0f} s after power-on")
        self.box.cut()

    def keep_telling(self, done):
        """Messages without an end, each of them something to keep."""
        while not done.wait(0.3):
            self.tell()

    def reported(self, wanted, limit=START):
        """Waits for a health report with an issue; all its issues."""
        listen = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-W", str(int(limit)), "-R",
             "-t", "yobiban/v1/chuo/node/n1/health"], stdout=subprocess.PIPE, text=True)
        last = []
        try:
            for line in listen.stdout:
                last = [issue["kind"] for issue in json.loads(line)["issues"]]
                if wanted in last:
                    return last
        finally:
            listen.kill()
            listen.wait()
        raise Failed(f"{wanted} is not reported within {limit} s: {last}")

    def ready(self):
        """Waits until the box lets its key in."""
        self.until_true("the box lets its key in", lambda: self.box.run("true").returncode == 0)

    def until_true(self, what, good, limit=START):
        begin = time.monotonic()
        while not good():
            if time.monotonic() - begin > limit:
                raise Failed(f"{what}: not within {limit} s: {self.box.serial()}")
            time.sleep(2)
        return time.monotonic() - begin

    def dark(self):
        """No monitor."""
        self.box.on(display=False)
        issues = self.reported("output-failed")
        self.note("a missing monitor is reported", ", ".join(issues))
        self.box.cut()

    def clock(self):
        """A clock of years ago, and no time server that answers."""
        self.box.on(base="2020-01-01T00:00:00")
        issues = self.reported("clock-unsynchronized")
        self.ready()
        day = self.box.run("date +%F").stdout.strip()
        if day < "2026":
            raise Failed(f"the box believes {day}")
        self.box.until("the numbers under a wrong clock", self.board)
        self.box.keep("clock", self.box.glass())
        self.note("a clock of 2020 is reported, numbers are shown", f"{', '.join(issues)}; the box says {day}")
        self.box.cut()

    def full(self):
        """A data partition without room, and then a new file."""
        self.box.on(base="2026-11-24T01:50:00")
        self.ready()
        self.box.until("the numbers", self.board)
        # To the last block, also of what is kept for the system itself.
        fill = "; ".join(
            f"while fallocate -l {size} /data/fill.{size}.$i 2>/dev/null; do i=$((i+1)); done; rm -f /data/fill.{size}.$i"
            for size in ["64M", "1M", "64K", "4K"])
        said = self.box.run(f"i=0; {fill}; sync; df -h /data | tail -1")
        self.tell()
        issues = self.reported("storage-failed")
        self.note("a full data partition is reported", f"{', '.join(issues)}; {said.stdout.strip()}")
        self.box.cut()
        self.box.sound()
        self.box.put("yobiban.toml", self.file().replace("中央区", "花見川区"))
        self.box.on(base="2026-11-24T01:55:00")
        taken = self.box.until("the numbers on a full card", self.board)
        self.box.keep("full", self.box.glass())
        self.ready()
        said = self.box.run("cat /run/yobiban-box/setup.json").stdout
        # The node may have left a few blocks: then there is room for a file as well.
        refused = '"failed"' in said and "No space" in said
        if not refused and '"taken"' not in said:
            raise Failed(f"the new file is neither taken nor refused: {said}")
        how = "there was no room for the new file" if refused else "there was still room for the new file"
        self.note("numbers on a full card", f"{taken:.0f} s after power-on; {how}")
        self.box.run("rm -f /data/fill.*; sync")
        self.box.on(base="2026-11-24T01:58:00")
        self.ready()
        said = self.box.run("cat /run/yobiban-box/setup.json").stdout
        if ('"taken"' if refused else '"same"') not in said:
            raise Failed(f"the new file is not what the box works by: {said}")
        self.note("the box works by the new file once there is room")
        self.box.cut()
        self.box.sound()

    def update(self):
        """A signed bundle, tried with numbers and kept. It is another version of what is on the card, and
        the card knows its certificate."""
        self.tried(True)

    def returned(self):
        """The same, tried without numbers: the box returns to its slot by itself after ten minutes."""
        self.tried(False)

    def tried(self, network):
        bundle = pathlib.Path(os.environ["YOBIBAN_BUNDLE"])
        port = free_port()
        server = subprocess.Popen(
            [sys.executable, "-B", str(pathlib.Path(__file__).parent / "ranges.py"), str(port), str(bundle)],
            stdin=subprocess.DEVNULL)
        try:
            self.updated(f"http://10.0.2.2:{port}/{bundle.name}", network)
        finally:
            server.kill()
            server.wait()

    def updated(self, url, network):
        self.tell()
        self.box.put("yobiban.toml", self.file(f'[update]\nurl = "{url}"\n'))
        slot = lambda: self.box.take("slot.txt").strip().removeprefix("os_prefix=").strip("/")
        before = slot()
        after = {"a": "b", "b": "a"}[before]
        self.box.on(base="2026-11-24T02:00:00")
        self.ready()
        version = self.box.run("cat /usr/lib/yobiban/version").stdout.strip()
        self.box.run("rm -f /data/rauc/failed; systemctl start --no-block yobiban-update")
        installed = self.gone("the bundle is installed, the box starts anew")
        self.box.on(slot_file="try.txt", network=network, base="2026-11-24T02:10:00")
        if network:
            taken = self.until_true("the slot is kept", lambda: slot() == after, 900)
            now = self.box.run("cat /usr/lib/yobiban/version; findmnt -no SOURCE /").stdout.split()
            self.note("a bundle is installed, tried and kept",
                      f"{installed:.0f} s, {taken:.0f} s; before {version}, now {' from '.join(now)}")
            self.box.cut()
        else:
            taken = self.gone("the box returns")
            if slot() != before:
                raise Failed(f"slot {slot()} instead of {before}")
            self.note("a bundle is installed, tried without a broker and returned from", f"{installed:.0f} s, {taken:.0f} s")
        self.box.sound()

    def gone(self, what, limit=1500):
        """Waits until the machine ends of itself, as it does where a Raspberry Pi starts anew."""
        taken = self.until_true(what, lambda: self.box.process.poll() is not None, limit)
        self.box.process = None
        return taken

    def pi3(self):
        """The emulated Raspberry Pi 3 itself: no display and no network in it, but its processor, its
        card and its serial line."""
        self.box.on_pi3()
        self.until_true("the node runs", lambda: self.box.started("yobiban-node"))
        self.note("an emulated Raspberry Pi 3 starts the service", f"{self.box.since():.0f} s after power-on")
        self.box.cut()


SCENARIOS = ["missing", "wrong", "first", "figures", "alone", "full", "clock", "dark", "power"]


def main():
    image, *wanted = sys.argv[1:]
    trial = Trial(image)
    try:
        for name in wanted or SCENARIOS:
            getattr(trial, name)()
    except Failed as failed:
        print(f"FAILED {failed}", flush=True)
        sys.exit(1)
    finally:
        trial.broker.close()
        trial.box.close()
    print("all as it should be")


if __name__ == "__main__":
    main()
