"""A sink and a transport for fetcher, as an example of both.

    pip install ./examples/fetcher-example
    fetcher --sink count=counts.json urls.txt
    EXAMPLE_FILES=site fetcher --transport files urls.txt
"""
from __future__ import annotations

import json
import mimetypes
import os
from collections import Counter
from urllib.parse import unquote, urlsplit

from fetcher import Options, Result
from fetcher.extensions import Answered, Sent


class CountSink:
    """Counts results by status or error, and writes the counts to a file at the end."""

    def __init__(self, path: str) -> None:
        if not path:
            raise ValueError("write --sink count=FILE")
        self._path = path
        self._counts: Counter[str] = Counter()

    def write(self, result: Result) -> None:
        self._counts[str(result.status or result.error)] += 1

    def close(self) -> None:
        with open(self._path, "w", encoding="utf-8") as file:
            json.dump(dict(sorted(self._counts.items())), file)


class FileTransport:
    """Answers with files of the directory EXAMPLE_FILES, which stands for every host."""

    def __init__(self, options: Options) -> None:
        self._root = os.path.realpath(os.environ["EXAMPLE_FILES"])

    def send(self, request: Sent) -> Answered:
        path = os.path.realpath(self._root + unquote(urlsplit(request.url).path))
        if request.method not in ("GET", "HEAD"):
            return Answered(405, [], [])
        if not path.startswith(self._root + os.sep) or not os.path.isfile(path):
            return Answered(404, [], [])
        content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        with open(path, "rb") as file:
            body = file.read()
        return Answered(200, [("Content-Type", content_type), ("Content-Length", str(len(body)))], [body])

    def close(self) -> None:
        pass
