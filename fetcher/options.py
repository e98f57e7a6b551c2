"""What a user can choose about fetching: one frozen dataclass for each concern.

Sizes are bytes and times are seconds. `None` means no bound, unless a field says otherwise.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from fetcher import __version__

USER_AGENT = f"fetcher/{__version__}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests are in flight at once, in all and for each host name."""

    concurrency: int = 100
    per_host: int = 10


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each part of an attempt may take, in seconds."""

    connect: float = 10.0   # from the look-up of the name to the end of the TLS handshake
    read: float = 30.0      # silence: no byte came in
    total: float = 60.0     # one attempt in all, redirects and body included


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
class BodyOptions:
    """What is done with a body while it arrives. One that nobody asked for is only counted."""

    max_size: int | None = None         # decoded bytes
    hash: bool = False                  # sha256 of the decoded body
    keep: bool = False                  # the body itself is in the result
    headers: bool = False               # the answer's header fields are in the result
    timings: bool = False               # so are the times of the redirects on the way
    tls: bool = False                   # so is what the TLS handshake agreed on


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that one fetch needs to know."""

    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    request: RequestOptions = RequestOptions()
    redirects: RedirectOptions = RedirectOptions()
    tls: TlsOptions = TlsOptions()
    network: NetworkOptions = NetworkOptions()
    body: BodyOptions = BodyOptions()
