"""A monitor like healthchecks.io, which records the pings."""
from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple


class Pinged(NamedTuple):
    method: str
    path: str
    body: bytes
    authorization: str | None

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Monitor(ThreadingHTTPServer):
    """Serves in a `with` block. Answers with each of `statuses` once, and then with 200."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pings: list[Pinged] = []
        self.statuses = list(statuses)
        self._thread = Thread(target=self.serve_forever, args=(0.05,))

    def __enter__(self) -> Monitor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def url(self, path: str = "/check", userinfo: str = "") -> str:
        return f"http://{userinfo}127.0.0.1:{self.server_port}{path}"

    @property
    def paths(self) -> list[str]:
        return [ping.path for ping in self.pings]


class _Handler(BaseHTTPRequestHandler):
    server: Monitor
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.pings.append(Pinged(self.command, self.path, body, self.headers.get("authorization")))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"OK\n")

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Log nothing."""
