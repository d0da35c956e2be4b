"""Holds the hub's open data against published schemas and other readers.

Usage: check.py http://127.0.0.1:PORT. Prints what was looked at; ends with 1 at the first finding.
"""
import csv
import io
import json
import pathlib
import sys
import urllib.request

import jsonschema
import referencing
from referencing.jsonschema import DRAFT202012

BASE = sys.argv[1]
HERE = pathlib.Path(__file__).parent / "queuemonitor"


def get(path):
    with urllib.request.urlopen(BASE + path) as answer:
        return answer.read()


def load(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def validator():
    schema, common = load("schema.json"), load("common-schema.json")
    registry = referencing.Registry().with_resources(
        (s["$id"], DRAFT202012.create_resource(s)) for s in (schema, common)
    )
    return jsonschema.Draft202012Validator(
        schema, registry=registry, format_checker=jsonschema.FormatChecker()
    )


def plain(entity):
    """A normalised entity as key-values, by the NGSI-LD rules."""
    out = {}
    for name, attribute in entity.items():
        if name in ("id", "type", "@context"):
            out[name] = attribute
            continue
        assert attribute["type"] == "Property", (name, attribute)
        assert set(attribute) <= {"type", "value", "observedAt", "unitCode"}, attribute
        out[name] = attribute["value"]
    return out


monitor = validator()
# The schema can fail: a status that the model does not know.
assert not monitor.is_valid({"id": "urn:x:y", "type": "QueueMonitor", "serviceStatus": "Resting"})
normal = json.loads(get("/ngsi-ld/v1/entities?type=QueueMonitor"))
values = json.loads(get("/ngsi-ld/v1/entities?type=QueueMonitor&options=keyValues"))
assert len(normal) == len(values) == 30, len(normal)
for full, short in zip(normal, values):
    monitor.validate(short)
    monitor.validate(plain(full))
    assert plain(full) == short, (full, short)
    assert full["@context"][-1].startswith("https://uri.etsi.org/ngsi-ld/")
print(f"{len(normal)} entities, normalised and key-values, are valid")

for path, least in [
    ("/opendata/congestion.csv", 30),
    ("/opendata/calls/2026-11-24.csv", 1),
    ("/opendata/calls/2026-11-23.csv", 200),
    ("/opendata/waits/2026-11-23.csv", 200),
    ("/opendata/usual.csv", 1000),
]:
    raw = get(path)
    text = raw.decode("utf-8")
    assert text.endswith("\r\n"), path
    # RFC 4180: lines end in CR LF, quotes are doubled, every line has as many fields.
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(rows) > least, (path, len(rows))
    assert {len(row) for row in rows} == {len(rows[0])}, path
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    assert written.getvalue() == text, f"{path}: another writer writes it differently"
    print(f"{path}: {len(rows) - 1} rows, read and written again without a difference")
calls = list(csv.DictReader(io.StringIO(get("/opendata/calls/2026-11-24.csv").decode(), newline="")))
assert calls[0]["ticket"] == '=1+"1,', calls[0]
