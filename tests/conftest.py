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
        "engine/test_many_hosts.py", "library/test_places.py", "library/test_types.py", "packages", "peers", "soak")
QUICK = tuple(f"cli/test_{name}.py" for name in (       # exceptions: no processes, or only a few commands
    "ending", "exits", "help", "layout", "options", "places", "suggestions", "values"))

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


def pytest_configure() -> None:
    """Make sure that commands started by tests can be interrupted, even if `nohup` or `&` made us ignore signals.

    A child inherits that a signal is ignored. A handler is reset to the default in the child.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make check` leaves out as slow: whole kinds, and tests that are repeated with two processes.
    """
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        case = item.callspec.id.split("-") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else []
        if (place.startswith(SLOW) and not place.startswith(QUICK)) or "two" in case:
            item.add_marker(pytest.mark.slow)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name no test by long bytes: gzip contains the time, and parallel workers must agree on the names."""
    return "bytes" if isinstance(val, bytes) and len(val) > 40 else None


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """The embedded server. It counts by host name, so a test that looks at the counts needs a name of its own."""
    with ServerProcess() as process:
        yield process


@pytest.fixture(params=["urllib", "requests"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test with each transport, since both promise the same."""
    monkeypatch.setattr(fetching, "transport", request.param)
