from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import fetching
from tests.server_process import ServerProcess

TESTS = Path(__file__).parent
NOT_SLOW = "not slow"
SLOW = ("bench", "browsers", "cli", "cluster", "engine/processes", "engine/test_faults.py", "engine/test_storm.py",
        "engine/test_many_hosts.py", "library/test_places.py", "library/test_types.py", "packages", "peers",
        "transport/http2/test_hostile.py")
REPEATED = frozenset({"two", "requests", "h2"})     # parameters of a test that is run with another one, too
QUICK = tuple(f"cli/test_{name}.py" for name in (       # exceptions: hardly any commands
    "ending", "layout", "options", "values"))

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(NOT_SLOW, settings.get_profile("shared machine"), max_examples=10)


def pytest_configure(config: pytest.Config) -> None:
    """Try fewer examples where the slow tests are left out. Make sure that commands started by tests can be
    interrupted, even if `nohup` or `&` made us ignore signals.

    A child inherits that a signal is ignored. A handler is reset to the default in the child.
    """
    settings.load_profile(NOT_SLOW if config.option.markexpr == NOT_SLOW else "shared machine")
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read the files whose tests would be left out: each worker would spend seconds on it."""
    is_left_out = config.option.markexpr == NOT_SLOW and collection_path.name != "cli" and _is_slow(collection_path)
    return True if is_left_out else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make check` leaves out as slow: whole kinds, and tests that are repeated with two processes,
    with the other transport, or with the other codec for HTTP/2.
    """
    for item in items:
        case = item.callspec.id.split("-") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else []
        if _is_slow(item.path) or REPEATED.intersection(case):
            item.add_marker(pytest.mark.slow)


def _is_slow(path: Path) -> bool:
    place = path.relative_to(TESTS).as_posix()
    return place.startswith(SLOW) and not place.startswith(QUICK)


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
