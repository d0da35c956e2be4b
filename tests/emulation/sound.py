"""What a loudspeaker must play, also after it was away. Called by `sound`."""

import array
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import wave

from broker import Broker
from machine import Failed, Machine

BASE = "2026-11-24 01:42:00"  # UTC, when the machine's clock is set
DEVICE = "hw:CARD=Loopback,DEV=0"
OTHER_END = "hw:CARD=Loopback,DEV=1"
# Samples that the loop may repeat out of the recorder's buffer at the end: 20 ms.
LEFT_OVER = 960
# An emulated machine on a busy computer takes its time.
SLOW = 120

NODE = """[office]
id = "chuo"
name = { ja = "中央区" }
[node]
id = "n1"
[mqtt]
url = "mqtt://10.0.2.2:PORT"
[store]
dir = "/tmp/store"
[[queue]]
id = "certificates"
name = { ja = "証明書" }
[voice]
output = "alsa"
device = "DEVICE"
volume = 100
max_backlog = "10m"
dictionary = "/dictionary"
KEEP
"""


class Trial:
    def __init__(self, arch, program, dictionary, qemu, kernel, work):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yobiban-sound-"))
        self.program, self.dictionary = program, dictionary
        self.broker = Broker(self.folder)
        self.machine = Machine(arch, qemu, kernel, work)
        self.calls = []
        self.rows = 0

    def close(self):
        self.machine.close()
        self.broker.close()

    def seen(self, what, detail=""):
        self.rows += 1
        print(f"  {what}: {detail}".rstrip(": "), flush=True)

    def until(self, what, wanted, limit=SLOW):
        begin = time.monotonic()
        while not wanted():
            if time.monotonic() > begin + limit:
                log = self.machine.run("tail -n 20 /tmp/log")
                raise Failed(f"{what}: not within {limit} s\n{log}")
            time.sleep(0.2)
        return time.monotonic() - begin

    def start(self, keep=""):
        text = NODE.replace("PORT", str(self.broker.port)).replace("DEVICE", DEVICE).replace("KEEP", keep)
        self.machine.write("/tmp/etc/node.toml", text)
        self.machine.run("start node")
        self.node = self.machine.run("echo $pid")

    def stop(self):
        self.machine.run(f"kill {self.node}")
        self.until("the service ends", lambda: self.machine.run(f"kill -0 {self.node} 2>/dev/null && echo there") == "")

    def call(self, ticket):
        """The next call of the queue, now by the machine's clock."""
        now = self.machine.run("date -u +%Y-%m-%dT%H:%M:%SZ")
        no = len(self.calls) + 1
        self.calls.insert(0, {"no": no, "ticket": ticket, "counter": "3", "at": now, "kind": "call"})
        self.broker.publish("yobiban/v1/chuo/feed/certificates", json.dumps({
            "seq": no, "at": now, "day": "2026-11-24", "status": "open", "waiting": 3, "on_hold": 0,
            "calls": self.calls[:20],
        }))
        return no

    def spoken(self, no):
        """Whether the service noted that a call was heard to its end."""
        return self.machine.run(f"grep -c '\"through\":{no}[,}}]' /tmp/store/spoken.json 2>/dev/null") == "1"

    def record(self):
        self.machine.run(f"arecord -q --buffer-time=4000000 -D {OTHER_END} -t raw -f S16_LE -c 2 -r 48000 /tmp/loop.raw >/tmp/arecord 2>&1 & ear=$!")
        self.until("the recorder records", lambda: self.machine.run("[ -s /tmp/loop.raw ] && echo yes") == "yes")

    def recorded(self):
        """Left and right of what the other end heard."""
        self.machine.run("sleep 1; kill $ear; wait $ear")
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            server.settimeout(SLOW)
            self.machine.run(f"nc 10.0.2.2 {server.getsockname()[1]} </tmp/loop.raw >/dev/null 2>&1 &")
            line, _ = server.accept()
            data = bytearray()
            size = int(self.machine.run("wc -c </tmp/loop.raw"))
            line.settimeout(SLOW)
            while len(data) < size:
                part = line.recv(1 << 16)
                if not part:
                    break
                data += part
            line.close()
        (self.folder / "heard.raw").write_bytes(data)
        samples = array.array("h", bytes(data[: len(data) // 4 * 4]))
        return samples[0::2], samples[1::2]

    def wanted(self, ticket):
        """What the same program makes of the call here."""
        out = self.folder / f"{ticket}.wav"
        subprocess.run(
            [self.program, "say", ticket, "--counter", "3", "--lang", "ja", "--dictionary", self.dictionary, "--out", str(out)],
            check=True,
        )
        with wave.open(str(out)) as file:
            return array.array("h", file.readframes(file.getnframes()))

    def alike(self, what, tickets):
        """One of these calls comes through whole: an emulated device runs dry where the computer is
        busy, and repeats what it has."""
        for i, ticket in enumerate(tickets):
            self.record()
            no = self.call(ticket)
            self.until(f"{ticket} is spoken", lambda: self.spoken(no))
            try:
                return self.compare(f"{what}: {ticket}", ticket)
            except Failed as failed:
                if i + 1 == len(tickets):
                    raise
                print(f"  again, {failed}", flush=True)

    def compare(self, what, ticket):
        """Sample by sample; a busy machine may have put silence between them, but nothing else."""
        wanted = self.wanted(ticket)
        left, right = self.recorded()
        if left != right:
            raise Failed(f"{what}: left and right differ; see {self.folder}")
        heard, spoken = [s for s in left if s], [s for s in wanted if s]
        # When the player lets go, the loop hands the recorder 10 ms of its own old buffer.
        rest = heard[len(spoken):]
        if heard[: len(spoken)] != spoken or len(rest) > LEFT_OVER:
            same = next((i for i, (a, b) in enumerate(zip(heard, spoken)) if a != b), min(len(heard), len(spoken)))
            raise Failed(f"{what}: {len(heard)} samples heard, {len(spoken)} spoken, alike up to {same}; see {self.folder}")
        first = next(i for i, s in enumerate(left) if s)
        at = [i for i, s in enumerate(left) if s]
        last = at[len(spoken) - 1] + 1
        begin = next(i for i, s in enumerate(wanted) if s)
        end = len(wanted) - next(i for i, s in enumerate(reversed(wanted)) if s)
        more = (last - first) - (end - begin)
        self.seen(what, f"{len(spoken)} samples alike, {more / 48:.0f} ms of silence between them more than spoken")


def main():
    trial = Trial(*sys.argv[1:])
    begin = time.monotonic()
    try:
        machine = trial.machine
        machine.ready(SLOW)
        machine.run(f'date -s "{BASE}"')
        print("an announcement on a sound device", flush=True)
        trial.start()
        trial.alike("as recorded from the loop", ["A042", "A142", "A242", "A342"])

        print("the device is taken away and comes back", flush=True)
        trial.until("the card's driver is removed", lambda: machine.run("rmmod snd_aloop 2>&1") == "")
        no = trial.call("A043")
        trial.until("the service says so", lambda: machine.run("grep -c 'issue=\"voice-silent\"' /tmp/log") != "0")
        trial.seen("removed: the service says so", machine.run("grep 'voice-silent' /tmp/log | tail -n 1")[-120:])
        if trial.spoken(no):
            raise Failed("a call counts as spoken without a device")
        machine.run("insmod /modules/snd-aloop.ko")
        trial.record()
        took = trial.until("A043 is spoken", lambda: trial.spoken(no))
        trial.recorded()
        trial.seen("the driver is back: the call is spoken", f"after {took:.0f} s")
        trial.alike("after it was away", ["A143", "A243", "A343", "A443"])

        print("a device that is kept open", flush=True)
        trial.stop()
        trial.start("keep_open = true")
        trial.alike("kept open", ["A044", "A144", "A244", "A344"])
        trial.stop()
    except Failed as failed:
        print(f"FAILED {failed}", flush=True)
        print(trial.machine.run("tail -n 20 /tmp/log; cat /tmp/arecord"), flush=True)
        sys.exit(1)
    finally:
        trial.close()
    print(f"all as it should be: {trial.rows} observations in {time.monotonic() - begin:.0f} s")


main()
