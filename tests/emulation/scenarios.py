"""What a monitor must show, whatever happens to it, to the service and to the display's ownership.

Called by `run`. Every scenario compares the glass (QEMU's screendump) with the picture of the board
that the same program draws without hardware for the minute on the machine's clock.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import pixels
from broker import Broker
from machine import Failed, Machine

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "emulation"
BASE = "2026-11-24 01:42:07"  # UTC, when the machine's clock is set
# How much longer everything may take than on an idle computer of the same kind: other tests run beside.
SLOW = {"amd64": 8, "arm64": 12}

QUEUES = {
    "certificates": ("証明書の交付", "Certificates", "standard"),
    "moving": ("住所変更", "Moving", "standard"),
    "moving-fast": ("住所変更", "Moving", "fast"),
    "mynumber": ("マイナンバーカード", "My Number card", "standard"),
}


def state():
    """Calls long enough ago that none stands out: the glass changes with the clock only. They are
    published in the order of their times, because a panel keeps the order in which it heard them."""
    found = {}
    for i, queue in enumerate(QUEUES):
        ticket = "ABCD"[i]
        found[queue] = {
            "seq": 1000 + i, "at": f"2026-11-24T10:41:{10 + i}+09:00", "day": "2026-11-24",
            "status": "open", "waiting": 3 + 4 * i, "on_hold": i % 2,
            "next": [f"{ticket}{n:03}" for n in range(43, 46)],
            "calls": [
                {"no": 1, "ticket": f"{ticket}042", "counter": str(i + 1), "at": f"2026-11-24T10:3{i}:07+09:00", "kind": "call"},
            ],
            "wait": {"low": 300 * (i + 1), "high": 600 * (i + 1)},
        }
    return found


def config(boards, port, store="/tmp/store", queues=QUEUES):
    """A node's configuration; `boards` are pairs of size and output."""
    text = f"""[office]
id = "chuo"
name = {{ ja = "中央区", en = "Chuo Ward" }}
page_url = "https://queues.example.jp/offices/chuo"
[node]
id = "n1"
[mqtt]
url = "mqtt://10.0.2.2:{port}"
[feed]
stale_after = "24h"
max_announce_age = "60s"
[store]
dir = "{store}"
"""
    for queue, (ja, en, lane) in queues.items():
        text += f'[[queue]]\nid = "{queue}"\nname = {{ ja = "{ja}", en = "{en}" }}\nlane = "{lane}"\n'
    for i, ((width, height), output) in enumerate(boards):
        text += f'[[board]]\nid = "b{i}"\nsize = [{width}, {height}]\noutput = {output}\n'
    return text


class Told(Broker):
    """A broker with the state of every queue kept."""

    def __init__(self, folder):
        super().__init__(folder)
        self.seq = 0
        self.tell("open")

    def tell(self, status):
        """The newest state of every queue."""
        self.seq += 1
        for queue, message in state().items():
            message.update(seq=message["seq"] + 100 * self.seq, status=status)
            self.publish(f"yobiban/v1/chuo/feed/{queue}", json.dumps(message))

    def health(self):
        """The newest health report of the node."""
        answer = subprocess.run(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-C", "1", "-W", "5",
             "-t", "yobiban/v1/chuo/node/n1/health"],
            capture_output=True, check=True,
        )
        return json.loads(answer.stdout)


def drawer(arch, program):
    """What draws the expected pictures here: the program itself where it runs, else another build of it."""
    if os.environ.get("YOBIBAN_DRAW"):
        return [os.environ["YOBIBAN_DRAW"]]
    if os.uname().machine == {"amd64": "x86_64", "arm64": "aarch64"}[arch]:
        return [program]
    native = HERE.parent.parent / "target" / "debug" / "yobiban"
    if native.exists():
        return [str(native)]
    print("skipped: nothing here draws the expected pictures: run cargo build, or set YOBIBAN_DRAW")
    sys.exit(77)


