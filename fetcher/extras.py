"""Tell the user how to install the packages of an optional part, wherever fetcher itself came from."""
from __future__ import annotations

import os
import re
import shlex
import sys

from fetcher.regex import regex

DISTRIBUTION = "eventlet-fetcher"       # what indexes call this project: `fetcher` is another project there
_OF_EXTRA = regex(r"(?P<package>[^;]+);.*\bextra == ['\"](?P<extra>[\w-]+)['\"]")


def needed(what: str, extra: str) -> str:
    """Return a sentence, without its full stop: `what` needs the packages of `extra`, and how to install them."""
    return f"{what} needs more packages: {install_command(extra)}"


def install_command(extra: str) -> str:
    """Return the command that installs the packages of `extra` for the running Python.

    It names the packages, not `eventlet-fetcher[extra]`, which would replace what was installed from elsewhere.
    """
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:        # run from a checkout, without being installed
        lines = []
    matches = (_OF_EXTRA.fullmatch(line) for line in lines)
    packages = [re.sub(r"[\s()]", "", match["package"]) for match in matches if match and match["extra"] == extra]
    if not packages:
        packages = [f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}[{extra}]"]
    return shlex.join([sys.executable, "-m", "pip", "install", *packages])
