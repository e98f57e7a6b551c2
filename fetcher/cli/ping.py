"""`--ping-url`: tell a monitor that a run begins, and how it ended, by the protocol of healthchecks.io.

    URL/start   the run begins
    URL         it ended with status 0
    URL/fail    it ended with another status

https://healthchecks.io/docs/http_api/
"""
from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from fetcher import green
from fetcher.engine import fetch_all
from fetcher.model import Target
from fetcher.options import Options, RequestOptions, RetryOptions, RunOptions, Timeouts
from fetcher.url import Url

_SECONDS = 5.0          # for one attempt
_DEADLINE = 15.0        # for all of them: a monitor must not delay the run


class Ping:
    """Notifies the monitor, through the same proxy as the run. A failure is one line on stderr and has no other effect.
    """

    def __init__(self, url: Url, options: Options) -> None:
        self._url = url
        self._options = Options(
            run=RunOptions(deadline=_DEADLINE),
            retry=RetryOptions(all_methods=True),
            timeouts=Timeouts(_SECONDS, _SECONDS, _SECONDS),
            tls=replace(options.tls, cert=None, key=None),
            network=replace(options.network, transport="urllib"))
        self._beginning: Any = None
        self._has_warned = False

    def begin(self) -> None:
        """Report in the background that the run begins."""
        self._beginning = green.spawn(self._send, "/start", RequestOptions())

    def end(self, succeeded: bool, summary: bytes) -> None:
        """Report whether the run succeeded, with its `summary` in JSON."""
        self._beginning.wait()
        self._send("" if succeeded else "/fail",
                   RequestOptions(data=summary, headers=(("Content-Type", "application/json"),)))

    def _send(self, signal: str, request: RequestOptions) -> None:
        path, mark, query = self._url.target.partition("?")
        url = replace(self._url, target=f"{path.rstrip('/')}{signal}{mark}{query}")
        for result in fetch_all([Target(str(url), parsed=url)], replace(self._options, request=request)):
            if not (result.ok or self._has_warned):
                self._has_warned = True
                logging.getLogger(__name__).error("The ping to %s failed: %s", url.host, result.error_message)