class Trial:
    """One machine and what is expected of it."""

    def __init__(self, arch, program, qemu, kernel, work):
        self.arch, self.qemu, self.kernel, self.work = arch, qemu, kernel, pathlib.Path(work)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yobiban-emulation-"))
        self.draw = drawer(arch, program)
        self.broker = Told(self.folder)
        self.machine = None
        self.starts = 0
        self.drawn = {}
        self.rows = []
        (self.folder / "state.json").write_text(json.dumps(state()))

    def boot(self, display, heads=1):
        if self.machine:
            self.machine.close()
        self.machine = Machine(self.arch, self.qemu, self.kernel, self.work, display, heads)
        self.machine.ready(60 * SLOW[self.arch])
        self.machine.run(f'date -s "{BASE}"')

    def start(self, name, boards, keeper=None):
        """Starts the service; `boards` are outputs with their configured sizes.

        Each start has an empty store: kept numbers would be marked until their source speaks again,
        and this is about the display.
        """
        self.starts += 1
        text = config(boards, self.broker.port, f"/tmp/store{self.starts}")
        self.machine.write(f"/tmp/etc/{name}.toml", text)
        self.machine.run(f"start {name} {keeper or ''}")

    def stop(self, signal="TERM"):
        self.machine.run(f"kill -{signal} $pid; wait $pid 2>/dev/null", 10 * SLOW[self.arch])

    def log(self):
        return self.machine.run("cat /tmp/log")

    def expected(self, size, minute):
        """The board of a size at a minute, drawn here."""
        if (size, minute) not in self.drawn:
            settings, picture = self.folder / "board.toml", self.folder / "board.png"
            settings.write_text(config([(size, '{ kind = "none" }')], self.broker.port))
            subprocess.run(
                [*self.draw, "board", "--config", settings, "--state", self.folder / "state.json",
                 "--at", f"2026-11-24T{minute}:30+09:00", "--out", picture],
                check=True,
            )
            self.drawn[size, minute] = pixels.read_png(picture)
        return self.drawn[size, minute]

    def minute(self):
        """The minute on the machine's clock, in Japan."""
        hour, minute = self.machine.run("date -u +%H:%M").split(":")
        return f"{int(hour) + 9:02}:{minute}"

    def board(self, what, size=(1920, 1080), turned=0, head=0, limit=12, since=None):
        """Waits until the glass shows the board of this size, turned."""
        begin = since or time.monotonic()
        end = time.monotonic() + limit * SLOW[self.arch]
        while True:
            minute = self.minute()
            glass = self.machine.glass(head)
            wanted = pixels.turn(self.expected(size, minute), turned)
            if glass == wanted:
                took = time.monotonic() - begin
                self.seen(what, f"{glass[0]}x{glass[1]}, {minute}, every pixel", took)
                return took
            if time.monotonic() > end:
                self.fail(what, glass, wanted)
            time.sleep(0.1)

    def until(self, what, holds, limit=8):
        begin = time.monotonic()
        while not holds():
            if time.monotonic() - begin > limit * SLOW[self.arch]:
                self.fail(what, self.machine.glass(), None)
            time.sleep(0.1)
        self.seen(what, "seen", time.monotonic() - begin)

    def says(self, what, text, limit=8):
        self.until(what, lambda: text in self.log(), limit)

    def seen(self, what, found, took):
        self.rows.append((what, found, took))
        print(f"  {what:<58} {found:<34} {took:6.1f} s", flush=True)

    def fail(self, what, glass, wanted):
        pixels.write_png(self.work / "failed-glass.png", glass)
        text = f"{what}: the glass is {glass[0]}x{glass[1]}, see {self.work}/failed-glass.png"
        if wanted:
            pixels.write_png(self.work / "failed-wanted.png", wanted)
            count = pixels.differ(glass, wanted)
            text += f" and failed-wanted.png; {'other size' if count is None else f'{count} pixels differ'}"
        raise Failed(f"{text}\nthe service said:\n{self.log()}")

    def close(self):
        if self.machine:
            self.machine.close()
        self.broker.close()
        for file in self.folder.iterdir():
            file.unlink()
        self.folder.rmdir()


HDMI = '{ kind = "hdmi" }'
FULL = (1920, 1080)


def board(trial):
    """The board on a monitor of full size; the clock is all that moves."""
    trial.boot("xres=1920,yres=1080")
    power_on = trial.machine.started
    trial.seen("first process runs after power-on", "", time.monotonic() - power_on)
    begin = time.monotonic()
    trial.start("plain", [(FULL, HDMI)])
    trial.board("board on the glass after the service's start", since=begin, limit=20)
    trial.seen("board on the glass after power-on", "", time.monotonic() - power_on)


