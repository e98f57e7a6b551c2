"""Run the command, and write down every few seconds what can only be counted inside of its process.

    python -m bench.witness SECONDS DIRECTORY ARGUMENT...

A thread of the system writes a line of JSON to DIRECTORY/PID; so it does in each process that is forked. The command is
the real one, with those ARGUMENTs.
"""
from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from collections import Counter

from greenlet import greenlet

_MAX_TYPES = 60


def main() -> None:
    seconds, directory = float(sys.argv[1]), sys.argv[2]
    del sys.argv[1:3]

    def begin() -> None:
        threading.Thread(target=_watch, args=(seconds, directory), daemon=True).start()

    begin()
    os.register_at_fork(after_in_child=begin)
    from fetcher.__main__ import main as command

    command()


def _watch(seconds: float, directory: str) -> None:
    place = os.open(os.path.join(directory, str(os.getpid())), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
    while True:
        time.sleep(seconds)
        os.write(place, json.dumps(counts()).encode() + b"\n")


def counts() -> dict[str, object]:
    """What there is in this process: green threads, blocks of Python's memory, and objects of each type."""
    objects = gc.get_objects()
    types = Counter(map(type, objects))
    green = sum(not each.dead for each in objects if isinstance(each, greenlet))
    del objects
    common = {f"{kind.__module__}.{kind.__qualname__}": count for kind, count in types.most_common(_MAX_TYPES)}
    return {"green_threads": green, "blocks": sys.getallocatedblocks(), "types": common}


if __name__ == "__main__":
    main()
