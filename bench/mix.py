"""What a soak fetches: lines of every kind that a run can meet, without an end."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from bench.scenarios import HOSTS, NAMES

_CLOSED_PORT = 1        # nobody listens there
# How many of 100 lines are of each kind. {n} counts all lines; {host}, {few} and {some} come back.
_KINDS: tuple[tuple[int, str], ...] = (
    (24, "http://h{host}.localhost:{http}/1k/{n}"),                     # good ones, over connections that are kept
    (6, "http://h{host}.localhost:{http_close}/1k/{n}"),                # a connection each
    (8, "https://h{host}.localhost:{https}/1k/{n}"),
    (4, "https://h{host}.localhost:{https_close}/1k/{n}"),              # a handshake each, with a session that is known
    (4, "https://back{some}.tls.localhost:{https_close}/1k/{n}"),       # so many hosts that some sessions are forgotten
    (2, "https://x{n}.localhost:{https}/1k/{n}"),                    # the certificate is not theirs
    (1, "https://plain{n}.localhost:{serve}/bytes/10/{n}"),           # does not speak TLS
    (2, "http://{names}:{serve}/bytes/100/{n}"),                        # hosts that nobody comes back to
    (2, "http://{names}:{http}/1k/{n}"),                                # and such that have a robots.txt
    (8, "http://back{some}.localhost:{serve}/bytes/3000/{n}"),          # hosts that somebody comes back to
    (4, "http://back{few}.localhost:{serve}/chunked/50000/{n}"),
    (2, "http://back{few}.localhost:{serve}/gzip/{n}"),
    (2, "http://back{few}.localhost:{serve}/br/{n}"),
    (2, "http://back{few}.localhost:{serve}/zstd/{n}"),
    (4, "http://slow{few}.localhost:{serve}/delay/0.3/{n}"),
    (1, "http://silent{few}.localhost:{serve}/hang/{n}"),               # times out
    (4, "http://hops{few}.localhost:{serve}/redirect/3/{n}"),
    (1, "http://hops{few}.localhost:{serve}/redirect-loop/{n}"),
    (3, "http://hops{few}.localhost:{serve}/redirect-to?url=http://back{some}.localhost:{serve}/bytes/10/{n}"),
    (3, "http://state{few}.localhost:{serve}/etag/{some}"),             # with --state: 304 from the second time on
    (2, "http://bad{few}.localhost:{serve}/status/404/{n}"),
    (1, "http://bad{few}.localhost:{serve}/status/500/{n}"),            # retried in vain
    (2, "http://flaky{few}.localhost:{serve}/flaky/1/{n}"),             # retried with success
    (1, "http://pause{some}.localhost:{serve}/retry-after/1/{n}"),
    (1, "http://bad{few}.localhost:{serve}/cut/10/{n}"),
    (1, "http://bad{few}.localhost:{serve}/close/{n}"),
    (1, "http://bad{few}.localhost:{serve}/garbage/{n}"),
    (1, "http://bad{few}.localhost:{serve}/bad-gzip/{n}"),
    (1, "http://127.{high}.{low}.1:{closed}/{n}"),                      # nobody listens there
    (1, "http://none{n}.invalid/"),                                     # no such name
    (1, "ftp://h{host}.localhost/{n}"),                                 # not a URL to fetch
)
_SOME, _FEW = 2000, 50
ROBOTS = "User-agent: *\n" + "".join(f"Disallow: /private/{number}/*\n" for number in range(50))


def lines(ports: Mapping[str, int], dns: bool) -> Iterator[str]:
    """Yield URLs without an end. `ports` are nginx's, and `serve` of the embedded server.

    With `dns`, hosts that nobody comes back to have names that a name server is asked for.
    """
    names = f"n{{n}}.{NAMES}" if dns else "n{n}.localhost"
    kinds = [url.replace("{names}", names) for url in _spread()]
    for round in count():
        for place, kind in enumerate(kinds):
            number = round * len(kinds) + place
            yield kind.format(n=number, host=number % HOSTS, some=round % _SOME, few=round % _FEW,
                              high=round >> 8 & 0xFF, low=round & 0xFF, closed=_CLOSED_PORT, **ports)


def _spread() -> list[str]:
    """All kinds as often as they are wanted, none of them several times in a row."""
    places = [((nth + 0.5) / times, url) for times, url in _KINDS for nth in range(times)]
    return [url for _, url in sorted(places)]