def idle(trial):
    """A minute in which nothing changes but the clock."""
    def flips():
        return int(trial.broker.health()["outputs"][0]["facts"]["flips"])
    trial.machine.run('date -s "2026-11-24 01:44:50"')
    trial.board("the clock was set")
    while int(trial.machine.run("date +%S")) < 56:
        time.sleep(0.2)
    before, begin = flips(), time.monotonic()
    time.sleep(60)
    trial.board("a minute later")
    count = flips() - before
    trial.seen("pictures put on the glass in a minute", f"{count}", time.monotonic() - begin)
    if count != 1:
        raise Failed(f"{count} flips in a minute in which only the clock changed")


def resolution(trial):
    """Another monitor while the service runs; then none; then the first one again."""
    monitor = trial.machine.plug()
    for size in [(1280, 720), (1024, 768)]:
        monitor.resize(*size)
        trial.board(f"exchanged for a monitor of {size[0]}x{size[1]}", size)
    monitor.resize(0, 0)
    trial.says("cable pulled: the service says so", "no monitor is connected to Virtual-1")
    def reported():
        health = trial.broker.health()
        texts = [issue["text"] for issue in health["issues"]]
        return health["outputs"][0]["connector"] == "disconnected" and any("no monitor is connected" in t for t in texts)
    trial.until("cable pulled: the health report says so", reported)
    monitor.resize(*FULL)
    trial.board("plugged in again")


def modes(trial):
    """A mode from the configuration, and a monitor turned on its side or upside down."""
    trial.stop()
    trial.start("mode", [(FULL, '{ kind = "hdmi", connector = "Virtual-1", mode = "1024x768@60" }')])
    trial.board("mode = 1024x768@60", (1024, 768))
    for degrees, size in [(90, (1080, 1920)), (180, FULL), (270, (1080, 1920))]:
        trial.stop()
        trial.start("turned", [(size, f'{{ kind = "hdmi", rotate = {degrees} }}')])
        trial.board(f"rotate = {degrees}", size, degrees)


def night(trial):
    """Outside its hours the board is black, then the signal ends; a queue that opens lights it."""
    def signal():
        return trial.machine.run("cat /sys/class/drm/card0-Virtual-1/dpms")
    trial.stop()
    trial.broker.tell("closed")
    board = config([(FULL, '{ kind = "hdmi", standby = "dpms" }')], trial.broker.port, "/tmp/night")
    trial.machine.write("/tmp/etc/night.toml", board + 'lit_hours = ["05:00", "05:01"]\n')
    trial.machine.run("start night")
    trial.until("outside the hours: black", lambda: pixels.colours(trial.machine.glass()) == {b"\0\0\0"}, 15)
    if signal() != "On":
        raise Failed("the signal ended with the first black picture")
    trial.until("then no signal", lambda: signal() == "Off", 10)
    trial.broker.tell("open")
    trial.board("a queue opens: the board is back")
    if signal() != "On":
        raise Failed("the board is on the glass without a signal")


def restart(trial):
    """Killed, started again: without a keeper the picture goes, with one it stays."""
    trial.stop()
    trial.start("plain", [(FULL, HDMI)])
    trial.board("started without a keeper")
    trial.stop("KILL")
    def gone():
        return trial.machine.glass() not in trial.drawn.values()
    trial.until("kill -9 without a keeper: the kernel takes the picture", gone)
    trial.machine.run("exec 3<>/dev/dri/card0")
    trial.start("plain", [(FULL, HDMI)], keeper="Virtual-1")
    trial.board("started with a keeper")
    pictures = trial.machine.run("grep -c ^framebuffer /sys/kernel/debug/dri/0/framebuffer")
    last = trial.machine.glass()
    trial.stop("KILL")
    for _ in range(20):
        if trial.machine.glass() != last:
            trial.fail("kill -9 with a keeper", trial.machine.glass(), last)
        time.sleep(0.1)
    trial.seen("kill -9 with a keeper: the picture stays", "20 looks", 2)
    trial.start("plain", [(FULL, HDMI)], keeper="Virtual-1")
    # Up to the newest state from the broker the board may mark its numbers with their time.
    looks, end = [], time.monotonic() + 4
    while time.monotonic() < end:
        looks.append(trial.machine.glass())
        if len(pixels.colours(looks[-1])) < 3 or looks[-1][:2] != FULL:
            trial.fail("a restart with a keeper", looks[-1], last)
        time.sleep(0.1)
    boards = sum(look in trial.drawn.values() for look in looks)
    trial.board("started again with a keeper")
    trial.seen("meanwhile the glass was never empty", f"{len(looks)} looks, {boards} the very board", 4)
    # The service lets go of what it found when its own first picture is on the glass.
    def as_many():
        return trial.machine.run("grep -c ^framebuffer /sys/kernel/debug/dri/0/framebuffer") == pictures
    trial.until(f"{pictures} pictures in the card's memory, as before the restart", as_many)


