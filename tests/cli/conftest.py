import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.cli.command import Command
from tests.cli.terminal import Terminal


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path) -> None:
    """Remove settings from the environment, for commands that run in this process."""
    for name in [name for name in os.environ if name.startswith("FETCHER_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(params=[1, 2], ids=["one", "two"])
def fetcher(tmp_path, request) -> Command:
    """The command, fetching in one process and in two."""
    return Command(tmp_path, FETCHER_PROCESSES=str(request.param))


@pytest.fixture
def host() -> str:
    """A host name that no other test uses."""
    return f"h{uuid4().hex[:12]}.localhost"


@pytest.fixture
def terminal(fetcher) -> Iterator[Terminal]:
    with Terminal(fetcher) as terminal:
        yield terminal
