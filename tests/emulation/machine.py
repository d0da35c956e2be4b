"""An emulated machine: started, spoken to, its display looked at."""

import json
import os
import pathlib
import socket
import struct
import subprocess
import time


class Failed(Exception):
    """Something is not as it should be."""


class Line:
    """A local socket that is read up to a mark."""

    def __init__(self, path, limit):
        end = time.monotonic() + limit
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > end:
                    raise Failed(f"{path} does not answer") from None
                time.sleep(0.02)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)

    def line(self, limit):
        end = time.monotonic() + limit
        while b"\n" not in self.rest:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise Failed(f"no answer within {limit} s; so far {self.rest[-300:]!r}") from None
            if not data:
                raise Failed("the machine has ended")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.rstrip(b"\r").decode(errors="replace")

    def exactly(self, count):
        while len(self.rest) < count:
            self.socket.settimeout(10)
            data = self.socket.recv(65536)
            if not data:
                raise Failed("the line was closed")
            self.rest += data
        found, self.rest = self.rest[:count], self.rest[count:]
        return found


class Monitor:
    """The cable of one head: what its user does with a window, a user does with a monitor."""

    def __init__(self, path):
        line = self.line = Line(path, 10)
        line.exactly(12)
        line.send(b"RFB 003.008\n")
        line.exactly(line.exactly(1)[0])
        line.send(b"\x01")  # no password
        if line.exactly(4) != b"\0\0\0\0":
            raise Failed("the head's line was refused")
        line.send(b"\x01")
        line.exactly(20)
        line.exactly(struct.unpack(">I", line.exactly(4))[0])

    def resize(self, width, height):
        """Another preferred size, as if the monitor were exchanged; 0 × 0 pulls the cable."""
        screen = struct.pack(">IHHHHI", 0, 0, 0, width, height, 0)
        self.line.send(struct.pack(">BxHHBx", 251, width, height, 1) + screen)


class Machine:
    """QEMU with a virtio display (or none), a serial line and a network to this computer only.

    Where time is virtual, a nanosecond passes with each instruction, and no time while there is
    nothing to do but wait: whatever else this computer does, the machine notices nothing of it. Nor
    does it wait for anybody outside: hours may pass for it between two lines that it is sent.
    """

    def __init__(self, arch, qemu, kernel, work, display=None, heads=1, devices=(), virtual=False):
        self.work = pathlib.Path(work)
        self.picture = self.work / "glass.ppm"
        self.heads = heads
        # The paths of sockets are short by law.
        self.sockets = pathlib.Path(f"/tmp/yobiban-emulation-{os.getpid()}")
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        for old in self.sockets.iterdir():
            old.unlink()
        serial, control = self.sockets / "serial", self.sockets / "control"
        machine = {
            "amd64": ["-M", "q35", "-cpu", "max", "-vga", "none"],
            "arm64": ["-M", "virt", "-cpu", "cortex-a72"],
        }[arch]
        console = {"amd64": "ttyS0", "arm64": "ttyAMA0"}[arch]
        command = [
            qemu, *machine, "-m", "640", "-no-reboot", "-nodefaults",
            "-display", "none",
            "-chardev", f"socket,id=serial,path={serial},server=on,wait=on",
            "-serial", "chardev:serial",
            "-qmp", f"unix:{control},server=on,wait=off",
            "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
            "-kernel", str(kernel), "-initrd", str(self.work / "initrd"),
            "-append", f"console={console} quiet loglevel=0 panic=1",
        ]
        if virtual:
            command += ["-smp", "1", "-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]
        else:
            command += ["-smp", "2"]
        command += devices
        if display:
            command += ["-device", f"virtio-gpu-pci,id=gpu,max_outputs={heads},{display}"]
        for head in range(heads if display else 0):
            command += ["-vnc", f"unix:{self.sockets}/head{head},display=gpu,head={head}"]
        self.log = open(self.work / "qemu.log", "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.started = time.monotonic()
        try:
            self.serial = Line(serial, 10)
            self.control = Line(control, 10)
            self.control.line(10)
            self.ask("qmp_capabilities")
        except Failed as failed:
            log = (self.work / "qemu.log").read_text(errors="replace")
            self.close()
            raise Failed(f"{failed}: {log}") from None

    def ask(self, what, **arguments):
        self.control.send(json.dumps({"execute": what, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self.control.line(20))
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise Failed(f"{what}: {answer['error']['desc']}")

    def ready(self, limit):
        while self.serial.line(limit) != "@ready":
            pass

    def run(self, line, limit=60, heard=None):
        """A line for the machine's shell; what it printed, which `heard` is told as it comes."""
        self.serial.send(line.encode() + b"\n")
        said = []
        while True:
            answer = self.serial.line(limit)
            if answer.startswith("@done "):
                return "\n".join(said)
            said.append(answer)
            if heard:
                heard(answer)

    def write(self, path, text):
        """A file in the machine, a line at a time: its terminal takes no long ones."""
        self.run(f": >{path}")
        for line in text.splitlines():
            quoted = line.replace("'", "'\\''")
            self.run(f"echo '{quoted}' >>{path}")

    def glass(self, head=0):
        """What is on the glass: width, height, and red, green, blue of every pixel."""
        where = {"device": "gpu", "head": head} if self.heads > 1 else {}
        self.ask("screendump", filename=str(self.picture), **where)
        data = self.picture.read_bytes()
        kind, size, most, pixels = data.split(b"\n", 3)
        if (kind, most) != (b"P6", b"255"):
            raise Failed(f"not a picture: {data[:20]!r}")
        width, height = map(int, size.split())
        return width, height, pixels

    def plug(self, head=0):
        return Monitor(self.sockets / f"head{head}")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        for left in self.sockets.iterdir():
            left.unlink()
        self.sockets.rmdir()
