"""Work on one partition in this process, without a broker, with everything that can go wrong."""
import sys

import pytest

from fetcher.cluster.claim import last_state
from fetcher.cluster.cut import cut
from fetcher.cluster.folder import Folder
from fetcher.cluster.orders import Order
from fetcher.cluster.partition import Ending, work
from fetcher.cluster.policy import Policy, Refused
from fetcher.cluster.run import ClusterRun
from fetcher.cluster.state import DONE, RELEASED
from fetcher.engine import GreenThreads
from fetcher.errors import InputError, OutputError
from fetcher.model import Target, WaitingHost
from fetcher.options import Limits, Options, RunOptions
from tests.cli.command import records

LEASE_SECONDS = 5.0


@pytest.fixture
def place(tmp_path):
    return Folder(str(tmp_path / "out"))


@pytest.fixture
def begin(place, server):
    """Submit a run of one partition with these options. Return a function that works on it."""
    def begin(options=Options(), path="/echo/"):
        place.make()
        targets = (Target.read(server.url(f"{path}{line}"), line) for line in range(1, 21))
        with place.writing_lists() as directory:
            lines = cut(targets, directory, 1)
        ClusterRun("run", lines, options, 0.0, (), (), ()).write(place)
        policy = Policy(places=(place.where,))
        return lambda: work(Order("run", place.where, 0), policy, LEASE_SECONDS, Ending())

    return begin


def lines(place, epoch):
    return sorted(record["line"] for record in records(place.read(f"part-000.{epoch}.jsonl")))


def failing(error):
    def fail(*_):
        raise error

    return fail


@pytest.mark.parametrize("where", ["fetcher.sinks.jsonl.JsonLines.write", "fetcher.engine.Run.results",
                                   "fetcher.cluster.overview.Overview.running"])
@pytest.mark.parametrize("error", [OutputError("The disk is full."), InputError("The list went away."),
                                   RuntimeError("A defect.")])
def test_a_partition_is_released_where_the_work_on_it_ends_in_an_error(place, begin, monkeypatch, where, error):
    attempt = begin(Options(limits=Limits(rate=1000.0)))
    monkeypatch.setattr(where, failing(error))
    with pytest.raises(type(error), match=str(error)):
        attempt()
    assert last_state(place, 0, 1).phase == RELEASED
    monkeypatch.undo()
    assert attempt()
    assert last_state(place, 0, 2).phase == DONE
    assert lines(place, 2) == list(range(1, 21))


def test_nothing_is_in_flight_any_more_when_an_error_has_ended_the_work(begin, monkeypatch):
    made = []

    class Threads(GreenThreads):
        def __init__(self, options):
            super().__init__(options)
            made.append(self)

    monkeypatch.setattr("fetcher.cluster.partition.GreenThreads", Threads)
    monkeypatch.setattr("fetcher.sinks.jsonl.JsonLines.write", failing(OutputError("The disk is full.")))
    with pytest.raises(OutputError) as caught:
        begin(Options(limits=Limits(per_host=5)), "/delay/0.1?")()
    assert caught.tb is not None        # it has references to what was in use
    (threads,) = made
    assert len(threads.in_flight) == 0


def test_a_partition_that_needs_what_is_missing_here_is_refused_and_nobody_has_it(place, begin, monkeypatch):
    monkeypatch.setitem(sys.modules, "protego", None)
    with pytest.raises(Refused, match=r"The run run cannot be worked on here: --robots needs more packages: "):
        begin(Options(run=RunOptions(robots=True)))()
    assert place.last_epoch(0) == 0


def test_of_a_host_that_waits_for_an_answer_the_state_is_json(place, begin, monkeypatch):
    """Such a host waits for infinity, for which JSON has no number."""
    waiting = WaitingHost("host", "robots.txt", float("inf"), 7)
    monkeypatch.setattr("fetcher.engine.Run.waiting_hosts", lambda _: iter([waiting]))
    seen = []
    replace = place.replace
    monkeypatch.setattr(Folder, "replace", lambda self, name, content: (seen.append(content), replace(name, content)))
    assert begin()()
    assert b'["host","robots.txt",1000000000.0,7]' in b"".join(seen)
