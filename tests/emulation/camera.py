"""What a node with a camera must report, whatever happens to the camera.

Called by `camera`. Everything is seen from outside: in what the node sends to the broker.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import film
from broker import Broker
from machine import Failed, Machine

BASE = "2026-11-24 01:42:07"  # UTC, when the machine's clock is set
SLOW = {"amd64": 8, "arm64": 12}
NODE = "yobiban/v1/chuo/node/n1"


def config(port, source):
    return f"""[office]
id = "chuo"
name = {{ ja = "中央区", en = "Chuo Ward" }}
[node]
id = "n1"
[mqtt]
url = "mqtt://10.0.2.2:{port}"
[store]
dir = "/tmp/store"
[[queue]]
id = "certificates"
name = {{ ja = "証明書の交付", en = "Certificates" }}
[[camera]]
id = "hall"
source = {source}
size = [{film.WIDTH}, {film.HEIGHT}]
corners = {film.corners()}
interval = "500ms"
picture_interval = "2s"
[[camera.field]]
queue = "certificates"
show = "ticket"
rect = {film.rectangle(film.TICKET)}
kind = "seven-segment"
[[camera.field]]
queue = "certificates"
show = "counter"
rect = {film.rectangle(film.COUNTER)}
kind = "seven-segment"
"""


class Heard(threading.Thread):
    """The newest message of each topic of the node, and all calls."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.process = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", f"{NODE}/#", "-F", "%t %x"],
            stdout=subprocess.PIPE, text=True,
        )
        self.newest, self.calls, self.pictures = {}, [], 0
        self.start()

    def run(self):
        for line in self.process.stdout:
            topic, _, payload = line.strip().partition(" ")
            topic, payload = topic.removeprefix(NODE + "/"), bytes.fromhex(payload)
            if topic == "calls":
                self.calls.append(json.loads(payload))
            elif topic == "camera/hall":
                self.pictures += 1
            self.newest[topic] = payload

    def json(self, topic):
        return json.loads(self.newest.get(topic) or b"{}")

    def issues(self):
        """The texts of the issues by kind."""
        return {issue["kind"]: issue["text"] for issue in self.json("health").get("issues", [])}

    def last(self):
        """The last number as the node tells it, a call or what stood there: ticket and counter."""
        queues = self.json("numbers").get("queues") or [{}]
        call = queues[0].get("now_serving") or queues[0].get("last_call") or {}
        return call.get("ticket"), call.get("counter")


class Trial:
    def __init__(self, arch, qemu, kernel, work):
        self.arch, self.work = arch, pathlib.Path(work)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yobiban-camera-"))
        self.broker = Broker(self.folder)
        self.heard = Heard(self.broker.port)
        self.machine = Machine(arch, qemu, kernel, self.work, None)
        self.machine.ready(60 * SLOW[arch])
        self.seen("first process runs after power-on", time.monotonic() - self.machine.started)
        self.machine.run(f'date -s "{BASE}"')
        self.playing = False

    def do(self, line, limit=60):
        """A line that must succeed."""
        said = self.machine.run(f"({line}) 2>&1 && echo good", limit).splitlines()
        if said[-1:] != ["good"]:
            raise Failed(f"{line}: {said}")

    def plug(self, kind=2):
        """A camera whose only input is of this kind: 0 a webcam, 2 S-Video."""
        self.do(
            "insmod /modules/vivid.ko n_devs=1 node_types=0x101 multiplanar=1 "
            f"num_inputs=1 input_types={kind} num_outputs=1 output_types=0"
        )

    def play(self, ticket, counter):
        """The camera films this board from now on."""
        self.stop_playing()
        self.do("film set /dev/video0 'Loop Video' 1")
        self.do(f"film play /dev/video1 {film.WIDTH} {film.HEIGHT} /film-{ticket}-{counter} >/tmp/film 2>&1 & echo $! >/tmp/film.pid")
        self.playing = True

    def stop_playing(self):
        if self.playing:
            self.machine.run("kill $(cat /tmp/film.pid); sleep 1")
            self.playing = False

    def start(self, source):
        self.machine.write("/tmp/etc/camera.toml", config(self.broker.port, source))
        self.machine.run("start camera")

    def stop(self):
        self.machine.run("kill -TERM $pid; wait $pid 2>/dev/null", 10 * SLOW[self.arch])

    def until(self, what, holds, limit=20):
        begin = time.monotonic()
        while not holds():
            if time.monotonic() - begin > limit * SLOW[self.arch]:
                heard = {k: v for k, v in self.heard.newest.items() if not k.startswith("camera/")}
                log = self.machine.run("tail -n 20 /tmp/log; cat /tmp/film; ls /dev | grep video")
                raise Failed(f"{what}: {heard}\nthe service said:\n{log}")
            time.sleep(0.1)
        self.seen(what, time.monotonic() - begin)

    def says(self, what, kind, *texts, limit=20):
        """Waits for an issue with one of these texts."""
        self.until(what, lambda: any(t in self.heard.issues().get(kind, "") for t in texts), limit)

    def well(self, what, limit=30):
        self.until(what, lambda: not any("camera" in kind for kind in self.heard.issues()), limit)

    def shows(self, what, ticket, counter, limit=40):
        self.until(what, lambda: self.heard.last() == (ticket, counter), limit)

    def seen(self, what, took):
        print(f"  {what:<66} {took:6.1f} s", flush=True)

    def close(self):
        self.machine.close()
        self.heard.process.kill()
        self.heard.process.wait()
        self.broker.close()
        shutil.rmtree(self.folder)


