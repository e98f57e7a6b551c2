"""Fetch one target and return one result. Errors are in the result; none is raised."""
from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from fetcher import green
from fetcher.attempt import Attempt, InFlight
from fetcher.body import ReceivedBody
from fetcher.errors import HTTP, FetchError, InvalidUrl, OutputError, ProxyError, Unexpected
from fetcher.fingerprint import fingerprint
from fetcher.host_settings import HostSettings, options_for, settings_of
from fetcher.judge import Judge, judge_of
from fetcher.model import NOTHING, Beside, Memory, Overrides, Result, Target
from fetcher.options import AnswerOptions, Options, SaveOptions
from fetcher.outcome import defect, left_out, meant_by_relative, method_of
from fetcher.own_answer import merged
from fetcher.semantics import carries_credentials
from fetcher.transport import Request, Response, field_names, request_fields, retry_after
from fetcher.transport import check as check_transport

if TYPE_CHECKING:
    from fetcher.recall import Past, Recall
    from fetcher.sinks.bodies import BodyStore
    from fetcher.transport.recorder import Recorder

# RFC 9110 §13.1 and §14.2: if the user sends one of these, 304 or 206 is an answer to that and not to our question
_CONDITIONS = frozenset({"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range"})


class Opener(Protocol):
    """A transport."""

    def open(self, request: Request) -> Response: ...


class Fetcher:
    """Fetches targets with one set of options, over one transport. Many green threads may use it at once."""

    def __init__(self, options: Options, transport: Opener, in_flight: InFlight) -> None:
        """Raises ValueError if the options cannot be followed, and OutputError if a file cannot be written."""
        self._transport = transport
        self._in_flight = in_flight
        self._recall = _recall(options)
        self._store = _body_store(options.body.save)
        self._recorder = _recorder(options.body.exchanges)
        self._hosts = settings_of(options.hosts)
        self._by_pattern: dict[str, Fetcher] = {}
        self._configure(options)

    def _configure(self, options: Options) -> None:
        self._options = options
        self._fields = request_fields(options.request)
        self._method = method_of(options.request)
        self._fingerprint = fingerprint(options.request)
        self._judge = judge_of(options.answer)
        self._expects_nothing = options.answer == AnswerOptions()
        self._saves_all = options.body.save is not None and options.body.save.all
        self._is_private = False        # a row's own credentials are sent
        self._hashes_body = (self._judge.hashes_body or options.body.hash or options.body.save is not None
                             or options.state is not None)
        self._reads_body = bool(self._judge.reads_body or self._hashes_body or options.body.keep or self._recorder)
        self._takes_not_modified = (self._method in ("GET", "HEAD") and not options.body.keep
                                    and not _CONDITIONS & field_names(self._fields))

    def __call__(self, target: Target, number: int = 1, move: Callable[[str], None] | None = None) -> Result:
        """Fetch `target`, in its attempt `number`, and return the result. Raises only what ends this process or
        green thread, and OutputError if the state can no longer be read.

        `move` is called with the host of each redirect before it is followed. It may wait; that time does not count as
        the attempt's.
        """
        try:
            if target.parsed is None:
                return left_out(self._options, target, InvalidUrl(target.problem or ""))
            fetch = self if self._hosts is None else self._for_host(target.parsed.host, self._hosts)
            if target.overrides is not None:
                return fetch._fetch_overridden(target, target.overrides, number, move)
            return fetch._fetch(target, number, move)
        except (OutputError, green.GreenletExit, *green.ENDS_PROCESS):
            raise
        except BaseException as error:
            return defect(self._options, target, error, number)

    def close(self) -> None:
        """Close the state and the directory of saved bodies, and remove what was stored for an archive."""
        for part in self._recall, self._store, self._recorder:
            if part is not None:
                part.close()

    def _fetch(self, target: Target, number: int, move: Callable[[str], None] | None) -> Result:
        options = self._options
        attempt = Attempt(target, options.timeouts, number, move)
        queued = attempt.started - target.read_at
        attempt.timings.queue = queued if queued > 0.0 else 0.0
        judge, hashes_body, reads_body = self._judge, self._hashes_body, self._reads_body
        if target.answer is not None:
            judge = Judge(target.answer if self._expects_nothing else merged(options.answer, target.answer))
            hashes_body = hashes_body or judge.hashes_body
            reads_body = reads_body or hashes_body or judge.reads_body
        body = ReceivedBody(hashes_body, options.body.keep)
        assert target.parsed is not None
        request = Request(target.parsed, attempt, self._method, self._fields, options.request.data,
                          options.request.user, reads_body, options.body.limit)
        past, response, failure, last = None, None, None, request
        self._in_flight.add(attempt)
        try:
            if self._recall is not None:
                past = self._recall.ask(request, self._fingerprint, judge if self._takes_not_modified else None)
            response = self._transport.open(request)
            if self._store is not None and (self._saves_all or response.status in judge.statuses):
                body.begin_file(self._store, response)
            if judge.has_more_to_judge:
                body.begin_judging(judge, response)
            if self._recorder is not None:
                self._recorder.listen(response)
            for piece in response:
                body.write(piece)
            failure = body.judged(response)
            if failure is None or self._saves_all:
                body.save(target, response)
        except FetchError as error:
            response = response or error.response
            failure = error.as_value()
        finally:
            self._in_flight.discard(attempt)
            try:
                body.drop()
            finally:
                last = request.end()
        attempt.timings.total = attempt.since_start()
        if response is None:
            assert failure is not None
            return self._unanswered(target, last, failure)
        return self._answered(target, response, failure, body, judge, past)

    def _for_host(self, host: str, settings: HostSettings) -> Fetcher:
        """Return the fetcher for `host`: this one, or one with the settings of the host, which is made once."""
        found = settings.find(host)
        if found is None:
            return self
        fetch = self._by_pattern.get(found.pattern)
        if fetch is None:
            fetch = self._by_pattern[found.pattern] = copy(self)
            fetch._configure(options_for(self._options, found))
        return fetch

    def _fetch_overridden(self, target: Target, overrides: Overrides, number: int,
                          move: Callable[[str], None] | None) -> Result:
        """Fetch `target` with the options of this fetcher, overridden by those of its row."""
        fetch = copy(self)
        try:
            fetch._configure(_overridden(self._options, overrides))
        except ValueError as error:
            return left_out(self._options, target, InvalidUrl(f"Its request cannot be sent: {error}."))
        fetch._fingerprint = fingerprint(self._options.request, overrides)
        fetch._is_private = any(carries_credentials(name) for name, _ in overrides.headers)
        return fetch._fetch(replace(target, overrides=None), number, move)

    def _answered(self, target: Target, response: Response, failure: FetchError | None, body: ReceivedBody,
                  judge: Judge, past: Past | None) -> Result:
        request = response.request
        attempt, wanted = request.attempt, self._options.body
        word = message = None
        if response.status not in judge.statuses and not (response.status == 304 and request.is_conditional):
            word, message = HTTP, _not_accepted(response.status)
        elif failure is not None:
            word, message = failure.word, str(failure)
        is_whole = failure is None or isinstance(failure, Unexpected)
        sha256, saved_to = body.hexdigest() if is_whole else None, body.saved_to
        change = memory = None
        if past is not None:
            from fetcher.recall import recalled

            change, memory, sha256, saved_to = recalled(past, response, word is None, sha256, saved_to, judge.digest)
        return Result(      # positional arguments are much faster
            target.url, target.line, target.source, word is None, response.status, word, message, request.method,
            request.full_url, len(request.hops), response.http_version, response.content_type, attempt.remote_ip,
            response.size, response.size_download, sha256, attempt.number, attempt.timings, attempt.timestamp,
            retry_after(response.headers) if response.status in (429, 503) else None,
            request.hops if wanted.timings else None, response.tls, target.input,
            tuple(response.headers.items()) if wanted.headers else None, body.content(), saved_to,
            self._fingerprint, change, NOTHING if memory is None and self._recorder is None and not self._is_private
            else self._beside(request, response, memory))

    def _unanswered(self, target: Target, request: Request, failure: FetchError) -> Result:
        """Return the result of a `failure` without an answer. `request` is the last that was sent, or was to be."""
        attempt = request.attempt
        return Result(
            target.url, target.line, target.source,
            status=failure.status if isinstance(failure, ProxyError) else None,
            error=failure.word,
            error_message=str(failure),
            method=request.method,
            final_url=request.full_url if request.hops else meant_by_relative(target),
            redirects=len(request.hops),
            remote_ip=attempt.remote_ip,
            attempts=attempt.number,
            timings=attempt.timings,
            timestamp=attempt.timestamp,
            hops=request.hops if self._options.body.timings else None,
            input=target.input,
            request=self._fingerprint,
            beside=self._beside(request),
        )

    def _beside(self, request: Request, response: Response | None = None, memory: Memory | None = None) -> Beside:
        exchanges = self._recorder.exchanges(request, response) if self._recorder is not None else ()
        return Beside(exchanges, memory, self._is_private)


