"""The answers of the server: a function for each route, whose docstring is the help for it.

`table.ROUTES` has them by the first segment of the path. The second segment is the argument. Further segments are
ignored, so that a list can have many different URLs of one kind: /bytes/1000/1, /bytes/1000/2, ...
"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from math import ceil
from string import punctuation
from time import monotonic
from urllib.parse import quote

import orjson

from fetcher.demo.bodies import PIECE_BYTES, coded, pattern, requested_range, zeros_in_gzip
from fetcher.demo.memory import Memory
from fetcher.demo.message import BINARY, CLOSE, JSON, LISTEN, Answer, Request, Step
from fetcher.demo.table import ROUTES, Reply, count, final_status, route, seconds

ETAG = '"demo-1"'
LAST_MODIFIED = "Wed, 01 Jan 2025 00:00:00 GMT"


def respond(request: Request, memory: Memory) -> Iterator[Step]:
    """Return the steps that answer `request`."""
    if request.too_large:
        return Answer(b"The request's body is too large.\n", status=413).steps(request)
    _, name, *rest = request.path.split("/", 3) if request.path.startswith("/") else ("", "*")
    route = ROUTES.get(name)
    if route is None:
        return Answer(b"There is no such route; / lists them.\n", status=404).steps(request)
    try:
        arguments = (route.convert(rest[0] if rest else ""),) if route.convert else ()
        reply = route.handler(request, memory, *arguments)
    except ValueError as error:
        return Answer(f"{route.usage}: {error}\n".encode(), status=400).steps(request)
    return reply.steps(request) if isinstance(reply, Answer) else reply


def usage() -> str:
    """Return all routes with their help, as text."""
    width = max(len(route.usage) for route in ROUTES.values()) + 2
    return "".join(f"{route.usage:{width}}{route.help}\n" for route in ROUTES.values())


@route("/")
def index(request: Request, memory: Memory) -> Answer:
    """This list."""
    return Answer(usage().encode())


@route("/status/N", final_status)
def status_n(request: Request, memory: Memory, status: int) -> Answer:
    """Answers with status N."""
    return Answer(f"{status}\n".encode(), status)


@route("/bytes/N", count)
def bytes_n(request: Request, memory: Memory, size: int) -> Answer:
    """N bytes with Content-Length; a Range is honoured."""
    asked = requested_range(request.value("range"), size)
    if asked is None:
        return _pattern(range(size), 200, ("Accept-Ranges", "bytes"))
    if not asked:
        return Answer(status=416, fields=(("Content-Range", f"bytes */{size}"),))
    return _pattern(asked, 206, ("Content-Range", f"bytes {asked.start}-{asked.stop - 1}/{size}"))


@route("/chunked/N", count)
def chunked_n(request: Request, memory: Memory, size: int) -> Answer:
    """N bytes in chunks of up to 4096."""
    return Answer(pattern(range(size), piece_bytes=4096), content_type=BINARY)


@route("/delay/S", seconds)
def delay(request: Request, memory: Memory, pause: float) -> Iterator[Step]:
    """Answers after S seconds."""
    yield pause
    yield from Answer(f"That took {pause:g} s.\n".encode()).steps(request)


@route("/drip?bytes=10&seconds=5")
def drip(request: Request, memory: Memory) -> Answer:
    """Sends the body a byte at a time, spread over the seconds."""
    size, duration = count(request.query.get("bytes", "10")), seconds(request.query.get("seconds", "5"))
    return Answer((step for _ in range(size) for step in (duration / size, b".")), length=size)


@route("/hang")
def hang(request: Request, memory: Memory) -> Iterator[Step]:
    """Never answers."""
    return repeat(LISTEN)


@route("/redirect/N", count)
def redirect_n(request: Request, memory: Memory, hops: int) -> Answer:
    """Redirects N times, in the end to /headers."""
    return _redirect(f"/redirect/{hops - 1}" if hops > 1 else "/headers")


@route("/redirect-loop")
def redirect_loop(request: Request, memory: Memory) -> Answer:
    """Redirects to itself."""
    return _redirect("/redirect-loop")


@route("/redirect-to?url=/&status=302")
def redirect_to(request: Request, memory: Memory) -> Answer:
    """Redirects to the URL."""
    return _redirect(request.query.get("url", "/"), final_status(request.query.get("status", "302")))


@route("/etag")
def etag(request: Request, memory: Memory) -> Answer:
    """Has an ETag and a Last-Modified; 304 to those who know them."""
    known = request.value("if-none-match")
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")] if known else []
    fresh = ETAG in tags or "*" in tags if tags else request.value("if-modified-since") == LAST_MODIFIED
    return Answer(b"" if fresh else b"This never changes.\n", 304 if fresh else 200,
                  fields=(("ETag", ETAG), ("Last-Modified", LAST_MODIFIED)))


@route("/retry-after/N", count)
def retry_after(request: Request, memory: Memory, pause: int) -> Answer:
    """429 with Retry-After for N seconds from the first request on, then 200 for a minute, then over again."""
    key, now = request.host + request.target, monotonic()
    opens = memory.windows.get(key)
    if opens is None or now >= opens + 60:
        opens = memory.windows[key] = now + pause
    if now >= opens:
        return Answer(b"Thank you for waiting.\n")
    return Answer(b"Not yet.\n", 429, fields=(("Retry-After", str(ceil(round(opens - now, 3)))),))


@route("/crowd/N?seconds=0.1&pause=1", count)
def crowd(request: Request, memory: Memory, most: int) -> Reply:
    """Answers after the seconds; where the Host has more than N at once, 429 with Retry-After for the pause, if any."""
    duration, pause = seconds(request.query.get("seconds", "0.1")), count(request.query.get("pause", "1"))
    if memory.at_once(request.host) > most:
        return Answer(b"Too many at once.\n", 429, fields=(("Retry-After", str(pause)),) if pause else ())
    return delay(request, memory, duration)


@route("/flaky/N", count)
def flaky(request: Request, memory: Memory, failures: int) -> Answer:
    """503 to the first N requests of this path and query, then 200."""
    key = request.host + request.target
    if memory.failures[key] >= failures:
        return Answer(b"It works.\n")
    memory.failures[key] += 1
    return Answer(b"Try again.\n", 503)


@route("/gzip")
def gzip(request: Request, memory: Memory) -> Answer:
    """A text in the content coding gzip."""
    return _coded("gzip")


@route("/deflate")
def deflate(request: Request, memory: Memory) -> Answer:
    """The same in deflate."""
    return _coded("deflate")


@route("/br")
def br(request: Request, memory: Memory) -> Answer:
    """The same in Brotli."""
    return _coded("br")


@route("/zstd")
def zstd(request: Request, memory: Memory) -> Answer:
    """The same in Zstandard."""
    return _coded("zstd")


@route("/headers")
def headers(request: Request, memory: Memory) -> Answer:
    """The header fields of the request, as JSON."""
    fields: dict[str, str] = {}
    for name, value in request.fields:
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return Answer(orjson.dumps(fields), content_type=JSON)


@route("/echo")
def echo(request: Request, memory: Memory) -> Answer:
    """The method and the target of the request on a line, then its body."""
    return Answer(f"{request.method} {request.target}\n".encode("latin-1") + request.body, content_type=BINARY)


@route("/stats?reset=0&times=0")
def stats(request: Request, memory: Memory) -> Answer:
    """For each Host: requests, at once now, most at once, arrival times; as JSON. reset=1 counts anew from here on."""
    answer = Answer(orjson.dumps(memory.stats(times=request.query.get("times") == "1")), content_type=JSON)
    if request.query.get("reset") == "1":
        memory.reset()
    return answer


@route("/garbage")
def garbage(request: Request, memory: Memory) -> Iterator[Step]:
    """Speaks another protocol."""
    yield b"SSH-2.0-OpenSSH_9.2p1\r\n"
    yield CLOSE


@route("/cut/N", count)
def cut(request: Request, memory: Memory, missing: int) -> Answer:
    """Closes N bytes before the promised end of the body."""
    return Answer((b"." * 1000, CLOSE), length=1000 + missing)


@route("/close")
def close(request: Request, memory: Memory) -> Iterator[Step]:
    """Closes without an answer."""
    yield CLOSE


@route("/bad-gzip")
def bad_gzip(request: Request, memory: Memory) -> Answer:
    """Calls gzip what is none."""
    header, no_such_block = coded("gzip")[:10], b"\xff" * 100
    return Answer(header + no_such_block, fields=(("Content-Encoding", "gzip"),))


@route("/bomb")
def bomb(request: Request, memory: Memory) -> Answer:
    """256 MB of zeros in a quarter of a megabyte of gzip."""
    return Answer(zeros_in_gzip(), content_type=BINARY, fields=(("Content-Encoding", "gzip"),))


def _pattern(positions: range, status: int, field: tuple[str, str]) -> Answer:
    pieces = pattern(positions)
    body = pieces if len(positions) > PIECE_BYTES else b"".join(pieces)
    return Answer(body, status, BINARY, (field,), len(positions))


def _coded(coding: str) -> Answer:
    return Answer(coded(coding), fields=(("Content-Encoding", coding),))


def _redirect(location: str, status: int = 302) -> Answer:
    """Return a redirect to `location`. Anything but visible ASCII is percent-encoded, so nothing leaves the field."""
    return Answer(b"Go on.\n", status, fields=(("Location", quote(location, safe=punctuation)),))
