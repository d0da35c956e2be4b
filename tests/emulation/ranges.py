"""Serves one file to this computer, any part of it: `ranges.py PORT FILE`. Updates ask for parts."""

import http.server
import pathlib
import re
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, body):
        size = FILE.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2]), size - 1) if asked and asked[2] else size - 1
        if self.path != f"/{FILE.name}":
            return self.send_error(404)
        if first > last:
            return self.send_error(416)
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if not body:
            return
        left = last - first + 1
        with FILE.open("rb") as file:
            file.seek(first)
            while left:
                piece = file.read(min(left, 1 << 20))
                self.wfile.write(piece)
                left -= len(piece)

    def log_message(self, *args):
        pass


FILE = pathlib.Path(sys.argv[2])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
