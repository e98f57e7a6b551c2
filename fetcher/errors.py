"""What can go wrong with one URL, and the word for it in its record.

    FetchError                      word
    ├── InvalidUrl                  invalid_url          the line has no URL that can be fetched
    ├── Blocked                     blocked              the guard refuses its host, or all its addresses
    ├── DnsError                    dns                  the name did not resolve
    ├── ConnectError                connect              no connection to any of its addresses
    ├── TlsError                    tls                  the handshake or the certificate failed
    ├── ProxyError                  proxy                the proxy refused, or could not be reached
    ├── TimedOut                    timeout              a phase, or the attempt as a whole, took too long
    ├── ProtocolError               protocol             what came back is not HTTP
    ├── Incomplete                  incomplete           the connection ended before the answer did
    ├── DecodeError                 decode               the content coding is broken
    ├── TooLarge                    too_large            the body is above --max-size
    ├── TooManyRedirects            too_many_redirects   a loop, or more hops than allowed
    ├── TooSlow                     too_slow             the body came below --min-speed
    ├── Unexpected                  unexpected           the answer is not what was expected
    ├── SaveError                   save                 the body could not be written to its file
    ├── RobotsRefused               robots               robots.txt does not allow it
    ├── BreakerOpen                 breaker              its host cannot be reached, and is left alone
    ├── DeadlinePassed              deadline             the run had no time left for it
    └── Interrupted                 interrupted          the run was stopped while this was in flight

A status that is not accepted, by default 400 and above, is an answer, not an exception: its record says `http`. Any
other exception is a defect of ours: its record says `internal`.

Foreign errors (OSError, ssl.SSLError) are mapped to these where they enter, in `transport/`.
"""
from __future__ import annotations

from typing import Any


class FetchError(Exception):
    """One URL could not be fetched. The message is one plain sentence for `error_message`.

    `response` is the answer that led to it, or None.
    """

    word = "internal"

    def __init__(self, message: str, response: Any = None) -> None:
        super().__init__(message)
        self.response = response

    def as_value(self) -> FetchError:
        """Return this error, which will be looked at and not raised further: it keeps nothing alive any more.

        Where it was raised, what led to it and its `response` all lead back to it, as cycles that wait for the garbage
        collector.
        """
        self.__traceback__ = self.__context__ = self.__cause__ = self.response = None
        return self


class InvalidUrl(FetchError, ValueError):
    word = "invalid_url"


class Blocked(FetchError):
    word = "blocked"


class DnsError(FetchError):
    word = "dns"


class ConnectError(FetchError):
    word = "connect"


class TlsError(FetchError):
    word = "tls"


class ProxyError(FetchError):
    """The proxy refused, or could not be reached. `status` is its answer if that says what is wrong (407), else None.
    """

    word = "proxy"

    def __init__(self, message: str, response: Any = None, status: int | None = None) -> None:
        super().__init__(message, response)
        self.status = status


class TimedOut(FetchError):
    word = "timeout"


class ProtocolError(FetchError):
    word = "protocol"


class Incomplete(FetchError):
    word = "incomplete"


class DecodeError(FetchError):
    word = "decode"


class TooLarge(FetchError):
    word = "too_large"


class TooManyRedirects(FetchError):
    word = "too_many_redirects"


class TooSlow(FetchError):
    word = "too_slow"


class Unexpected(FetchError):
    word = "unexpected"


class SaveError(FetchError):
    word = "save"


class RobotsRefused(FetchError):
    word = "robots"


class BreakerOpen(FetchError):
    word = "breaker"


class DeadlinePassed(FetchError):
    word = "deadline"


class Interrupted(FetchError):
    word = "interrupted"


HTTP = "http"


class FetchFailed(Exception):
    """`Result.raise_for_status` found a `result` that is not ok. The message says why, and for which URL."""

    def __init__(self, result: Any) -> None:
        super().__init__(f"{result.error}: {result.error_message} ({result.url})")
        self.result = result

    def __reduce__(self) -> tuple[type[FetchFailed], tuple[Any]]:
        return type(self), (self.result,)


class OutputError(Exception):
    """Records can no longer be written: a full disk, a vanished mount. The run ends with status 74."""


class NobodyReads(OutputError):
    """The deadline has passed, and nobody reads what is written. The run ends with status 124."""


class InputError(Exception):
    """A list cannot be read. Nothing is fetched; the run ends with status 2."""


class LockHeld(Exception):
    """Another run holds the lock, or has the state open. Nothing is fetched; the run ends with status 75."""
