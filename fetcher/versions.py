"""Find the versions of the program and its dependencies without loading them, so that `fetcher --version` is fast."""
from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

from fetcher import __version__


NGH2 = "0.3."       # the versions of ngh2 that can be used: its interface changes with each 0.x
NOT_INSTALLED = "not installed"


def versions() -> dict[str, str]:
    """Return the versions of the program and its dependencies, by name."""
    from _ssl import OPENSSL_VERSION    # loading `ssl` takes as long as starting Python

    return {"fetcher": __version__, "Python": sys.version.split()[0], "eventlet": _installed("eventlet"),
            "hub": _hub(), "OpenSSL": OPENSSL_VERSION.removeprefix("OpenSSL "), "HTTP/2": http2()}


def line() -> str:
    """Return the versions in one line."""
    own, *others = versions().items()
    return f"{' '.join(own)} ({', '.join(' '.join(each) for each in others)})"


def http2() -> str:
    """Return which codec for HTTP/2 is used, with its version, or NOT_INSTALLED."""
    ngh2, h2 = _in_path("ngh2"), _in_path("h2")
    if ngh2 is not None and ngh2.startswith(NGH2):
        return f"ngh2 {ngh2}"
    return NOT_INSTALLED if h2 is None else f"h2 {h2}"


def _installed(package: str) -> str:
    found = _in_path(package)
    if found is not None:
        return found
    from importlib.metadata import version

    return version(package)


def _in_path(package: str) -> str | None:
    """Return the version from the name of the metadata's directory: importlib.metadata is slow to load."""
    for folder in sys.path:
        with suppress(OSError):
            for name in os.listdir(folder or "."):
                if name.startswith(f"{package}-") and name.endswith(".dist-info"):
                    return name.removesuffix(".dist-info").partition("-")[2]
    return None


def _hub() -> str:
    """Return the name of the hub that eventlet will choose, by the rules of eventlet.hubs."""
    chosen = os.environ.get("EVENTLET_HUB")
    if chosen:
        return chosen.partition(":")[0].rpartition(".")[2]
    return next((hub for hub, call in (("epolls", "epoll"), ("kqueue", "kqueue"), ("poll", "poll"))
                 if hasattr(select, call)), "selects")
