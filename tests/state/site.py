"""A site whose pages a test can change between two runs. It records what it was asked for."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

DATE = "Mon, 23 Nov 2026 20:00:00 GMT"


@dataclass
class Page:
    """The page at a path. Its ETag is that of the body unless one is given. A matching condition leads to a 304."""

    body: str = ""
    status: int = 200
    has_validators: bool = True
    etag: str | None = None
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def validators(self) -> dict[str, str]:
        if not self.has_validators:
            return {}
        return {"ETag": self.etag or f'"{hashlib.sha256(self.body.encode()).hexdigest()[:8]}"', "Last-Modified": DATE}


class Site:
    """Serves `pages`, and 404 for other paths. `asked` has the path and fields of each request."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, Any]] = []

    def __enter__(self) -> Site:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                page = site.pages.get(self.path, Page("nothing here", 404, has_validators=False))
                knows = "ETag" in page.validators and self.headers.get("If-None-Match") == page.validators["ETag"]
                body = b"" if knows else page.body.encode()
                self.send_response(304 if knows else page.status)
                for name, value in {**({} if knows else page.validators), **page.fields}.items():
                    self.send_header(name, value)
                if not knows:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path: str, userinfo: str = "") -> str:
        return f"http://{userinfo}127.0.0.1:{self._server.server_port}{path}"

    def conditions(self) -> dict[str, str | None]:
        """Return the If-None-Match of each path that was asked for since the last call."""
        asked, self.asked = self.asked, []
        return {path: fields.get("If-None-Match") for path, fields in asked}
