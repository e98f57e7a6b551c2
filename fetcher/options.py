"""What a user can choose about fetching: one frozen dataclass for each concern.

Sizes are bytes and times are seconds. `None` means no bound, unless a field says otherwise.
"""
from __future__ import annotations

from dataclasses import field
from time import time

from fetcher import __version__
from fetcher.expectation import Statuses
from fetcher.semantics import carries_credentials
from fetcher.value import frozen, value

USER_AGENT = f"fetcher/{__version__}"
MAX_SEARCHED = 1024 * 1024          # bytes of a body, by regular expressions
MAX_IN_RECORD = 64 * 1024 * 1024    # bytes of a body in its record, all of them in memory


def _check_whole(options: object, least: int, *names: str) -> None:
    """Raise TypeError or ValueError if one of these fields is not a whole number, or below `least`."""
    for name in names:
        value = getattr(options, name)
        if not isinstance(value, int) or value < least:
            wrong = ValueError if isinstance(value, int) else TypeError
            raise wrong(f"{_named(options, name)} must be a whole number of at least {least}, not {value!r}")


def _check_positive(options: object, unit: str, *names: str) -> None:
    """Raise TypeError or ValueError if one of these fields is neither a number of `unit` above 0 nor None."""
    for name in names:
        value = getattr(options, name)
        if value is not None and not isinstance(value, (int, float)):
            raise TypeError(f"{_named(options, name)} must be a number of {unit}, not {value!r}")
        if value is not None and not value > 0:
            raise ValueError(f"{_named(options, name)} must be a number of {unit} above 0, not {value!r}")


def _named(options: object, name: str) -> str:
    return f"{type(options).__name__}.{name}"


@frozen
class Limits:
    """How many requests may be in flight, and how often one may start, in all and for each host name."""

    concurrency: int = 100
    per_host: int = 10
    rate: float | None = None           # starts a second, in all
    per_host_rate: float | None = None  # starts a second, for one host
    breaker: int = 5                    # after so many failures in a row to reach a host, leave it alone; 0: never
    adaptive: bool = False              # find out how many at once, up to per_host, each host can take

    def __post_init__(self) -> None:
        _check_whole(self, 0, "concurrency", "breaker")     # a process among several may have no share for a while
        _check_whole(self, 1, "per_host")
        _check_positive(self, "starts a second", "rate", "per_host_rate")


@frozen
class InputOptions:
    """How to read lists, and which of their lines to fetch."""

    format: str = "auto"                # text, csv, tsv, jsonl, sitemap, html, markdown; auto: guess
    url_column: str | None = None       # None: `url`, else the first column with a URL
    columns: tuple[tuple[str, str], ...] = ()   # other columns for method, sha256 and the like; "": none
    base_url: str | None = None         # the base of relative URLs
    default_scheme: str | None = None   # http or https, for URLs without a scheme
    null_separated: bool = False        # lines end in NUL, as `find -print0` writes them
    match: tuple[str, ...] = ()         # regular expressions (RE2): fetch URLs that match any of these
    exclude: tuple[str, ...] = ()       # and none of these
    shard: tuple[int, int] | None = None    # part I of N, from 1; all lines of a host are in one part
    unique: bool = False                # the same request only once
    limit: int | None = None            # at most so many of the targets that remain


HTTP_VERSIONS = ("auto", "1.1", "2")
TRANSPORT_ERRORS = frozenset({"dns", "connect", "proxy", "timeout", "incomplete"})
RETRIABLE_ERRORS = ("dns", "connect", "tls", "proxy", "timeout", "protocol", "incomplete", "decode", "too_slow",
                    "unexpected")       # that a user may choose
PASSING_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 522, 524})


