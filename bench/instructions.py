"""`python -m bench.instructions`: count instructions per request, which do not depend on the load of the machine.

callgrind counts two runs with different numbers of requests; their difference is the cost of the additional requests.
instructions.json has the last saved figure for each version of Python, and `--keep` saves a new one. Needs valgrind.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.peers import FETCHER
from bench.servers import Missing, nginx, program

KEPT = Path(__file__).with_name("instructions.json")
SHORT, LONG = 500, 2500         # requests
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.instructions", description="Instructions for each request of 1 KB.")
    parser.add_argument("--keep", action="store_true", help="keep the figure, for this Python")
    keep = parser.parse_args().keep
    try:
        measured = per_request()
    except Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 2
    before = kept()
    print(f"{measured:,} instructions a request" + (f", {measured / before:.3f} of what is kept" if before else ""))
    if keep:
        figures = json.loads(KEPT.read_text()) if KEPT.exists() else {}
        KEPT.write_text(json.dumps({**figures, PYTHON: measured}, indent=1, sort_keys=True) + "\n")
    return 0


def kept() -> int | None:
    """Return the saved figure for this version of Python, if there is one."""
    figures: dict[str, int] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return figures.get(PYTHON)


def per_request() -> int:
    """Return the instructions per request for 1 KB, over reused connections. Raises Missing."""
    valgrind = program("valgrind")
    with tempfile.TemporaryDirectory(prefix="bench-") as name, nginx(Path(name)) as far_end:
        _instructions(valgrind, 1, far_end.ports["http"], Path(name))       # first let Python compile its modules
        short, long = (_instructions(valgrind, count, far_end.ports["http"], Path(name)) for count in (SHORT, LONG))
    return round((long - short) / (LONG - SHORT))


def _instructions(valgrind: str, count: int, port: int, directory: Path) -> int:
    """Return the user-mode instructions of a run with `count` requests."""
    urls = directory / "urls.txt"
    urls.write_text("".join(f"http://127.0.0.1:{port}/1k/{n}\n" for n in range(count)))
    command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={directory / 'callgrind'}", *FETCHER, "-x", "",
               "-c", "100", "--per-host", "100", "-f", "jsonl", "-o", "/dev/null", str(urls)]
    # Fix the hashes, which decide how dictionaries are laid out.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory), "PYTHONHASHSEED": "0",
                   "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    assert counted is not None, done.stderr
    return int(counted[1])


if __name__ == "__main__":
    sys.exit(main())
