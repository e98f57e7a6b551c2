"""What this is, and what it stands on, told without loading any of it: `fetcher --version` is to be quick."""
from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

from fetcher import __version__


def versions() -> dict[str, str]:
    """Return the versions of the program and of its foundations, by name."""
    from _ssl import OPENSSL_VERSION    # `ssl` itself takes as long as Python's whole start

    return {"fetcher": __version__, "Python": sys.version.split()[0], "eventlet": _installed("eventlet"),
            "hub": _hub(), "OpenSSL": OPENSSL_VERSION.removeprefix("OpenSSL ")}


def line() -> str:
    """Return them in one line."""
    own, *others = versions().items()
    return f"{' '.join(own)} ({', '.join(' '.join(each) for each in others)})"


def _installed(package: str) -> str:
    """The version in the name of the package's metadata: importlib.metadata takes longer to load than all else here."""
    for folder in sys.path:
        with suppress(OSError):
            for name in os.listdir(folder or "."):
                if name.startswith(f"{package}-") and name.endswith(".dist-info"):
                    return name.removesuffix(".dist-info").partition("-")[2]
    from importlib.metadata import version

    return version(package)


def _hub() -> str:
    """The hub that eventlet chooses, by the rules of eventlet.hubs."""
    chosen = os.environ.get("EVENTLET_HUB")
    if chosen:
        return chosen.partition(":")[0].rpartition(".")[2]
    return next((hub for hub, call in (("epolls", "epoll"), ("kqueue", "kqueue"), ("poll", "poll"))
                 if hasattr(select, call)), "selects")