def owner(trial):
    """Another program takes the display, and gives it back."""
    # Kept until the service has noticed, however slow the machine is.
    trial.machine.run("owner 600 >/tmp/owner 2>&1 & echo $! >/tmp/owner.process")
    trial.until("another program shows its picture", lambda: pixels.colours(trial.machine.glass()) == {b"\x80\x80\x80"})
    trial.says("the service says so", "another program owns the display")
    trial.machine.run("kill $(cat /tmp/owner.process)")
    trial.board("the display is given back", limit=15)
    said = trial.machine.run("cat /tmp/owner")
    if said:
        raise Failed(f"the other program failed: {said}")


def end(trial):
    """The picture at the end of the service."""
    trial.stop("TERM")
    glass = trial.machine.glass()
    golden = GOLDEN / "out-of-service-1080p.png"
    if os.environ.get("YOBIBAN_ACCEPT"):
        GOLDEN.mkdir(exist_ok=True)
        pixels.write_png(golden, glass)
    wanted = pixels.read_png(golden)
    if glass != wanted:
        trial.fail("SIGTERM shows out of service", glass, wanted)
    trial.seen("SIGTERM shows out of service", "every pixel", 0)


def heads(trial):
    """Two monitors with two boards, and one that does not say who it is."""
    trial.boot("xres=1280,yres=720", heads=2)
    second = trial.machine.plug(1)
    second.resize(1024, 768)
    time.sleep(1)
    trial.start("two", [
        (FULL, '{ kind = "hdmi", connector = "Virtual-1" }'),
        (FULL, '{ kind = "hdmi", connector = "Virtual-2" }'),
    ])
    trial.board("two boards: the first", (1280, 720), limit=20)
    trial.board("two boards: the second", (1024, 768), head=1)
    second.resize(0, 0)
    trial.says("the second is pulled", "no monitor is connected to Virtual-2")
    trial.board("the first stays", (1280, 720))
    second.resize(1280, 720)
    trial.board("the second is plugged in with another size", (1280, 720), head=1)


def silent(trial):
    """A monitor without an EDID: the configured size is taken after some seconds."""
    trial.boot("edid=off,xres=1024,yres=768")
    trial.start("silent", [((1024, 768), HDMI)])
    trial.board("no EDID: the board in its configured size", (1024, 768), limit=20)


SCENARIOS = [board, idle, resolution, modes, night, restart, owner, end, heads, silent]
# What needs the machine of another.
NEEDS = {
    idle: [board], resolution: [board], modes: [board], night: [board], restart: [board],
    owner: [board, restart], end: [board, restart],
}


def main():
    arch, program, qemu, kernel, work, *wanted = sys.argv[1:]
    known = {s.__name__: s for s in SCENARIOS}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"no scenario {unknown[0]}: expected {', '.join(known)}")
    chosen = [s for s in SCENARIOS if not wanted or s.__name__ in wanted]
    if wanted:
        chosen = [s for s in SCENARIOS if s in chosen or any(s in NEEDS.get(c, []) for c in chosen)]
    trial = Trial(arch, program, qemu, kernel, work)
    begin = time.monotonic()
    try:
        for scenario in chosen:
            print(f"{scenario.__name__}: {scenario.__doc__.splitlines()[0]}", flush=True)
            scenario(trial)
    except Failed as failed:
        print(f"FAILED {failed}", flush=True)
        sys.exit(1)
    finally:
        trial.close()
    print(f"all as it should be: {len(trial.rows)} observations in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