@frozen
class RetryOptions:
    """What to retry, and when. Times are in seconds."""

    retries: int = 2                    # attempts after the first
    wait: float = 1.0                   # at most, before the first retry; doubled for each retry after it
    max_wait: float = 60.0              # also the longest Retry-After that is honoured
    on: frozenset[int | str] = PASSING_STATUSES | TRANSPORT_ERRORS
    all_methods: bool = False           # also those that are not idempotent (RFC 9110 §9.2.2)

    def __post_init__(self) -> None:
        _check_whole(self, 0, "retries")


@frozen
class RunOptions:
    """Options of a run as a whole. Times are in seconds."""

    deadline: float | None = None       # the run must end by then
    ordered: bool = False               # results in the order of the list
    robots: bool = False                # obey robots.txt


@frozen
class Timeouts:
    """How long each part of an attempt may take, in seconds."""

    connect: float = 10.0   # from the look-up of the name to the end of the TLS handshake
    read: float = 30.0      # without a byte from the server
    total: float = 60.0     # the whole attempt, including redirects and body
    min_speed: int | None = None    # bytes a second of a body, measured over ten seconds

    def __post_init__(self) -> None:
        _check_positive(self, "seconds", "connect", "read", "total")
        _check_positive(self, "bytes a second", "min_speed")


@frozen
class RequestOptions:
    """What is sent. Header names keep their spelling on the wire."""

    method: str | None = None           # None: GET, or POST if there is data
    headers: tuple[tuple[str, str], ...] = ()
    data: bytes | None = field(default=None, repr=False)
    user_agent: str | None = USER_AGENT
    user: str | None = field(default=None, repr=False)      # "name:password", for the URL's origin only
    netrc: bool = False                 # take credentials from $NETRC or ~/.netrc
    cookie: str | None = field(default=None, repr=False)    # "name=value; ...", or a file in Netscape's format
    cookie_jar: str | None = None       # write the cookies there at the end, in the same format
    range: str | None = None            # "0-499": the value of `Range: bytes=`
    compressed: bool = True             # offer content codings

    @property
    def identifies_user(self) -> bool:
        """Whether credentials may go out, so that answers may be for the user's eyes alone."""
        return bool(self.user or self.netrc or self.cookie is not None or any(
            carries_credentials(name.rstrip(";")) for name, _ in self.headers))


@value
class AnswerOptions:
    """Which answers are good."""

    accept: Statuses | None = None      # ranges of statuses, both ends included; None: below 400
    expect: tuple[str, ...] = ()        # texts, and regular expressions (RE2) as /REGEX/ or /REGEX/i: the decoded body
    expect_not: tuple[str, ...] = ()    # must contain all of the former, and none of the latter
    expect_bytes: int = MAX_SEARCHED    # regular expressions search only so much of its beginning
    sha256: str | None = None           # of the decoded body, in lower-case hexadecimal digits
    size: int | None = None             # of the decoded body, in bytes
    content_type: str | None = None     # text/html, image/*; parameters count if they are given
    max_time: float | None = None       # seconds that the whole last attempt may take

    def __post_init__(self) -> None:
        if self.expect_bytes != MAX_SEARCHED:       # a row may have one of its own, so this is done for each
            _check_whole(self, 1, "expect_bytes")
        if self.max_time is not None:
            _check_positive(self, "seconds", "max_time")


@frozen
class RedirectOptions:
    """Whether to follow `Location`, and how often."""

    follow: bool = True
    max_redirects: int = 10
    trusted: bool = False               # send credentials to other hosts, too

    def __post_init__(self) -> None:
        _check_whole(self, 0, "max_redirects")


@frozen
class TlsOptions:
    """Whom to trust, and how to identify ourselves. `cacert` wins over SSL_CERT_FILE and SSL_CERT_DIR."""

    insecure: bool = False
    cacert: str | None = None
    cert: str | None = None             # PEM file of the client's certificate, and of its key if `key` is None
    key: str | None = None
    minimum: str = "1.2"                # the lowest version of TLS to accept: 1.0, 1.1, 1.2 or 1.3


