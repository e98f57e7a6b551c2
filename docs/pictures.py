"""Draw the pictures of the README and of docs/screen.md, from real runs on pseudo-terminals."""
from __future__ import annotations

import fcntl
import io
import os
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
PORT = 8765
HOSTS = ("shop.example", "www.example.org", "cdn.example.net", "api.example.com", "blog.example")
FRAME = re.compile(r"\x1b\[\?2026h(.*?)\x1b\[\?2026l", re.S)
USUAL_SCREEN = "\x1b[?1049l"
NO_STYLE = re.compile(r"\x1b\[[?0-9;]*[A-Za-ln-z]")
PATIENCE_SECONDS = 60.0
CONFIG = """
[hosts."cdn.example.net"]
per-host-rate = "3/s"
"""


class Picture(NamedTuple):
    """What to draw: the screen of a run after `seconds` and `keys`, or its summary if these are None."""

    name: str
    width: int
    height: int
    seconds: float | None
    keys: str = ""
    light: bool = False
    colour: bool = True


PICTURES = (
    Picture("live", 120, 30, 2.5), Picture("summary", 120, 30, None),
    Picture("pictures/80x24", 80, 24, 2.5), Picture("pictures/120x35-light", 120, 35, 2.5, light=True),
    Picture("pictures/200x50", 200, 50, 2.5), Picture("pictures/40x12", 40, 12, 2.5),
    Picture("pictures/80x24-no-colour", 80, 24, 2.5, colour=False),
    Picture("pictures/hosts", 120, 24, 2.5, "h"), Picture("pictures/failures", 120, 24, 2.5, "f"),
    Picture("pictures/help", 80, 24, 2.5, "p?", light=True),
    Picture("pictures/summary-80x24", 80, 24, None, light=True), Picture("pictures/summary-200x50", 200, 50, None),
)


def main() -> None:
    wanted = sys.argv[1:]
    (HERE / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, served():
        (Path(home) / "urls.txt").write_text("".join(f"{url}\n" for url in urls()))
        (Path(home) / "fetcher.toml").write_text(CONFIG)
        for picture in PICTURES:
            if not wanted or picture.name in wanted:
                draw(picture, screen(picture, home))


@contextmanager
def served() -> Iterator[None]:
    """Run the server of the demo while inside."""
    process = subprocess.Popen([sys.executable, "-m", "fetcher", "serve", "--port", str(PORT)], cwd=HERE.parent,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None and process.stdout.readline()      # it is ready
        yield
    finally:
        process.terminate()
        process.wait()


def urls() -> list[str]:
    """Return a list with something of everything: slow and fast hosts, failures, a host that asks for a pause."""
    paths = {
        "shop.example": lambda number: f"delay/0.{1 + number % 6}?item={number}",
        "www.example.org": lambda number: "status/404" if number % 12 == 5 else f"bytes/{2000 + number * 37}",
        "cdn.example.net": lambda number: f"bytes/{40_000 + number}",
        "api.example.com": lambda number: "hang" if number == 3 else f"delay/1.2?page={number}",
        "blog.example": lambda number: "retry-after/20" if number == 6 else f"chunked/{900 + number}",
    }
    return [f"http://{host}:{PORT}/{paths[host](number)}" for number in range(60) for host in HOSTS] + [
        "http://gone.invalid/", "not a url"]


def screen(picture: Picture, home: str) -> str:
    """Return what a terminal shows of a run, as text with colours."""
    keyboard, line = os.openpty()
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("4H", picture.height, picture.width, 0, 0))
    environment = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color", "PYTHONPATH": str(HERE.parent),
                   "LANG": "C.UTF-8", **({} if picture.colour else {"NO_COLOR": "1"})}
    resolved = [part for host in HOSTS for part in ("--resolve", f"{host}:{PORT}:127.0.0.1")]
    command = [sys.executable, "-m", "fetcher", "--config", "fetcher.toml", *resolved, "--per-host", "6", "--timeout",
               "8", "--retries", "1", "--retry-wait", "200ms", "urls.txt"]
    if picture.seconds is None:
        command += ["-o", "out.jsonl"]
    process = subprocess.Popen(command, cwd=home, env=environment, stdin=line, stdout=line, stderr=line,
                               start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(line, termios.TIOCSCTTY, 0))
    try:
        written = _watched(process, keyboard, picture)
    finally:
        process.kill()
        process.wait()
        os.close(line)
        os.close(keyboard)
    if picture.seconds is None:
        return written.rpartition(USUAL_SCREEN)[2]
    return str(FRAME.findall(written)[-1])


def _watched(process: subprocess.Popen[bytes], keyboard: int, picture: Picture) -> str:
    written = bytearray()
    typed_at = None if picture.seconds is None else monotonic() + picture.seconds
    until = monotonic() + PATIENCE_SECONDS if typed_at is None else typed_at + 1.5
    while monotonic() < until:
        if select.select([keyboard], [], [], 0.1)[0]:
            written += os.read(keyboard, 65536)
        elif process.poll() is not None:
            break
        if typed_at is not None and monotonic() > typed_at:
            os.write(keyboard, picture.keys.encode())
            typed_at = None
    return written.decode()


def draw(picture: Picture, text: str) -> None:
    """Save `text` as a picture of a terminal."""
    console = Console(file=io.StringIO(), record=True, force_terminal=True, width=picture.width, height=picture.height,
                      color_system="standard", legacy_windows=False, no_color=not picture.colour)
    lines = NO_STYLE.sub("", text).replace("\r", "").split("\n")[:picture.height]
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    theme = DEFAULT_TERMINAL_THEME if picture.light else MONOKAI
    console.save_svg(str(HERE / f"{picture.name}.svg"), title="fetcher urls.txt", theme=theme,
                     unique_id=picture.name.replace("/", "-"))


if __name__ == "__main__":
    main()
