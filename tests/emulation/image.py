"""A box from power-on to its board, with what installers and power cuts do to it. Called by `image`."""

import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import pixels
from broker import Broker
from machine import Failed, Line
from scenarios import QUEUES, config, state

ROOT = pathlib.Path(__file__).parent.parent.parent
SECTOR = 512
# The card: larger than the image, as it is in a box.
CARD = 3 * 1024**3
# What a start may take here; on the hardware it is a tenth.
START = float(os.environ.get("YOBIBAN_START_SECONDS", "900"))


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

    def on(self, slot_file="slot.txt", network=True, display=True, base=None, memory=512):
        """Power on."""
        prefix = self.take(slot_file).strip().removeprefix("os_prefix=")
        for name in ["vmlinuz", "initrd.img", "cmdline.txt"]:
            self.read(prefix + name, self.folder / name)
        line = (self.folder / "cmdline.txt").read_text().strip().replace("ttyS1,115200", "ttyAMA0")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.ssh_port = free.getsockname()[1]
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

    def serial(self):
        return (self.folder / "serial").read_text(errors="replace")[-1500:]

    def run(self, line, limit=300):
        """A line of a shell in the box, over SSH with the key of its file."""
        return subprocess.run(
            ["ssh", "-i", self.folder / "key", "-p", str(self.ssh_port), "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=120",
             "-o", "BatchMode=yes", "root@127.0.0.1", line],
            capture_output=True, text=True, timeout=limit, check=False,
        )

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
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.box.folder / "key"], check=True)
        self.seq = 0

    def file(self, more=""):
        key = (self.box.folder / "key.pub").read_text().strip()
        text = config([((1920, 1080), '{ kind = "hdmi" }')], self.broker.port, "/var/lib/yobiban")
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
        return self.numbers() == self.cells(data)

    def numbers(self):
        if not hasattr(self, "wanted"):
            folder = self.box.folder
            (folder / "state.json").write_text(json.dumps(state()))
            (folder / "board.toml").write_text(config([((1920, 1080), '{ kind = "none" }')], 1883))
            draw = os.environ.get("YOBIBAN_DRAW", str(ROOT / "target/debug/yobiban"))
            subprocess.run([draw, "board", "--config", folder / "board.toml", "--state", folder / "state.json",
                            "--at", "2026-11-24T10:42:30+09:00", "--out", folder / "board.png"], check=True)
            self.wanted = self.cells(pixels.read_png(folder / "board.png")[2])
        return self.wanted

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
        card = self.box.take("yobiban.toml")
        with open(self.box.card, "rb") as whole:
            whole.seek(1024**2)
            fat = whole.read(192 * 1024**2)
        if "wireless-secret-word" in card or b"wireless-secret-word" in fat:
            raise Failed("the password is still on the FAT partition")
        self.note("no byte of the password is left on the FAT partition")

    def figures(self):
        """What the box says of itself, over SSH with the key of its file; it is running."""
        for what, line in [
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
        """Cuts at random moments of start and work."""
        cuts = int(os.environ.get("YOBIBAN_CUTS", "20"))
        seed = int(os.environ.get("YOBIBAN_SEED", str(time.time_ns() % 1_000_000)))
        chance = random.Random(seed)
        longest = float(os.environ.get("YOBIBAN_CUT_SECONDS", "90"))
        for index in range(cuts):
            self.box.on(base="2026-11-24T01:50:00")
            time.sleep(chance.uniform(1, longest))
            self.box.cut()
            self.box.sound()
            print(f"cut {index + 1} of {cuts}", flush=True)
        self.box.on(network=False, base="2026-11-24T01:50:00")
        taken = self.box.until("the numbers after all cuts", self.board)
        self.note(f"{cuts} cuts, seed {seed}: file systems sound, numbers back", f"{taken:.0f} s after power-on")
        self.box.cut()

    def dark(self):
        """No monitor."""
        self.box.on(display=False)
        heard = subprocess.run(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-W", str(int(START)), "-R", "-C", "1",
             "-t", "yobiban/v1/chuo/node/n1/health"], capture_output=True, text=True, check=True).stdout
        issues = [issue["kind"] for issue in json.loads(heard)["issues"]]
        if "output-lost" not in issues:
            raise Failed(f"a missing monitor is not reported: {heard}")
        self.note("a missing monitor is reported", ", ".join(issues))
        self.box.cut()


SCENARIOS = ["missing", "wrong", "first", "figures", "alone", "power", "dark"]


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
