#!/usr/bin/env python3
"""Examine an export of the call log's event chain, without ari-agent and without its database.

usage: verify_chain.py EXPORT [--anchors FILE --key PUBLIC.pub [--stamps FOLDER --ca FILE]]

EXPORT is what psql has written, either way (a file ending in .csv, or one JSON object a line):

    \\copy (SELECT * FROM ari_agent.v_kette ORDER BY nummer) TO 'kette.csv' WITH (FORMAT csv, HEADER)
    psql -At -c 'SELECT row_to_json(k) FROM ari_agent.v_kette AS k ORDER BY nummer' > kette.jsonl

Its first line is the beginning of the chain: its id, and the hash that the first event follows. Every other line is an
event: SHA-256 over the 32 bytes of the hash before and the UTF-8 text of the column `inhalt` has to be its `hash`, and
numbers have no gap. With --anchors, the signed anchors (log.anchors) and the public key beside log.anchor_key, the end
of the chain and what was computed anew is examined too. Old events are forgotten after their time, up to an anchor: a
chain that begins later has to have an anchor of the number and hash that its first event follows, at least 180 days
older than the event in which the chain says so.

With --stamps, the folder of the anchors' time stamps (log.stamps), and --ca, the certificates that vouch for the
authority (PEM), `openssl ts -verify` examines every stamp. An anchor without one is made up for by a newer one that
has.

Needs Python 3.9 and nothing else; stamps need openssl 1.1.1 or later. Exit status: 0 as written, 2 not, or the export
cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import calendar
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path

csv.field_size_limit(1 << 24)
LEAST_S = 180 * 86400
EARLY_S = 300
C = {**os.environ, "LC_ALL": "C"}


def lines_of(path):
    """Yield (number, content, hash) of every line of an export."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file) if path.endswith(".csv") else map(json.loads, filter(str.strip, file))
        for row in rows:
            yield int(row["nummer"]), row["inhalt"], bytes.fromhex(row["hash"])


def examine(lines, anchors):
    """Return (number of the first event, of the last, faults as (number, sentence)); anchors as of anchors_of."""
    faults = []
    beginning = next(lines, None)
    if beginning is None:
        return 0, 0, [(0, "the export is empty")]
    last, chain, before = beginning
    first = last + 1
    if first == 1 and before != hashlib.sha256(f"ari-agent chain {uuid.UUID(chain)}".encode()).digest():
        faults.append((0, "the beginning does not belong to the id of the chain"))
    anchored = {number for _, number, _, _ in anchors}
    seen, forgotten = {last: before}, {}
    for number, content, digest in lines:
        if number > last + 1:
            faults.append((last + 1, f"{number - last - 1} events are missing"))
        elif number <= last:
            faults.append((number, "the number was there before"))
        elif hashlib.sha256(before + content.encode()).digest() != digest:
            faults.append((number, "this event or the one before was changed"))
        elif json.loads(content)[0] != number:
            faults.append((number, "the content has another number"))
        elif json.loads(content)[6:8] == ["system", "events-forgotten"]:
            forgotten[json.loads(content)[8]["last"]] = json.loads(content)[5] / 1e6
        if number in anchored:
            seen[number] = digest
        last, before = number, digest
    if first > 1 and anchors and not stands_for_it(first - 1, seen[first - 1], chain, forgotten, anchors):
        faults.append((first, f"{first - 1} events before are missing, and no anchor says that their time was over"))
    good = first
    for of, number, digest, _ in anchors:
        if of != chain:
            faults.append((number, "there is an anchor of another chain"))
        elif number > last:
            faults.append((last + 1, f"the end is missing: there is an anchor of event {number}"))
        elif number >= first - 1 and seen.get(number) != digest:
            faults.append((good, f"changed from here to event {number}, and computed anew"))
        elif number >= first - 1:
            good = number + 1
    return first, last, faults


def stands_for_it(number, digest, chain, forgotten, anchors):
    """Return whether an anchor confirms what the first event follows, and is old enough for that."""
    return any(
        (of, last, confirmed) == (chain, number, digest) and forgotten.get(number, 0.0) - at >= LEAST_S
        for of, last, confirmed, at in anchors
    )


def anchors_of(path, key):
    """Return the signed anchors as (chain, number, hash, seconds since 1970), and a fault for every other line."""
    found, faults = [], []
    with Path(path).open(encoding="utf-8") as file:
        for line in filter(str.strip, file):
            one = json.loads(line)
            if ed25519_holds(key, text_of(one), base64.b64decode(one["signature"])):
                at = datetime.fromisoformat(one["at"]).timestamp()
                found.append((one["chain"], int(one["number"]), bytes.fromhex(one["hash"]), at))
            else:
                faults.append((int(one["number"]), "the signature of this anchor is wrong"))
    return found, faults


