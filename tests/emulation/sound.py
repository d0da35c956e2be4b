"""What a loudspeaker must play, also after it was away. Called by `sound`."""

import array
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import wave

from machine import Failed, Machine

# What is recorded of four calls, 192 kB a second.
DISK = 64 * 1024 * 1024
# Seconds of this computer between two lines, however busy it is; a quiet one takes a tenth of it.
LIMIT = 600
# Samples of the recorder's buffer, as `sound.sh` asks for it: four seconds.
RING = 192_000
# Silence that the player sends after the last sample of a device that it lets go.
AFTER = 4_800
# A quarter of the player's buffer. When the player is done, the loop's last step goes on to the end of
# such a period; what it should clear behind the last sample, it clears before it (`copy_play_buf` in the
# kernel's aloop.c). There the recorder's buffer still holds what it held one turn before.
PERIOD = 2_880

# The first one's sentence is made while its chime sounds; those of the others were made before.
RECORDED = [("first", "A042"), ("plain", "A042"), ("back", "A043"), ("after", "A143"), ("open", "A044")]


def wanted(program, dictionary, ticket, folder, *more):
    """What the same program makes of the call here."""
    out = folder / f"{ticket}.wav"
    subprocess.run(
        [program, "say", ticket, "--counter", "3", "--lang", "ja", "--dictionary", dictionary, "--out", str(out), *more],
        check=True,
    )
    with wave.open(str(out)) as file:
        return array.array("h", file.readframes(file.getnframes()))


def recorded(tar, name):
    """One channel of what the other end heard; both must be the same."""
    data = tar.extractfile(f"heard/{name}.raw").read()
    samples = array.array("h", data[: len(data) // 4 * 4])
    if samples[0::2] != samples[1::2]:
        raise Failed(f"{name}: left and right differ")
    return samples[0::2]


def made_late(heard, spoken, sentence):
    """What is to be heard where the sentence was made while the chime sounded: a slow machine may be
    late, with silence until then. Returns that, and the samples that it was late."""
    first = next((i for i, sample in enumerate(heard) if sample), 0)
    begin = first - next(i for i, sample in enumerate(spoken) if sample)
    before = len(spoken) - len(sentence)
    at = begin + before + next(i for i, sample in enumerate(sentence) if sample)
    late = next((i for i, sample in enumerate(heard[at:]) if sample), 0)
    return spoken[:before] + array.array("h", bytes(2 * late)) + sentence, late


def compare(name, heard, spoken):
    """Every sample in its place, and silence before and after."""
    first = next((i for i, sample in enumerate(heard) if sample), None)
    if first is None:
        raise Failed(f"{name}: nothing was heard")
    begin = first - next(i for i, sample in enumerate(spoken) if sample)
    end = begin + len(spoken)
    if begin < 0 or heard[begin:end] != spoken:
        pairs = zip(heard[max(begin, 0) :], spoken)
        same = next((i for i, (a, b) in enumerate(pairs) if a != b), "the end")
        raise Failed(f"{name}: {len(spoken)} samples spoken, heard alike up to {same}")
    rest = range(end + AFTER, end + AFTER + PERIOD)
    old = 0
    for i in range(end, len(heard)):
        if heard[i] == 0:
            continue
        if i not in rest or heard[i] != heard[i - RING]:
            raise Failed(f"{name}: sample {i - end} after the end is {heard[i]}, not silence")
        old += 1
    return f"{name}: {len(spoken)} samples, each in its place" + (f"; {old} of the recorder's own" if old else "")


def record(machine):
    try:
        machine.ready(LIMIT)
        said = machine.run("sound.sh", LIMIT, lambda line: print(f"  {line}", flush=True))
    finally:
        machine.close()
    if "all recorded" not in said:
        raise Failed("not all was recorded")


def main():
    arch, program, dictionary, qemu, kernel, work = sys.argv[1:]
    begin = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="yobiban-sound-"))
    disk = folder / "disk"
    with open(disk, "wb") as file:
        file.truncate(DISK)
    drive = ["-drive", f"file={disk},if=none,id=disk,format=raw", "-device", "virtio-blk-pci,drive=disk"]
    try:
        record(Machine(arch, qemu, kernel, work, devices=drive, virtual=True))
        with tarfile.open(disk) as tar:
            for name, ticket in RECORDED:
                heard = recorded(tar, name)
                spoken = wanted(program, dictionary, ticket, folder)
                note = ""
                if name == "first":
                    sentence = wanted(program, dictionary, ticket, folder, "--no-chime")
                    spoken, late = made_late(heard, spoken, sentence)
                    note = f"; the sentence {late / 48:.0f} ms late"
                print(f"  {compare(name, heard, spoken)}{note}", flush=True)
    except Failed as failed:
        print(f"FAILED {failed}; see {folder}", flush=True)
        sys.exit(1)
    shutil.rmtree(folder)
    print(f"all as it should be: {len(RECORDED)} announcements in {time.monotonic() - begin:.0f} s")


main()
