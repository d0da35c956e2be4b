"""Cuts the power at random moments and looks at what is left. Called by `power`."""

import datetime
import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from broker import Broker
from machine import Failed, Machine

START = datetime.datetime.fromisoformat("2026-11-24T10:00:00+09:00")
# Calls between two cuts: with those that were not kept before, fewer than the twenty a message lists.
CALLS = 10
# A node keeps its state every five seconds; this is slow enough for an emulated machine.
KEPT_WITHIN = 12
DAY = "http://127.0.0.1:8080/opendata/calls/2026-11-24.csv"
DISK = 96 * 1024 * 1024

NODE = """[office]
id = "chuo"
name = { ja = "中央区" }
[node]
id = "n1"
[mqtt]
url = "mqtt://10.0.2.2:FEED"
[uplink]
url = "mqtt://10.0.2.2:HUB"
[store]
dir = "/data/node"
[[queue]]
id = "certificates"
name = { ja = "証明書" }
[[board]]
id = "main"
size = [320, 180]
output = { kind = "none" }
"""

HUB = """[mqtt]
url = "mqtt://10.0.2.2:HUB"
[http]
listen = "127.0.0.1:8080"
[store]
url = "sqlite:/data/hub.db"
"""


class Nodes:
    """Hears from the hub's broker whether the node is there."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-q", "1",
             "-t", "yobiban/v1/chuo/node/n1/availability"],
            stdout=subprocess.PIPE, text=True,
        )
        self.online = threading.Event()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            if line.strip() == "online":
                self.online.set()
            else:
                self.online.clear()


class Trial:
    def __init__(self, arch, qemu, kernel, work, seed):
        self.random = random.Random(seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yobiban-power-"))
        image = self.folder / "disk"
        with open(image, "wb") as file:
            file.truncate(DISK)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", image], check=True)
        self.feed, self.hub = Broker(self.folder, "feed"), Broker(self.folder, "hub")
        self.nodes = Nodes(self.hub.port)
        devices = ["-drive", f"file={image},if=none,id=disk,format=raw", "-device", "virtio-blk-pci,drive=disk"]
        self.machine = Machine(arch, qemu, kernel, work, devices=devices)
        self.machine.ready(180)
        self.begin = time.monotonic()
        moment = START.astimezone(datetime.timezone.utc)
        self.machine.run(f'date -s "{moment:%Y-%m-%d %H:%M:%S}"')
        for name, text in [("node", NODE), ("hub", HUB), ("alone", HUB)]:
            # Port 9 discards, and nobody listens there: a hub that hears nothing.
            hub = 9 if name == "alone" else self.hub.port
            text = text.replace("FEED", str(self.feed.port)).replace("HUB", str(hub))
            self.machine.write(f"/tmp/etc/{name}.toml", text)
        self.machine.run(". /bin/power.sh")
        said = self.machine.run("disk && echo good").splitlines()
        if said[-1:] != ["good"]:
            raise Failed(f"no disk: {said}")
        self.calls = []
        self.no = self.seq = 0
        # When each message was published, by its sequence number.
        self.said = {}
        # Messages and calls of which the state on the disk knows.
        self.kept = self.kept_no = 0
        # Calls that were neither kept nor confirmed when the power went, and then no longer listed.
        self.excused = set()
        self.torn = 0

    def call(self):
        """One more call."""
        self.no += 1
        call = {"no": self.no, "ticket": f"A{self.no % 1000:03}", "counter": "3", "at": self.time(), "kind": "call"}
        self.calls = [call, *self.calls][:20]
        self.tell()

    def time(self):
        moment = START + datetime.timedelta(seconds=time.monotonic() - self.begin)
        return moment.isoformat(timespec="milliseconds")

    def tell(self):
        """Says what there is, as a ticketing system does."""
        self.seq += 1
        message = {
            "seq": self.seq, "at": self.time(), "day": "2026-11-24", "status": "open", "waiting": 3,
            "on_hold": 0, "calls": self.calls,
        }
        self.feed.publish("yobiban/v1/chuo/feed/certificates", json.dumps(message))
        self.said[self.seq] = time.monotonic()

    def start(self):
        self.nodes.online.clear()
        self.machine.run("service hub; service node")

    def wait(self):
        """Until the node is there and the hub answers."""
        if not self.nodes.online.wait(120):
            raise Failed(f"the node does not come back: {self.log()}")
        end = time.monotonic() + 120
        while "ok" not in self.machine.run("wget -q -O - http://127.0.0.1:8080/readyz >/dev/null 2>&1 && echo ok"):
            if time.monotonic() > end:
                raise Failed(f"the hub does not come back: {self.log()}")
            time.sleep(0.2)

    def log(self):
        return self.machine.run("tail -n 5 /tmp/node.log /tmp/hub.log")

    def moment(self, index):
        """Works for a while, then the power is cut and comes back. Every third time the hub's broker
        hangs, so that calls have to be kept on the disk; every fourth the cut hits the start."""
        hangs = index % 3 == 1
        due = 0
        if index % 4 != 3:
            self.wait()
            begin = time.monotonic()
            if hangs:
                self.hub.hang()
            for _ in range(self.random.randrange(2, CALLS)):
                self.call()
                time.sleep(self.random.uniform(0.05, 0.9))
            time.sleep(self.random.uniform(0, 8))
            end = time.monotonic() - KEPT_WITHIN
            due = max((seq for seq, at in self.said.items() if begin < at < end), default=0)
        else:
            time.sleep(self.random.uniform(0, 4))
        before = self.history()
        self.machine.run(f"cut {self.random.randrange(60_000)}")
        said = self.machine.run("back && echo good", 120).splitlines()
        if said[-1:] != ["good"]:
            raise Failed(f"the file system is damaged: {said}")
        self.state(due)
        self.same(before)
        if hangs:
            # From here on nobody repeats what was called: it is on the disk, or was never kept.
            self.excused |= {no for no in range(self.kept_no + 1, self.no + 1)}
            self.calls = []
            self.tell()
        self.start()
        if hangs:
            time.sleep(self.random.uniform(0, 2))
            self.hub.go_on()

    def history(self):
        """The calls that the hub says it has; none while it does not answer."""
        rows = self.machine.run(f"wget -q -O - {DAY} 2>/dev/null").splitlines()
        return [row.split(",")[4] for row in rows[1:]]

    def same(self, before):
        """What the hub said that it had is there, before anybody could send it again."""
        self.machine.run("service alone")
        end = time.monotonic() + 60
        while not (found := self.machine.run(f"wget -q -O - {DAY} 2>/dev/null").splitlines()):
            if time.monotonic() > end:
                raise Failed(f"the hub does not start: {self.log()}")
            time.sleep(0.2)
        found = [row.split(",")[4] for row in found[1:]]
        self.machine.run("kill -TERM $alone; wait $alone")
        lost = [no for no in before if no not in found]
        if lost or len(set(found)) != len(found):
            raise Failed(f"the history lost {lost} of what it had: {found}")

    def state(self, due):
        """The state on the disk is the newest that was kept, or the one before it, and whole."""
        found = []
        for name in ["state.json", "state.json.old"]:
            text = self.machine.run(f"cat /data/node/{name} 2>/dev/null")
            body, _, digest = text.rpartition("\n")
            if hashlib.sha256(body.encode()).hexdigest() == digest.strip():
                found += [(queue["state"]["seq"], queue["last_no"]) for queue in json.loads(body)["queues"]]
            elif text:
                self.torn += 1
        newest, last_no = max(found, default=(0, 0))
        if not max(self.kept, due) <= newest <= self.seq:
            raise Failed(f"kept {newest} after {self.kept}, and {due} of {self.seq} should have been")
        self.kept, self.kept_no = newest, last_no

    def end(self):
        """Every call is in the history, once."""
        self.wait()
        self.call()
        wanted = set(range(1, self.no + 1))
        end = time.monotonic() + 120
        while True:
            found = [int(no) for no in self.history()]
            missing = wanted - set(found)
            if missing <= self.excused and self.no in found:
                break
            if time.monotonic() > end:
                raise Failed(f"{len(found)} calls of {self.no}; missing {sorted(missing)}: {self.log()}")
            time.sleep(1)
        if len(set(found)) != len(found) or not set(found) <= wanted:
            raise Failed(f"calls twice, or never made: {found}")
        wrong = self.machine.run("grep -E 'state.*damaged|panicked' /tmp/node.log /tmp/hub.log /tmp/alone.log")
        if wrong:
            raise Failed(wrong)
        return missing

    def close(self):
        self.machine.close()
        self.nodes.process.kill()
        self.nodes.process.wait()
        for broker in [self.feed, self.hub]:
            broker.close()
        shutil.rmtree(self.folder)


def main():
    arch, qemu, kernel, work, *rest = sys.argv[1:]
    moments = int(rest[0]) if rest else 20
    seed = int(rest[1]) if len(rest) > 1 else time.time_ns() % 1_000_000
    print(f"{moments} moments, seed {seed}", flush=True)
    begin = time.monotonic()
    trial = Trial(arch, qemu, kernel, work, seed)
    try:
        trial.start()
        for index in range(moments):
            trial.moment(index)
            print(f"moment {index + 1}: {trial.no} calls said, state {trial.kept} of {trial.seq} kept", flush=True)
        missing = trial.end()
        torn = trial.machine.run("grep -h 'spool was damaged' /tmp/node.log | wc -l").strip()
    except Failed as failed:
        print(f"FAILED {failed}", flush=True)
        sys.exit(1)
    finally:
        trial.close()
    print(
        f"all as it should be: {moments} cuts, {trial.no} calls, each that was kept is in the history once "
        f"({len(missing)} were younger than the last write); "
        f"{trial.torn} torn state files with a whole one beside them, {torn} torn journals; "
        f"{time.monotonic() - begin:.0f} s"
    )


main()
