"""`python -m bench`: run the peers, print medians, then simulate only the scheduler.

`python -m bench soak` is another command, in soak.py.

Exits with 1 if a peer did not fetch all of its list, and with 2 if nginx is missing.
"""
from __future__ import annotations

import argparse
import json
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench import instructions, report, simulate, soak
from bench.measure import compete
from bench.page import page
from bench.peers import PEERS, Peer, Unable
from bench.report import Outcome
from bench.scenarios import SCENARIOS, Scenario, chosen
from bench.servers import Missing, dnsmasq, nginx

DESCRIPTORS = 65_536
SCHEDULE = "schedule"       # the name of the simulation, next to those of the scenarios


def main() -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, DESCRIPTORS) if most > 0 else DESCRIPTORS, most))
    if sys.argv[1:2] == ["soak"]:
        return soak.main(sys.argv[2:])
    options = arguments()
    out, progress = Console(), Console(stderr=True)
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        try:
            far_end = stack.enter_context(nginx(directory))
        except Missing as missing:
            print(f"bench: {missing}", file=sys.stderr)
            return 2
        where = report.machine()
        out.print(" · ".join(f"{key} {value}" for key, value in where.items()), highlight=False, soft_wrap=True)
        versions = present(options.peers, out)
        scenarios = [scenario.scaled(options.scale) for scenario in chosen(options.only)]
        dns_server = None
        if any(scenario.dns for scenario in scenarios):
            try:
                dns_server = stack.enter_context(dnsmasq())
            except Missing as missing:
                scenarios = without(scenarios, lambda scenario: scenario.dns, missing, out)
        if far_end.cacert is None:
            scenarios = without(scenarios, lambda scenario: scenario.tls, Missing("openssl is not installed"), out)
        status = stack.enter_context(progress.status(""))
        for scenario in scenarios:
            scores = compete(scenario, list(versions), options.rounds, far_end, dns_server, status.update)
            outcomes.append(Outcome(scenario, scores))
            before = next((outcome for outcome in outcomes if outcome.scenario.name == scenario.against), None)
            report.show(out, outcomes[-1], before)
    simulated = simulate.run(options.scale) if SCHEDULE in options.only else []
    if simulated:
        simulate.show(out, simulated)
    if options.json:
        figures = report.as_json(outcomes, where, {peer.name: version for peer, version in versions.items()})
        figures[SCHEDULE] = [asdict(outcome) for outcome in simulated]
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if options.page:
        options.page.write_text(page(outcomes, where, {peer.name: (peer.does, version) for peer, version in
                                                       versions.items()}, options.rounds, counted()))
    return int(any(score.problem is not None for outcome in outcomes for score in outcome.scores))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="fetcher and its peers on the same lists, in one run.")
    scenarios, peers = [*(scenario.name for scenario in SCENARIOS), SCHEDULE], [peer.name for peer in PEERS]
    parser.add_argument("--only", type=some_of(scenarios), default=scenarios, metavar="A,B",
                        help="scenarios: " + ", ".join(scenarios))
    parser.add_argument("--peers", type=some_of(peers), default=peers, metavar="A,B", help=f"peers: {', '.join(peers)}")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds that count, after a warm-up (5)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="0.1: lists of a tenth of the length")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every run's figures, as JSON")
    parser.add_argument("--page", type=Path, metavar="FILE", help="medians, and how they were measured, in Markdown")
    return parser.parse_args()


def counted() -> int | None:
    """Return the instructions for one request, or None without valgrind."""
    try:
        return instructions.per_request()
    except Missing:
        return None


def some_of(names: list[str]) -> Callable[[str], list[str]]:
    """Return a parser of comma-separated values, each of which must be in `names`."""
    def parse(text: str) -> list[str]:
        asked = text.split(",")
        if unknown := [name for name in asked if name not in names]:
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there is {', '.join(names)}")
        return asked

    return parse


def present(names: list[str], out: Console) -> dict[Peer, str]:
    """Return the peers that can run on this machine, with their versions. Print which ones are left out."""
    versions = {}
    for peer in PEERS:
        if peer.name in names:
            try:
                versions[peer] = peer.version()
            except Unable as reason:
                out.print(f"{peer.name} is left out: it {reason}", style="yellow", highlight=False)
            else:
                out.print(f"{peer.name}: {peer.does} ({versions[peer]})", highlight=False)
    return versions


def without(scenarios: list[Scenario], some: Callable[[Scenario], bool], reason: Missing, out: Console
            ) -> list[Scenario]:
    """Return `scenarios` without those that match `some`. Print which ones are left out, and the `reason`."""
    for scenario in filter(some, scenarios):
        out.print(f"{scenario.name} is left out: {reason}", style="yellow", highlight=False)
    return [scenario for scenario in scenarios if not some(scenario)]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # exit in order, so that the servers end too
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
