"""Pictures as bytes: read, turned, compared. Only the standard library."""

import struct
import zlib


def read_png(path):
    """Width, height, and red, green, blue of every pixel of an unfiltered or filtered PNG."""
    data = open(path, "rb").read()
    at, packed, palette = 8, b"", b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        at += 12 + length
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            packed += body
    channels = {2: 3, 3: 1}[color]
    stride = (width * channels * depth + 7) // 8
    step = max(1, channels * depth // 8)
    rows = unfilter(zlib.decompress(packed), stride, step)
    if color == 2:
        return width, height, b"".join(rows)
    if depth < 8:
        each = 8 // depth
        split = [bytes((b >> (8 - depth * (i + 1))) & ((1 << depth) - 1) for i in range(each)) for b in range(256)]
        rows = (b"".join([split[b] for b in row])[:width] for row in rows)
    indices = b"".join(rows)
    pixels = bytearray(3 * width * height)
    for channel in range(3):
        table = palette[channel::3]
        pixels[channel::3] = indices.translate(table + bytes(256 - len(table)))
    return width, height, bytes(pixels)


def unfilter(data, stride, step):
    before = bytearray(stride)
    for start in range(0, len(data), stride + 1):
        kind, row = data[start], bytearray(data[start + 1:start + 1 + stride])
        if kind == 2:
            for i in range(stride):
                row[i] = (row[i] + before[i]) & 255
        elif kind != 0:
            for i in range(stride):
                a = row[i - step] if i >= step else 0
                b, c = before[i], before[i - step] if i >= step else 0
                if kind == 1:
                    add = a
                elif kind == 3:
                    add = (a + b) // 2
                else:
                    p = a + b - c
                    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
                    add = a if pa <= pb and pa <= pc else b if pb <= pc else c
                row[i] = (row[i] + add) & 255
        before = row
        yield bytes(row)


def write_png(path, picture):
    width, height, pixels = picture
    rows = b"".join(b"\0" + pixels[y * width * 3:(y + 1) * width * 3] for y in range(height))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    whole = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + whole)


def turn(picture, degrees):
    """The picture turned to the right."""
    width, height, pixels = picture
    if degrees == 0:
        return picture
    planes = [pixels[channel::3] for channel in range(3)]
    if degrees == 180:
        turned, size = [plane[::-1] for plane in planes], (width, height)
    else:
        columns = range(width) if degrees == 90 else range(width - 1, -1, -1)
        order = -1 if degrees == 90 else 1
        turned = [b"".join(plane[x::width][::order] for x in columns) for plane in planes]
        size = (height, width)
    result = bytearray(len(pixels))
    for channel in range(3):
        result[channel::3] = turned[channel]
    return (*size, bytes(result))


def differ(a, b):
    """How many pixels differ; None when the sizes do."""
    if a[:2] != b[:2]:
        return None
    if a[2] == b[2]:
        return 0
    return sum(a[2][i:i + 3] != b[2][i:i + 3] for i in range(0, len(a[2]), 3))


def colours(picture):
    """The different colours of a picture, at most three of them."""
    _, _, pixels = picture
    found = set()
    for i in range(0, len(pixels), 3):
        found.add(pixels[i:i + 3])
        if len(found) > 2:
            break
    return found
