"""Draw the pictures of the README, from a real run of the demo: `python docs/pictures.py`."""
from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from fetcher import green
from fetcher.demo import sample_list
from fetcher.demo.server import Server
from fetcher.engine import GreenThreads, Run
from fetcher.model import Target
from fetcher.options import BodyOptions, Options, RetryOptions, Timeouts
from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal import summary
from fetcher.sinks.terminal.live import Frame, Live

WIDTH, HEIGHT = 120, 24
MOMENT_SECONDS = 0.3
HERE = Path(__file__).parent


def main() -> None:
    tally = Tally()
    with Server(port=8765) as server:
        lines = [line for line in sample_list(server.port).splitlines() if line.strip() and not line.startswith("#")]
        options = Options(timeouts=Timeouts(total=3.0), retry=RetryOptions(retries=1),
                          body=BodyOptions(max_size=10_000_000))
        run = Run(options, GreenThreads(options))
        live = Live(Console(file=io.StringIO()), run.in_flight, lambda: len(lines), tally, run.waiting_hosts)
        green.call_later(MOMENT_SECONDS, lambda: draw("live.svg", lambda console: console.print(Frame(live.view()))))
        for result in run.results(Target.read(line, number) for number, line in enumerate(lines, 1)):
            tally.write(result)
            live.write(result)
    tally.close()
    draw("summary.svg", lambda console: summary.show(tally, console))


def draw(name, show) -> None:
    """Call `show` with a console of the right size, and save what it prints as a picture."""
    console = Console(file=io.StringIO(), record=True, force_terminal=True, width=WIDTH, height=HEIGHT,
                      color_system="standard", markup=False, highlight=False)
    show(console)
    console.save_svg(str(HERE / name), title="fetcher demo", theme=MONOKAI)


if __name__ == "__main__":
    main()
