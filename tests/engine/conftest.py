"""A site with hosts that no other test uses, and a check that nothing is left behind."""
from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing import active_children

import pytest

from fetcher import green
from tests.engine.processes.several import Site
from tests.server_process import ServerProcess


@pytest.fixture
def nothing_is_left() -> Iterator[None]:
    """Check at the end that no process and no descriptor is left."""
    green.hub()     # it has a descriptor
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert active_children() == []
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def site(server: ServerProcess) -> Site:
    return Site(server)