@frozen
class NetworkOptions:
    """How to find and reach hosts."""

    proxy: str | None = field(default=None, repr=False)     # None: from the environment; empty: none
    family: int | None = None           # 4 or 6: use these addresses only
    resolve: tuple[tuple[str, int, tuple[str, ...]], ...] = ()      # host, or `*`; port; its addresses
    transport: str = "urllib"           # or "requests", which needs an extra, or that of another package
    dns_servers: tuple[str, ...] = ()   # "address" or "address:port"; none: the system's
    http: str = "1.1"                   # 2, which needs the extra http2, or auto: 2 where a host offers it over TLS

    def __post_init__(self) -> None:
        if self.http not in HTTP_VERSIONS:
            raise ValueError(f"{_named(self, 'http')} must be one of {', '.join(HTTP_VERSIONS)}, not {self.http!r}")


@frozen
class GuardOptions:
    """Which hosts to connect to. `allow` wins over `deny`, and that over `block_private`.

    A host is a name, a pattern such as `*.example.com`, an address or a network such as `10.0.0.0/8`.
    """

    block_private: bool = False         # refuse every address that is not global
    deny: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


@frozen
class SaveOptions:
    """Where to save bodies. `name` is a template for file names: see `fetcher.sinks.names`."""

    directory: str
    name: str = "{host}/{path}"
    sync: bool = False                  # write each file to the disk before it gets its name
    all: bool = False                   # also bodies of answers that are not good
    since: float = field(default_factory=time, compare=False)   # Unix time: files from before may be replaced
    first: int = 1                      # `{n}` begins here and grows by `step`,
    step: int = 1                       # so that several processes use different numbers


@frozen
class BodyOptions:
    """What to do with bodies while they arrive. By default, their bytes are only counted."""

    max_size: int | None = None         # decoded bytes; None: MAX_IN_RECORD with `keep`, else no limit
    hash: bool = False                  # sha256 of the decoded body
    keep: bool = False                  # the body is in the result
    headers: bool = False               # the header fields of the answer are in the result
    timings: bool = False               # the times of redirects are in the result
    tls: bool = False                   # what the TLS handshake agreed on is in the result
    save: SaveOptions | None = None     # save the decoded bodies of good answers to files
    exchanges: str | None = None        # the bytes on the wire go with the result; long bodies wait in this directory

    @property
    def limit(self) -> int | None:
        """How many decoded bytes a body may have, or None."""
        return MAX_IN_RECORD if self.max_size is None and self.keep else self.max_size


@frozen
class HostOptions:
    """Settings for the hosts of one pattern: a name, or `*.example.com`. None: the same as for all other hosts."""

    pattern: str
    per_host: int | None = None
    per_host_rate: float | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)    # these replace fields with the same names
    user: str | None = field(default=None, repr=False)
    timeout: float | None = None
    retries: int | None = None
    insecure: bool | None = None
    proxy: str | None = field(default=None, repr=False)
    accept: Statuses | None = None
    http: str | None = None             # as in NetworkOptions


@frozen
class Options:
    """Everything that one fetch needs to know."""

    run: RunOptions = RunOptions()
    limits: Limits = Limits()
    retry: RetryOptions = RetryOptions()
    timeouts: Timeouts = Timeouts()
    request: RequestOptions = RequestOptions()
    answer: AnswerOptions = AnswerOptions()
    redirects: RedirectOptions = RedirectOptions()
    tls: TlsOptions = TlsOptions()
    network: NetworkOptions = NetworkOptions()
    guard: GuardOptions = GuardOptions()
    body: BodyOptions = BodyOptions()
    hosts: tuple[HostOptions, ...] = ()     # the longest pattern that matches counts
    state: str | None = None            # the file that remembers answers from run to run

    @property
    def identifies_user(self) -> bool:
        """Whether credentials may go out, so that answers may be for the user's eyes alone."""
        return self.request.identifies_user or any(
            RequestOptions(headers=host.headers, user=host.user).identifies_user for host in self.hosts)