def stamps_of(path, folder, ca):
    """Return (how many anchors are stamped, number of the newest of them, faults of those that are stamped wrongly)."""
    good, newest, faults = 0, 0, []
    with Path(path).open(encoding="utf-8") as file:
        anchors = [json.loads(line) for line in filter(str.strip, file)]
    for one in anchors:
        text = text_of(one)
        stamp = Path(folder) / f"{one['number']}-{hashlib.sha256(text).hexdigest()[:16]}.tsr"
        if not stamp.exists():
            continue
        if stamp_holds(stamp, text, ca, datetime.fromisoformat(one["at"]).timestamp()):
            good, newest = good + 1, max(newest, int(one["number"]))
        else:
            faults.append((int(one["number"]), "the time stamp of this anchor is wrong"))
    return good, newest, faults


def stamp_holds(stamp, text, ca, at):
    """Return whether an authority stamped the text, its certificate good at that time, and not before it was made."""
    told = openssl("ts", "-reply", "-in", str(stamp), "-text")
    found = re.search(r"^Time stamp: (\w+ +\d+ [\d:]+)(?:\.\d+)? (\d+)", told, re.MULTILINE)
    if not found:
        return False
    seen = calendar.timegm(time.strptime(" ".join(found.groups()), "%b %d %H:%M:%S %Y"))
    with tempfile.NamedTemporaryFile() as data:
        data.write(text)
        data.flush()
        told = openssl("ts", "-verify", "-in", str(stamp), "-data", data.name, "-CAfile", ca, "-attime", str(seen))
    return "Verification: OK" in told and seen >= at - EARLY_S


def openssl(*words):
    """Return what openssl writes."""
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, timeout=60, env=C, check=False)
    return done.stdout + done.stderr


def text_of(anchor):
    """Return what an anchor's signature and time stamp are over."""
    parts = (anchor[part] for part in ("chain", "number", "hash", "at"))
    return "\n".join(["ari-agent anchor 1", *map(str, parts), ""]).encode()


def public_key_of(path):
    """Return the 32 bytes of an Ed25519 key in PEM (SubjectPublicKeyInfo, RFC 8410)."""
    with Path(path).open(encoding="ascii") as file:
        der = base64.b64decode("".join(line for line in file.read().splitlines() if not line.startswith("-")))
    if len(der) != 44 or der[:12] != bytes.fromhex("302a300506032b6570032100"):
        raise ValueError(f"{path} holds no Ed25519 key")
    return der[12:]


# Ed25519 as in RFC 8032, section 6: points are (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def added(a, b):
    """Return the sum of two points."""
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    o, p = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, p - o, p + o, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor, point):
    """Return a point added to itself so often."""
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = added(total, point)
        point = added(point, point)
        factor >>= 1
    return total


def same(a, b):
    """Return whether two points are one."""
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def x_of(y, sign):
    """Return the x of a point, None when there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if (x & 1) != sign else x


def point_of(text):
    """Return the point that 32 bytes stand for, None when they stand for none."""
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = x_of(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def ed25519_holds(key, text, signature):
    """Return whether a signature of a text was made with the private half of a public key."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = point_of(key), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % Q
    return same(times(s, BASE), added(r, times(h, a)))


def main():
    """Examine what the command line names and print what was found."""
    parser = argparse.ArgumentParser(description="Examine an export of the call log's event chain.")
    parser.add_argument("export", help="kette.csv or kette.jsonl")
    parser.add_argument("--anchors", help="file with the signed anchors")
    parser.add_argument("--key", help="public key of the anchors, PEM")
    parser.add_argument("--stamps", help="folder with the anchors' time stamps")
    parser.add_argument("--ca", help="certificates that vouch for the authority, PEM")
    options = parser.parse_args()
    if bool(options.anchors) != bool(options.key):
        parser.error("--anchors and --key belong together")
    if bool(options.stamps) != bool(options.ca) or (options.stamps and not options.anchors):
        parser.error("--stamps and --ca belong together, and to --anchors")
    try:
        anchors, faults = anchors_of(options.anchors, public_key_of(options.key)) if options.anchors else ([], [])
        first, last, found = examine(lines_of(options.export), anchors)
        stamped = stamps_of(options.anchors, options.stamps, options.ca) if options.stamps else None
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as e:
        sys.stderr.write(f"cannot be read: {e}\n")
        return 2
    if stamped:
        faults = [*faults, *stamped[2]]
        sys.stdout.write(f"time stamps: {stamped[0]}, the newest of event {stamped[1]}\n")
    for number, sentence in [*found, *faults]:
        sys.stdout.write(f"event {number}: {sentence}\n")
    unknown = "the end" if first <= 1 else "beginning and end"
    confirmed = f", {len(anchors)} anchors" if anchors else f", no anchors: {unknown} may be cut off"
    sys.stdout.write(f"events {first} to {last}{confirmed}: {'NOT as written' if found or faults else 'as written'}\n")
    return 2 if found or faults else 0


if __name__ == "__main__":
    sys.exit(main())
