"""A small server with a route for every kind of answer, and a list of sample URLs for it.

`server.Server` runs on the hub of the thread that starts it; `routes` has its answers.
"""
from __future__ import annotations

import re
from pathlib import Path

PORT = 8765


def sample_list(port: int = PORT) -> str:
    """Return the text of the sample list, for a server on `port`."""
    text = Path(__file__).with_name("sample_urls.txt").read_text("utf-8")
    return re.sub(rf":{PORT}\b", f":{port}", text)
