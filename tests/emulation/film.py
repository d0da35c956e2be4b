"""An old board as a camera sees it: seven-segment digits on a dark board before a wall.

    film.py FOLDER     writes FOLDER/film-TICKET-COUNTER, pictures as a device codes them
    film.py TICKET-COUNTER PICTURE.ppm     one of them to look at

Made of rectangles only, so that rows are a few runs of one colour each.
"""

import pathlib
import sys

WIDTH, HEIGHT = 720, 576  # PAL, as the S-Video input of vivid has it
LEFT, TOP, RIGHT, BOTTOM = 120, 110, 600, 470  # the board
WALL, BOARD, LIT = (118, 120, 116), (16, 17, 20), (236, 60, 40)
SHOWN = [("583", "4"), ("584", "2"), ("585", "7")]

SEGMENTS = {  # top, upper left, upper right, middle, lower left, lower right, bottom
    "0": "tlrLRb", "1": "rR", "2": "trmLb", "3": "trmRb", "4": "lrmR",
    "5": "tlmRb", "6": "tlmLRb", "7": "trR", "8": "tlrmLRb", "9": "tlrmRb",
}
TALL, WIDE, THICK, GAP, PITCH = 110, 60, 13, 3, 84

# Left and top of the last digit, and how many digits there is room for.
TICKET, COUNTER = (480, 140, 3), (480, 310, 2)


def segments(digit, left, top):
    """The lit rectangles of a digit: left, top, right, bottom."""
    right, bottom, middle = left + WIDE, top + TALL, top + TALL // 2
    across = (left + THICK + GAP, right - THICK - GAP)
    upper = (top + THICK // 2 + GAP, middle - GAP)
    lower = (middle + GAP, bottom - THICK // 2 - GAP)
    places = {
        "t": (across[0], top, across[1], top + THICK),
        "m": (across[0], middle - THICK // 2, across[1], middle + THICK // 2 + 1),
        "b": (across[0], bottom - THICK, across[1], bottom),
        "l": (left, upper[0], left + THICK, upper[1]),
        "r": (right - THICK, upper[0], right, upper[1]),
        "L": (left, lower[0], left + THICK, lower[1]),
        "R": (right - THICK, lower[0], right, lower[1]),
    }
    return [places[s] for s in SEGMENTS[digit]]


def rows(ticket, counter):
    """Every row as runs of a colour: end, colour."""
    lit = []
    for text, (left, top, _) in [(ticket, TICKET), (counter, COUNTER)]:
        for i, digit in enumerate(reversed(text)):
            lit += segments(digit, left - i * PITCH, top)
    for y in range(HEIGHT):
        runs = [(WIDTH, WALL)]
        if TOP <= y < BOTTOM:
            runs = [(LEFT, WALL)]
            for left, top, right, bottom in sorted(lit):
                if top <= y < bottom:
                    runs += [(left, BOARD), (right, LIT)]
            runs += [(RIGHT, BOARD), (WIDTH, WALL)]
        yield runs


def rectangle(place):
    """Where a field is, with room around it, as shares of the board."""
    left, top, places = place
    left -= (places - 1) * PITCH
    room = 16
    x, y = left - room, top - room
    w, h = (places - 1) * PITCH + WIDE + 2 * room, TALL + 2 * room
    shares = ((x - LEFT) / (RIGHT - LEFT), (y - TOP) / (BOTTOM - TOP), w / (RIGHT - LEFT), h / (BOTTOM - TOP))
    return "[" + ", ".join(f"{share:.4f}" for share in shares) + "]"


def corners():
    return f"[[{LEFT}, {TOP}], [{RIGHT}, {TOP}], [{RIGHT}, {BOTTOM}], [{LEFT}, {BOTTOM}]]"


def yuyv(ticket, counter):
    """Two pixels in four bytes, BT.601."""
    def pair(colour):
        r, g, b = (c / 255 for c in colour)
        y = 0.299 * r + 0.587 * g + 0.114 * b
        u, v = (b - y) / 1.772, (r - y) / 1.402
        luma, u, v = round(16 + 219 * y), round(128 + 224 * u), round(128 + 224 * v)
        return bytes([luma, u, luma, v])
    pairs = {colour: pair(colour) for colour in (WALL, BOARD, LIT)}
    picture = bytearray()
    for runs in rows(ticket, counter):
        row, x = bytearray(), 0
        for end, colour in runs:
            # A run may begin within a pair: its first pixel has the colour of the pair before.
            count = end - x
            row += (pairs[colour] * (count // 2 + 1))[: 2 * count] if x % 2 == 0 else \
                (pairs[colour][2:] + pairs[colour] * (count // 2 + 1))[: 2 * count]
            x = end
        picture += row
    return bytes(picture)


def ppm(ticket, counter):
    picture = bytearray(f"P6 {WIDTH} {HEIGHT} 255\n".encode())
    for runs in rows(ticket, counter):
        x = 0
        for end, colour in runs:
            picture += bytes(colour) * (end - x)
            x = end
    return bytes(picture)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        pathlib.Path(sys.argv[2]).write_bytes(ppm(*sys.argv[1].split("-")))
    else:
        for shown in SHOWN:
            (pathlib.Path(sys.argv[1]) / ("film-" + "-".join(shown))).write_bytes(yuyv(*shown))
