"""One target, one result. Nothing raises: whatever goes wrong is in the result."""
from __future__ import annotations

import hashlib
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING, Any, Protocol

from fetcher.attempt import Attempt, InFlight
from fetcher.errors import HTTP, FetchError, InvalidUrl
from fetcher.fingerprint import fingerprint
from fetcher.model import Memory, Overrides, Result, Target, Timings
from fetcher.options import Options, RequestOptions, SaveOptions
from fetcher.state.change import MISSING, UNCHANGED, change_since
from fetcher.transport import Conditions, Headers, Request, Response, field_names, request_fields, retry_after

if TYPE_CHECKING:
    from fetcher.exchange import Recorder
    from fetcher.sinks.bodies import Body, BodyStore
    from fetcher.state.history import History, Past

# RFC 9110 §13.1 and §14.2: with one of these, an answer would not be to our question
_CONDITIONS = frozenset({"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range"})


class Opener(Protocol):
    """What a transport is: one verb."""

    def open(self, request: Request) -> Response: ...


class Fetcher:
    """Fetches targets by one set of options, over one transport. Safe for many green threads at once."""

    def __init__(self, options: Options, transport: Opener, in_flight: InFlight) -> None:
        """Raises ValueError where the options cannot be followed, and OutputError where a file cannot be written."""
        self._transport = transport
        self._in_flight = in_flight
        self._history = _history(options.state)
        self._store = _body_store(options.body.save)
        self._recorder = _recorder(options.body.exchanges)
        self._follow(options)

    def _follow(self, options: Options) -> None:
        self._options = options
        self._fields = request_fields(options.request)
        self._method = _method(options.request)
        self._fingerprint = fingerprint(options.request)
        self._hashes_body = options.body.hash or options.body.save is not None or options.state is not None
        self._keeps_body = self._hashes_body or options.body.keep or self._recorder is not None
        self._saves_in = options.body.save.directory if options.body.save is not None else None
        self._takes_not_modified = (self._method in ("GET", "HEAD") and not options.body.keep
                                    and not _CONDITIONS & field_names(self._fields))

    def __call__(self, target: Target, number: int = 1, move: Callable[[str], None] | None = None) -> Result:
        """What became of `target` in its attempt `number`.

        `move` is called with the host of each redirect before it is followed; it may wait, and that takes no time
        off the attempt's.
        """
        if target.parsed is None:
            return left_out(self._options, target, InvalidUrl(target.problem or ""))
        if target.overrides is not None:
            return self._fetch_overridden(target, target.overrides, number, move)
        attempt = Attempt(target, self._options.timeouts, number, move)
        attempt.timings.queue = max(attempt.started - target.read_at, 0.0)
        body = _Body(self._hashes_body, self._options.body.keep)
        request = self._request(target, attempt)
        past, response, failure = None, None, None
        self._in_flight.add(attempt)
        try:
            if self._history is not None:
                past = self._recall(self._history, request)
            response = self._transport.open(request)
            if self._store is not None and _is_worth_saving(response):
                body.file = self._store.body()
            if self._recorder is not None:
                self._recorder.listen(response)
            for piece in response:
                body.take(piece)
            if body.file is not None:
                body.save(target, response)
        except FetchError as error:
            failure = error
            response = response or error.response
        except Exception as error:
            failure = _defect(error, target)
        finally:
            self._in_flight.discard(attempt)
            if response is not None:
                response.close()
            if body.file is not None:
                body.file.drop()
        if response is None:
            return self._unanswered(target, request.last, failure)
        return self._answered(target, response, failure, body, past)

    def close(self) -> None:
        """Let go of the state, of the directory of saved bodies, and of what waits for an archive."""
        if self._history is not None:
            self._history.close()
        if self._store is not None:
            self._store.close()
        if self._recorder is not None:
            self._recorder.close()

    def _fetch_overridden(self, target: Target, overrides: Overrides, number: int,
                          move: Callable[[str], None] | None) -> Result:
        """Fetch `target` as one by other options: those of this fetcher, and what its row says in their place."""
        fetch = copy(self)
        try:
            fetch._follow(_overridden(self._options, overrides))
        except ValueError as error:
            return left_out(self._options, target, InvalidUrl(f"Its request cannot be sent: {error}."))
        fetch._fingerprint = fingerprint(self._options.request, overrides)
        return fetch(replace(target, overrides=None), number, move)

    def _request(self, target: Target, attempt: Attempt) -> Request:
        options = self._options
        assert target.parsed is not None
        return Request(target.parsed, attempt, method=self._method, fields=self._fields, data=options.request.data,
                       user=options.request.user, keep=self._keeps_body, max_size=options.body.max_size)

    def _recall(self, history: History, request: Request) -> Past:
        """What is known of `request`, which asks for news alone where that can be enough."""
        past = history.recall(request.url, self._fingerprint)
        if past.known is not None and self._takes_not_modified:
            validators = past.validators(self._saves_in)
            if validators:
                request.ask_for_news(Conditions(past.known.final_url, validators))
        return past

    def _answered(self, target: Target, response: Response, failure: FetchError | None, body: _Body,
                  past: Past | None) -> Result:
        request, headers = response.request, response.headers
        attempt = request.attempt
        attempt.timings.total = attempt.since_start()
        word = message = None
        if response.status >= 400:
            word, message = HTTP, f"The server answered with status {response.status}."
        elif failure is not None:
            word, message = failure.word, str(failure)
        sha256 = body.hexdigest() if failure is None else None
        saved_to, change, memory = body.saved_to, None, None
        if past is not None and (word is None or response.status in MISSING):
            memory = _learnt(past, response, headers, sha256, saved_to)
            if memory is not None:
                change = UNCHANGED if memory is past.known else change_since(past.known, past.told, memory)
                sha256, saved_to = memory.sha256, memory.saved_to
        return Result(
            target.url, target.line, target.source,
            ok=word is None,
            status=response.status,
            error=word,
            error_message=message,
            method=request.method,
            final_url=request.full_url,
            redirects=len(request.hops),
            http_version=response.http_version,
            content_type=headers.get("content-type"),
            remote_ip=attempt.remote_ip,
            size=response.size,
            size_download=response.size_download,
            sha256=sha256,
            attempts=attempt.number,
            timings=attempt.timings,
            timestamp=attempt.timestamp,
            retry_after=retry_after(headers) if response.status in (429, 503) else None,
            hops=request.hops if self._options.body.timings else None,
            tls=response.tls,
            input=target.input,
            headers=tuple(headers.items()) if self._options.body.headers else None,
            body=body.content(),
            saved_to=saved_to,
            exchanges=self._recorder.exchanges(request, response) if self._recorder is not None else (),
            request=self._fingerprint,
            change=change,
            memory=memory,
        )

    def _unanswered(self, target: Target, request: Request, failure: FetchError | None) -> Result:
        """The result where `request`, the last that was sent or would have been, had no answer."""
        assert failure is not None
        attempt = request.attempt
        attempt.timings.total = attempt.since_start()
        return Result(
            target.url, target.line, target.source,
            error=failure.word,
            error_message=str(failure),
            method=request.method,
            final_url=request.full_url if request.hops else _meant_by_relative(target),
            redirects=len(request.hops),
            remote_ip=attempt.remote_ip,
            attempts=attempt.number,
            timings=attempt.timings,
            timestamp=attempt.timestamp,
            hops=request.hops if self._options.body.timings else None,
            input=target.input,
            exchanges=self._recorder.exchanges(request, None) if self._recorder is not None else (),
            request=self._fingerprint,
        )


