from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import fetching
from tests.server_process import ServerProcess

TESTS = Path(__file__).parent
SLOW = ("bench", "browsers", "cli", "cluster", "engine/processes", "engine/test_faults.py", "engine/test_storm.py",
        "engine/test_many_hosts.py", "peers", "soak")
QUICK = tuple(f"cli/test_{name}.py" for name in (       # of those: what needs no process, and one look at the command
    "ending", "exits", "help", "layout", "options", "places", "suggestions", "values"))

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


def pytest_configure() -> None:
    """Let the commands that tests start be interrupted, although a shell's `nohup` or `&` had us ignore signals.

    What is ignored stays so in a child, while a handler of ours is the default there.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what `make check` leaves out: whole kinds, and what runs once more with two processes."""
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        case = item.callspec.id.split("-") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else []
        if (place.startswith(SLOW) and not place.startswith(QUICK)) or "two" in case:
            item.add_marker(pytest.mark.slow)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name no test by what is packed: gzip has the time in it, and parallel workers have to agree on the names."""
    return "bytes" if isinstance(val, bytes) and len(val) > 40 else None


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """The embedded server; for tests that look at what it counted, a host name of their own is their own count."""
    with ServerProcess() as process:
        yield process


@pytest.fixture(params=["urllib", "requests"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the test's fetches use each transport, in turn: both promise the same."""
    monkeypatch.setattr(fetching, "transport", request.param)
