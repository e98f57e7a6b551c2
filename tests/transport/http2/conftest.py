from __future__ import annotations

import pytest

from fetcher.transport.http2 import installed, with_h2, with_ngh2


@pytest.fixture(params=[with_ngh2, with_h2], ids=lambda module: module.NAME)
def codec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test with each codec, since both promise the same. Return the name of this one."""
    monkeypatch.setattr(installed, "module", lambda: request.param)
    name: str = request.param.NAME
    return name