def left_out(options: Options, target: Target, reason: FetchError, attempts: int = 0) -> Result:
    """The result of a target that is not sent, or not once more, by these options."""
    request = fingerprint(options.request, target.overrides)
    if target.overrides is not None:
        options = _overridden(options, target.overrides)
    return Result(target.url, target.line, target.source, error=reason.word, error_message=str(reason),
                  method=_method(options.request), final_url=_meant_by_relative(target), attempts=attempts,
                  timings=Timings(), timestamp=time(), input=target.input, request=request)


def _learnt(past: Past, response: Response, headers: Headers, sha256: str | None, saved_to: str | None
            ) -> Memory | None:
    """What to remember of an answer: what is known, after "not modified"; nothing if that was not the question."""
    request = response.request
    if response.status == 304:
        return past.known if request.is_conditional else None
    etag, last_modified = headers.validators()
    return Memory(past.url, past.request, response.status, etag, last_modified,
                  None if request.method == "HEAD" else sha256, request.url.resource, saved_to)


class _Body:
    """What is made of a body while it arrives."""

    def __init__(self, hash: bool, keep: bool) -> None:
        self._digest: Any = hashlib.sha256() if hash else None
        self._pieces: list[bytes] | None = [] if keep else None
        self.file: Body | None = None
        self.saved_to: str | None = None

    def take(self, piece: bytes) -> None:
        if self._digest is not None:
            self._digest.update(piece)
        if self._pieces is not None:
            self._pieces.append(piece)
        if self.file is not None:
            self.file.take(piece)

    def save(self, target: Target, response: Response) -> None:
        """The body is whole: have its file in its place. Raises SaveError."""
        assert self.file is not None
        self.saved_to = self.file.keep(target, self._digest.hexdigest(), response.headers.get("content-type"))

    def hexdigest(self) -> str | None:
        return self._digest.hexdigest() if self._digest is not None else None

    def content(self) -> bytes | None:
        return b"".join(self._pieces) if self._pieces is not None else None


def _history(path: str | None) -> History | None:
    if path is None:
        return None
    from fetcher.state.history import History

    return History(path)


def _body_store(options: SaveOptions | None) -> BodyStore | None:
    if options is None:
        return None
    from fetcher.sinks.bodies import BodyStore

    return BodyStore(options)


def _recorder(directory: str | None) -> Recorder | None:
    if directory is None:
        return None
    from fetcher.exchange import Recorder

    return Recorder(directory)


def _is_worth_saving(response: Response) -> bool:
    """Whether `response` has a body, and one that is what was asked for."""
    return response.status < 400 and response.status not in (204, 304) and response.request.method != "HEAD"


def _method(options: RequestOptions) -> str:
    return options.method or ("GET" if options.data is None else "POST")


def _overridden(options: Options, overrides: Overrides) -> Options:
    """`options` with what a row says in their place."""
    request, timeouts = options.request, options.timeouts
    names = {name.lower() for name, _ in overrides.headers}
    others = (field for field in request.headers if field[0].rstrip(";").lower() not in names)
    return replace(
        options,
        request=replace(request, method=overrides.method or request.method, headers=(*others, *overrides.headers),
                        data=request.data if overrides.data is None else overrides.data),
        timeouts=timeouts if overrides.timeout is None else replace(timeouts, total=overrides.timeout))


def _meant_by_relative(target: Target) -> str | None:
    """The URL that a relative one stands for: without an answer, its record would not say which host was meant."""
    if target.parsed is None or target.url.lower().startswith(("http:", "https:")):
        return None
    return str(target.parsed)


def _defect(cause: Exception, target: Target) -> FetchError:
    """What to call an error that nothing has foreseen; its traceback goes to the log of this module."""
    import logging

    logging.getLogger(__name__).debug("%s", target.url, exc_info=cause)
    return FetchError(f"An unforeseen {type(cause).__name__}: {cause}. --debug shows where.")
