"""Runs state and block tests through geth's `evm` and through balsa with --trace, and compares the lines.

Usage: compare.py EVM BALSA FOLDER [FILES [ONLY]], where FOLDER holds the packs, FILES is how many files of each kind are
taken, and ONLY is statetest or blocktest. Differences are counted by what differs; the run fails if one is not known.
"""

import collections
import hashlib
import heapq
import itertools
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading

FILE_BYTES_MAX = 1 << 20
LINES_MAX = 400_000
SECONDS_MAX = 60
FORKS_MAX = 4

# Pack, part of the path, share of the files.
SOURCES = {
    "statetest": [
        ("ethereum-tests", "GeneralStateTests/", 4),
        ("legacytests", "Constantinople/GeneralStateTests/", 2),
        ("legacytests", "Cancun/GeneralStateTests/", 3),
        ("amst-state-dev", "", 1),
    ],
    "blocktest": [
        ("ethereum-tests", "BlockchainTests/", 3),
        ("legacytests", "Constantinople/BlockchainTests/", 2),
        ("legacytests", "Cancun/BlockchainTests/", 2),
        ("mainnet-prague-bc", "", 1),
        ("mainnet-osaka-bc", "", 2),
    ],
}


def sample(folder, kind, count):
    """(name, bytes) of about `count` files: those whose names have the smallest hashes, the same in every run."""
    shares = sum(share for _, _, share in SOURCES[kind])
    for pack, sources in itertools.groupby(SOURCES[kind], key=lambda source: source[0]):
        wanted = {part: (max(1, count * share // shares), []) for _, part, share in sources}
        path = os.path.join(folder, pack + ".tar.zst")
        unpack = subprocess.Popen(["zstd", "-dc", "--long=27", path], stdout=subprocess.PIPE)
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
            for entry in archive:
                if not entry.isfile() or not entry.name.endswith(".json") or entry.size > FILE_BYTES_MAX:
                    continue
                name = entry.name.removeprefix("./")
                rank = -int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
                for part, (most, heap) in wanted.items():
                    if name.endswith("index.json") or not (name.startswith(part) if part else True):
                        continue
                    if len(heap) < most:
                        heapq.heappush(heap, (rank, name, archive.extractfile(entry).read()))
                    elif heap and rank > heap[0][0]:
                        heapq.heapreplace(heap, (rank, name, archive.extractfile(entry).read()))
        if unpack.wait() != 0:
            sys.exit(f"{path}: cannot be read")
        for _, heap in wanted.values():
            for _, name, content in sorted(heap, reverse=True):
                yield f"{pack}/{name}", content


def runs(kind, content):
    """What is run of a file: the arguments that select it."""
    for name, test in json.loads(content).items():
        select = ["--run", "^" + re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", name) + "$"]
        if kind == "blocktest":
            if "blocks" in test:
                yield name, select
            continue
        forks = sorted(test.get("post", {}), key=lambda fork: hashlib.sha256((name + fork).encode()).digest())
        for fork in forks[:FORKS_MAX]:
            yield f"{name}[{fork}]", [*select, "--statetest.fork", fork]


class Lines:
    """The lines of JSON that a program writes to standard error, as many as are looked at."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.timer = threading.Timer(SECONDS_MAX, self.process.kill)
        self.timer.start()

    def __iter__(self):
        return (line.rstrip("\n") for line in self.process.stderr if line.startswith("{"))

    def close(self):
        self.process.kill()
        self.process.stderr.close()
        self.process.wait()
        self.timer.cancel()


def words(line):
    """The error of a line without its numbers."""
    return re.sub(r"0x[0-9a-f]+|\d+", "N", line.get("error", "no error"))


# The withdrawn EVM Object Format's instructions, which evm still has names for.
EOF_NAMES = "DATALOADN? DATASIZE DATACOPY RJUMP[IV]? CALLF RETF JUMPF DUPN SWAPN EXCHANGE EOFCREATE RETURNCONTRACT RETURNDATALOAD EXT\\w*CALL"
EOF_NAME = re.compile("(invalid opcode: )?(" + EOF_NAMES.replace(" ", "|") + ")$")


def known(run, theirs, ours, keys):
    """The name of a difference that crates/vectors/src/eip3155.rs names, or nothing."""
    their_error, our_error = theirs.get("error", ""), ours.get("error", "")
    if "contract address collision" in our_error:
        return "creation upon storage (EIP-7610)"
    if "max initcode size exceeded" in their_error + our_error:
        return "creation with too long a code: found elsewhere, in other words"
    if "gas uint64 overflow" in their_error and keys <= {"gasCost", "error"}:
        return "operand beyond 64 bits: found elsewhere, in other words"
    if our_error == "precompile failed" and keys == {"error"}:
        return "words of a precompile that refuses its input"
    if EOF_NAME.match(theirs.get("opName", "")) and keys <= {"opName", "error"}:
        return "name of a withdrawn instruction"
    if EOF_NAME.match(their_error) and keys == {"error"}:
        return "name of a withdrawn instruction"
    if keys == {"gasCost"} and "Amsterdam" in run and theirs["opName"] in ("SSTORE", "CREATE", "CREATE2", "CALL"):
        return "state gas (EIP-8037), which evm leaves out of the cost"
    if "Amsterdam" in run and theirs.get("opName") in ("CREATE", "CREATE2") and our_error == "out of gas":
        return "state gas (EIP-8037) of a creation that runs out of it: one line or two"
    if all(error.startswith("out of gas") for error in (their_error, our_error)) and keys <= {"gasCost", "error", "refund"}:
        name = theirs.get("opName", "frame")
        return f"price or words of what ran out of gas: {name}"
    return None


def classify(run, theirs, ours):
    """What differs between two lines, as text, and whether it is known."""
    if not (theirs and ours):
        return f"only {'balsa' if ours else 'evm'} has: {words(json.loads(ours or theirs))}", False
    theirs, ours = json.loads(theirs), json.loads(ours)
    keys = {key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)}
    name = known(run, theirs, ours, keys)
    if name:
        return name, True
    text = f"{theirs.get('opName', 'frame')}: {', '.join(sorted(keys))}"
    if "error" in keys:
        text += f" ({words(theirs)} | {words(ours)})"
    return text, False


def is_lost(name, theirs, ours):
    """Whether what follows two lines cannot be compared."""
    if not (theirs and ours) or "EIP-7610" in name:
        return True
    theirs, ours = json.loads(theirs), json.loads(ours)
    return any(theirs.get(key) != ours.get(key) for key in ("pc", "op", "depth"))


def compare(evm, balsa, path, kind, run, select):
    """The number of lines compared, and each difference with whether it is known."""
    their_lines = Lines([evm, kind, "--trace", *select, path])
    our_lines = Lines([balsa, "--log.level", "error", kind, "--trace", *select, path])
    count, found = 0, []
    try:
        for theirs, ours in itertools.zip_longest(their_lines, our_lines):
            count += 1
            if theirs == ours:
                if count >= LINES_MAX:
                    break
                continue
            text, is_known = classify(run, theirs, ours)
            found.append((text, is_known, count, theirs, ours))
            if is_lost(text, theirs, ours) or len(found) > 1000:
                break
    finally:
        their_lines.close()
        our_lines.close()
    return count, found


def main(evm, balsa, folder, files="300", only=None):
    failed = False
    for kind in [only] if only else list(SOURCES):
        seen = collections.Counter()
        classes, examples = collections.Counter(), {}
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "test.json")
            for name, content in sample(folder, kind, int(files)):
                with open(path, "wb") as file:
                    file.write(content)
                seen["files"] += 1
                file_differs = False
                for run, select in runs(kind, content):
                    count, found = compare(evm, balsa, path, kind, run, select)
                    seen["runs"] += 1
                    seen["lines"] += count
                    seen["equal runs"] += not found
                    for text, is_known, line, theirs, ours in found:
                        file_differs |= not is_known
                        failed |= not is_known
                        classes[(is_known, text)] += 1
                        examples.setdefault((is_known, text), (f"{name} {run} line {line}", theirs, ours))
                seen["files equal but for known differences"] += not file_differs
        if not seen["lines"]:
            failed = True
            print(f"{kind}: no line was compared")
        print(f"{kind}: " + ", ".join(f"{count} {what}" for what, count in seen.items()))
        for (is_known, text), count in classes.most_common():
            print(f"  {'known' if is_known else 'NEW  '} {count:7} {text}")
            if not is_known:
                where, theirs, ours = examples[is_known, text]
                print(f"        {where}\n          evm   {theirs}\n          balsa {ours}")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
