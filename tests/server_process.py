"""The embedded server in a separate process, so that the hub and blocking clients of a test do not delay it."""
from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.request import ProxyHandler, build_opener

_PROGRAM = """
import ssl, sys
from fetcher import green
from fetcher.demo.server import Server

tls = None
if sys.argv[1:]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(sys.argv[1])
with Server(tls=tls) as server:
    print(server.port, flush=True)
    green.trampoline(sys.stdin, read=True)
"""


class ServerProcess:
    """Serves in a `with` block, or until the process that started it ends.

    With `certificate`, a file of a private key and its chain, it serves https.
    """

    def __init__(self, certificate: str | None = None) -> None:
        self._scheme = "https" if certificate else "http"
        self._arguments = [certificate] if certificate else []

    def __enter__(self) -> ServerProcess:
        self._process = subprocess.Popen([sys.executable, "-c", _PROGRAM, *self._arguments], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    @property
    def pid(self) -> int:
        return self._process.pid

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def stats(self, *, reset: bool = False, times: bool = False) -> dict[str, dict[str, Any]]:
        """Return what the server counted for each Host, such as "localhost:1234": requests, at_once and so on."""
        with build_opener(ProxyHandler({})).open(self.url(f"/stats?reset={reset:d}&times={times:d}")) as answer:
            counted: dict[str, dict[str, Any]] = json.load(answer)
            return counted