DEVICE = '{ kind = "v4l2", device = "/dev/video0" }'


def board(trial):
    """A board is filmed and read, and its picture arrives."""
    trial.plug()
    trial.play(*film.SHOWN[0])
    trial.start(DEVICE)
    trial.shows("the board is filmed and read", *film.SHOWN[0])
    trial.until("its picture arrives", lambda: trial.heard.newest.get("camera/hall", b"")[:2] == b"\xff\xd8")
    numbers = trial.heard.json("numbers")
    if [q["source"] for q in numbers["queues"]] != ["camera"]:
        raise Failed(f"not from the camera: {numbers}")
    trial.play(*film.SHOWN[1])
    trial.shows("another number", *film.SHOWN[1])


def gone(trial):
    """The camera is pulled out while it films, and plugged in again."""
    trial.machine.run("echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind")
    trial.says("pulled out: the node says so", "camera-unavailable", "/dev/video0 is missing", "/dev/video0 was disconnected")
    trial.playing = False
    trial.machine.run("echo vivid.0 >/sys/bus/platform/drivers/vivid/bind")
    trial.play(*film.SHOWN[2])
    trial.well("plugged in again: nothing is wrong any more")
    trial.shows("and the board is read", *film.SHOWN[2])


def disconnect(trial):
    """The device says itself that it is gone, and is there again once nobody holds it."""
    trial.stop_playing()
    trial.do("film set /dev/video0 Disconnect 1")
    # The driver gives it back when the last one has let go.
    back = "film set /dev/video0 'Loop Video' 1 2>/dev/null && echo back"
    trial.until("gone: the node lets go, and it is back", lambda: "back" in trial.machine.run(back))
    trial.play(*film.SHOWN[2])
    trial.shows("the board is read", *film.SHOWN[2])


def frames(trial):
    """The device is there and sends nothing."""
    trial.do("film set /dev/video0 'Percentage of Dropped Buffers' 100")
    trial.says("it sends nothing: the node says so", "camera-unavailable", "sent no picture for")
    trial.do("film set /dev/video0 'Percentage of Dropped Buffers' 0")
    trial.well("it sends again")


def other(trial):
    """Another camera in its place has another format; then the first one again."""
    trial.stop_playing()
    trial.machine.run("echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind")
    trial.until("the driver is let go", lambda: "gone" in trial.machine.run("rmmod vivid 2>/dev/null && echo gone"))
    trial.plug(kind=0)
    trial.says("another size: the node says which", "camera-unavailable", "delivers pictures of 640 × 480: expected 720 × 576")
    trial.machine.run("echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind")
    trial.until("it is pulled out", lambda: "gone" in trial.machine.run("rmmod vivid 2>/dev/null && echo gone"))
    trial.plug()
    trial.play(*film.SHOWN[0])
    trial.well("the first one again")


def formats(trial):
    """Each format that a device may have."""
    for word in ["nv12", "rgb", "bgr", "uyvy", "yuyv"]:
        trial.stop()
        trial.start(f'{{ kind = "v4l2", device = "/dev/video0", format = "{word}", exposure = "20ms", controls = {{ brightness = 120 }} }}')
        said = f"format {word}: pictures arrive"
        before = trial.heard.pictures
        trial.until(said, lambda: trial.heard.pictures > before)
    log = trial.machine.run("grep -c 'control auto_exposure' /tmp/log; grep -c 'control brightness' /tmp/log").split()
    if log != ["5", "0"]:
        raise Failed(f"one warning a start of a control that it lacks, none of one that it has: {log}")


def doctor(trial):
    """What an installer is told."""
    trial.stop()
    said = trial.machine.run("yobiban doctor --config /tmp/etc/camera.toml 2>&1", 60)
    for wanted in ["has the formats", "YUYV", f"a picture of {film.WIDTH} × {film.HEIGHT} after"]:
        if wanted not in said:
            raise Failed(f"doctor does not say {wanted!r}: {said}")
    trial.seen("doctor tells formats and takes a picture", 0)


SCENARIOS = [board, gone, disconnect, frames, other, formats, doctor]


def main():
    arch, qemu, kernel, work, *names = sys.argv[1:]
    chosen = [s for s in SCENARIOS if not names or s.__name__ in names]
    begin = time.monotonic()
    trial = None
    try:
        trial = Trial(arch, qemu, kernel, work)
        if board not in chosen:
            trial.plug()
            trial.play(*film.SHOWN[0])
            trial.start(DEVICE)
        for scenario in chosen:
            print(f"{scenario.__name__}: {scenario.__doc__.strip().splitlines()[0]}", flush=True)
            scenario(trial)
        wrong = trial.machine.run("grep panicked /tmp/log")
        if wrong:
            raise Failed(wrong)
    except Failed as failed:
        print(f"FAILED {failed}", flush=True)
        sys.exit(1)
    finally:
        if trial:
            trial.close()
    print(f"all as it should be: {len(chosen)} scenarios, {time.monotonic() - begin:.0f} s")


main()