def check(options: Options) -> None:
    """Raise ValueError if `options` cannot be followed. Nothing is sent, opened or written."""
    request_fields(options.request)
    judge_of(options.answer)
    settings_of(options.hosts)
    for host in options.hosts:
        request_fields(options_for(options, host).request)
    check_transport(options)
    if options.body.save is not None:
        from fetcher.sinks.names import Template

        Template(options.body.save.name)


def _recall(options: Options) -> Recall | None:
    if options.state is None:
        return None
    from fetcher.recall import Recall

    return Recall(options.state, options)


def _body_store(options: SaveOptions | None) -> BodyStore | None:
    if options is None:
        return None
    from fetcher.sinks.bodies import BodyStore

    return BodyStore(options)


def _recorder(directory: str | None) -> Recorder | None:
    if directory is None:
        return None
    from fetcher.transport.recorder import Recorder

    return Recorder(directory)


def _overridden(options: Options, overrides: Overrides) -> Options:
    """Return `options` with those of a row in place of its own."""
    request, timeouts = options.request, options.timeouts
    names = {name.lower() for name, _ in overrides.headers}
    others = (field for field in request.headers if field[0].rstrip(";").lower() not in names)
    return replace(
        options,
        request=replace(request, method=overrides.method or request.method, headers=(*others, *overrides.headers),
                        data=request.data if overrides.data is None else overrides.data),
        timeouts=timeouts if overrides.timeout is None else replace(timeouts, total=overrides.timeout))


def _not_accepted(status: int) -> str:
    return f"The server answered with status {status}{'.' if status >= 400 else ', which is not accepted.'}"
