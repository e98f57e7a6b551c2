"""What a user can choose about fetching: one frozen dataclass for each concern.

Sizes are bytes and times are seconds. `None` means no bound, unless a field says otherwise.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from time import time

from fetcher import __version__

USER_AGENT = f"fetcher/{__version__}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests may be in flight, and how often one may start, in all and for each host name."""

    concurrency: int = 100
    per_host: int = 10
    rate: float | None = None           # starts a second, in all
    per_host_rate: float | None = None  # starts a second, for one host
    breaker: int = 5                    # failures to reach a host in a row that have it left alone; 0: never
    adaptive: bool = False              # find out how many at once, up to per_host, each host can take


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How lists are read, and which of their lines are taken."""

    format: str = "auto"                # text, csv, tsv or jsonl; auto: as its name and its first line tell
    url_column: str | None = None       # None: `url`, else the first in which a URL stands
    base_url: str | None = None         # what relative URLs are relative to
    shard: tuple[int, int] | None = None    # the part I, from 1, of N; all lines of a host are in one
    unique: bool = False                # the same request only once
    limit: int | None = None            # so many targets, of those that are left


TRANSPORT_ERRORS = frozenset({"dns", "connect", "proxy", "timeout", "incomplete"})
PASSING_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 522, 524})


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """What is tried again, and when. Times are in seconds."""

    retries: int = 2                    # attempts after the first
    wait: float = 1.0                   # before the first retry at most; doubled for each further one
    max_wait: float = 60.0              # also the most that Retry-After is honoured for
    on: frozenset[int | str] = PASSING_STATUSES | TRANSPORT_ERRORS
    all_methods: bool = False           # also those that are not idempotent (RFC 9110 §9.2.2)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What holds for a run as a whole. Times are in seconds."""

    deadline: float | None = None       # when the last answer has to be there
    ordered: bool = False               # results in the order of the list
    robots: bool = False                # keep to robots.txt


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each part of an attempt may take, in seconds."""

    connect: float = 10.0   # from the look-up of the name to the end of the TLS handshake
    read: float = 30.0      # silence: no byte came in
    total: float = 60.0     # one attempt in all, redirects and body included
    min_speed: int | None = None    # bytes a second of a body, over ten seconds


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What is sent. Header names keep their spelling on the wire."""

    method: str | None = None           # None: GET, or POST where there is data
    headers: tuple[tuple[str, str], ...] = ()
    data: bytes | None = field(default=None, repr=False)
    user_agent: str | None = USER_AGENT
    user: str | None = field(default=None, repr=False)      # "name:password", for the URL's origin alone
    netrc: bool = False                 # take credentials from $NETRC or ~/.netrc
    cookie: str | None = field(default=None, repr=False)    # "name=value; ...", or a file in Netscape's format
    cookie_jar: str | None = None       # where the cookies are written at the end, in the same format
    range: str | None = None            # "0-499": the value of `Range: bytes=`
    compressed: bool = True             # offer content codings

    @property
    def identifies_user(self) -> bool:
        """Whether credentials may go out, so that answers may be for the user's eyes alone."""
        return bool(self.user or self.netrc or self.cookie is not None or any(
            name.rstrip(";").lower() in ("authorization", "cookie") for name, _ in self.headers))


@dataclass(frozen=True, slots=True)
class RedirectOptions:
    """Whether `Location` is followed, and how often."""

    follow: bool = True
    max_redirects: int = 10


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """Whom to trust, and who we are. A `cacert` given here wins over SSL_CERT_FILE and SSL_CERT_DIR."""

    insecure: bool = False
    cacert: str | None = None
    cert: str | None = None             # PEM file of the client's certificate, and of its key where `key` is None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How hosts are found and reached."""

    proxy: str | None = field(default=None, repr=False)     # None: as the environment says; empty: none
    family: int | None = None           # 4 or 6: use these addresses only
    resolve: tuple[tuple[str, int, tuple[str, ...]], ...] = ()      # host, port, its addresses
    transport: str = "urllib"           # or "requests", which needs the extra of that name
    dns_servers: tuple[str, ...] = ()   # "address" or "address:port"; none: the system's


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """Which files bodies become. `name` is a template: see `fetcher.sinks.names`."""

    directory: str
    name: str = "{host}/{path}"
    sync: bool = False                  # have each file on the disk before it gets its name
    since: float = field(default_factory=time, compare=False)   # Unix time: files from before may be replaced
    first: int = 1                      # where `{n}` begins, and by how much it grows:
    step: int = 1                       # processes that fetch together have numbers of their own


@dataclass(frozen=True, slots=True)
class BodyOptions:
    """What is done with a body while it arrives. One that nobody asked for is only counted."""

    max_size: int | None = None         # decoded bytes
    hash: bool = False                  # sha256 of the decoded body
    keep: bool = False                  # the body itself is in the result
    headers: bool = False               # the answer's header fields are in the result
    timings: bool = False               # so are the times of the redirects on the way
    tls: bool = False                   # so is what the TLS handshake agreed on
    save: SaveOptions | None = None     # the decoded bodies of good answers become files
    exchanges: str | None = None        # what was on the wire is in the result; long bodies wait in this directory


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that one fetch needs to know."""

    run: RunOptions = RunOptions()
    limits: Limits = Limits()
    retry: RetryOptions = RetryOptions()
    timeouts: Timeouts = Timeouts()
    request: RequestOptions = RequestOptions()
    redirects: RedirectOptions = RedirectOptions()
    tls: TlsOptions = TlsOptions()
    network: NetworkOptions = NetworkOptions()
    body: BodyOptions = BodyOptions()
    state: str | None = None            # the file of what is remembered from run to run
