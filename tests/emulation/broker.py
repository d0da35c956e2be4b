"""Mosquitto on this computer, which the emulated machine reaches as 10.0.2.2."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from machine import Failed


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Broker:
    """A broker of its own on a free port, open to everybody on this computer."""

    def __init__(self, folder, name="mosquitto"):
        self.port = free_port()
        settings = pathlib.Path(folder) / f"{name}.conf"
        settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen([program, "-c", str(settings)], stdin=quiet, stdout=quiet, stderr=quiet)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                if time.monotonic() > end:
                    raise Failed("the broker does not answer") from None
                time.sleep(0.02)

    def publish(self, topic, text):
        """A message that the broker keeps."""
        subprocess.run(
            ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-r", "-t", topic, "-m", text],
            check=True,
        )

    def hang(self):
        """Takes bytes and answers nothing, until it goes on."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.process.kill()
        self.process.wait()
