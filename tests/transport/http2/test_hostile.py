"""What a hostile or broken server can say in frames: a record with its word, in bounded time, and none of another line.
"""
import gzip
import os
from typing import Any

import pytest
from hyperframe.frame import DataFrame, HeadersFrame

from fetcher.options import BodyOptions, Limits, NetworkOptions, Timeouts
from tests.frames import FrameServer, frame
from tests.fetching import fetch_at_once

pytestmark = pytest.mark.usefixtures("codec")

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
ALL, ACK, ENDED, HEAD_ENDED = 0, 1, 1, 4


def flood(part, count):
    """Return a reaction that sends `part` very often, in pieces, and no answer."""
    def react(peer, stream):
        for _ in range(count // 1000):
            peer.send(part * 1000)
    return react


def head(*fields, status=b"200", **more):
    """Return a reaction that answers with these fields."""
    def react(peer, stream):
        peer.send(peer.head(stream, fields, status, **more))
        if not more.get("ended"):
            peer.send(peer.data(stream, b"ok"))
    return react


def fields(*listed):
    """Return a reaction that answers with these fields alone, in this order."""
    return lambda peer, stream: peer.send(peer.fields(stream, listed), peer.data(stream, b"ok"))


def after_head(make, given=()):
    """Return a reaction that sends a good head, and then what `make(peer, stream)` returns."""
    return lambda peer, stream: peer.send(peer.head(stream, given), make(peer, stream))


def raw(make):
    """Return a reaction that sends what `make(stream)` returns."""
    return lambda peer, stream: peer.send(make(stream))


def cut(peer, stream):
    peer.send(peer.head(stream, [(b"content-length", b"5")]), peer.data(stream, b"ok", ended=False))
    raise OSError


def close(peer, stream):
    raise OSError


def interim(peer, stream):
    for _ in range(2000):
        peer.send(peer.head(stream, status=b"103") * 1)


def padded(stream):
    return DataFrame(stream, b"ok", pad_length=200, flags=["PADDED", "END_STREAM"]).serialize()


BOMB = [(b"x%d" % number, b"y" * 400) for number in range(1000)]
OK = {None}
PROTOCOL, INCOMPLETE = {"protocol"}, {"incomplete"}
EITHER = PROTOCOL | INCOMPLETE
FLOODS = {
    "settings": (flood(frame(SETTINGS, 0, 0), 300_000), PROTOCOL),
    "settings with values": (flood(frame(SETTINGS, 0, 0, b"\0\4\0\1\0\0" * 6), 100_000), PROTOCOL),
    "acknowledgements": (flood(frame(SETTINGS, ACK, 0), 300_000), PROTOCOL),
    "pings": (flood(frame(PING, 0, 0, bytes(8)), 300_000), PROTOCOL),
    "answers to pings": (flood(frame(PING, ACK, 0, bytes(8)), 300_000), PROTOCOL),
    "windows": (flood(frame(WINDOW, 0, 0, b"\0\0\0\1"), 300_000), PROTOCOL),
    "priorities": (flood(frame(PRIORITY, 0, 1, b"\0\0\0\3\0"), 300_000), PROTOCOL),
    "frames of no type": (flood(frame(0xFA, 0, 0, b"x" * 20), 300_000), PROTOCOL),
    "resets of nobody": (flood(frame(RST, 0, 99, b"\0\0\0\x08"), 100_000), PROTOCOL),
    "goodbyes": (flood(frame(GOAWAY, 0, 0, b"\x7f\xff\xff\xff\0\0\0\0"), 300_000), PROTOCOL),
    "interim answers": (interim, PROTOCOL),
}
BODIES = {
    "empty parts": (after_head(lambda peer, stream: frame(DATA, 0, stream) * 200_000), PROTOCOL),
    "padding alone": (after_head(lambda peer, stream: frame(DATA, 8, stream, b"\xff" + bytes(255)) * 20_000), PROTOCOL),
    "padding beside a body": (after_head(lambda peer, stream: padded(stream)), OK),
    "more padding than frame": (after_head(lambda peer, stream: frame(DATA, 9, stream, b"\xff" + bytes(10))), PROTOCOL),
    "a body without end": (after_head(lambda peer, stream: peer.data(stream, b"x" * 3_000_000, False)), {"too_large"}),
    "more than its length": (head((b"content-length", b"1")), PROTOCOL),
    "less than its length": (head((b"content-length", b"5")), PROTOCOL),
    "two lengths": (head((b"content-length", b"2"), (b"content-length", b"3")), PROTOCOL),
    "a length of letters": (head((b"content-length", b"two")), PROTOCOL),
    "a length and no body": (head((b"content-length", b"5"), ended=True), PROTOCOL),
    "the end of the connection": (cut, INCOMPLETE),
    "a body before its head": (lambda peer, stream: peer.send(peer.data(stream, b"ok")), PROTOCOL),
    "a second head": (after_head(lambda peer, stream: peer.head(stream)), PROTOCOL),
    "trailers that do not end it": (after_head(lambda peer, stream: peer.data(stream, b"ok", False)
                                               + peer.fields(stream, [(b"t", b"1")])), PROTOCOL),
    "trailers with a status": (after_head(lambda peer, stream: peer.data(stream, b"ok", False)
                                          + peer.fields(stream, [(b":status", b"200")], True)), PROTOCOL),
    "good trailers": (after_head(lambda peer, stream: peer.data(stream, b"ok", False)
                                 + peer.fields(stream, [(b"t", b"1")], True)), OK),
    "gzip that is none": (head((b"content-encoding", b"gzip")), {"decode"}),
    "a bomb": (after_head(lambda peer, stream: peer.data(stream, gzip.compress(bytes(5_000_000))),
                          [(b"content-encoding", b"gzip")]), {"too_large"}),
}
HEADS = {
    "no status": (fields((b"x", b"1")), PROTOCOL),
    "two statuses": (fields((b":status", b"200"), (b":status", b"200")), PROTOCOL),
    "a status of letters": (fields((b":status", b"2xx")), PROTOCOL),
    "a status of four digits": (fields((b":status", b"2000")), PROTOCOL),
    "a pseudo-field of a request": (fields((b":status", b"200"), (b":path", b"/")), PROTOCOL),
    "a pseudo-field of nobody": (fields((b":status", b"200"), (b":x", b"/")), PROTOCOL),
    "a status after other fields": (fields((b"x", b"1"), (b":status", b"200")), PROTOCOL),
    "upper case": (head((b"Server", b"x")), PROTOCOL),
    "a space in a name": (head((b"a b", b"x")), PROTOCOL),
    "no name": (head((b"", b"x")), PROTOCOL),
    "CR in a value": (head((b"x", b"a\rb")), PROTOCOL),
    "LF in a value": (head((b"x", b"a\nset-cookie: b=c")), PROTOCOL),
    "NUL in a value": (head((b"x", b"a\0b")), PROTOCOL),
    "a field of HTTP/1.1": (head((b"connection", b"close")), PROTOCOL),
    "chunks": (head((b"transfer-encoding", b"chunked")), PROTOCOL),
    "a bomb of fields": (head(*BOMB), PROTOCOL),
    "very many fields": (head(*[(b"x", b"y")] * 1500), PROTOCOL),
    "continuations without end": (raw(lambda stream: frame(HEADERS, 0, stream, b"\x88") + frame(
        CONTINUATION, 0, stream, b"\x00\x01a\x01b" * 100) * 5000), PROTOCOL),
    "empty continuations": (raw(lambda stream: frame(HEADERS, 0, stream, b"\x88") + frame(
        CONTINUATION, 0, stream) * 100_000), PROTOCOL),
    "a continuation of nothing": (raw(lambda stream: frame(CONTINUATION, 4, stream, b"\x88")), PROTOCOL),
    "another frame within a head": (raw(lambda stream: frame(HEADERS, 0, stream, b"\x88") + frame(
        PING, 0, 0, bytes(8))), PROTOCOL),
    "an index that is none": (raw(lambda stream: frame(HEADERS, 5, stream, b"\xff\xff\xff\x7f")), PROTOCOL),
    "Huffman that is none": (raw(lambda stream: frame(HEADERS, 5, stream, b"\x88\x00\x84\xff\xff\xff\xff\x01a")),
                             PROTOCOL),
    "a stream that depends on itself": (raw(lambda stream: HeadersFrame(
        stream, b"\x88", flags=["END_HEADERS", "END_STREAM", "PRIORITY"], depends_on=stream).serialize()),
        PROTOCOL | OK),
}
CONNECTIONS = {
    "silence": (lambda peer, stream: None, {"timeout"}),
    "the end": (close, INCOMPLETE),
    "HTTP/1.1": (lambda peer, stream: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), PROTOCOL),
    "nonsense": (lambda peer, stream: peer.send(os.urandom(10_000)), PROTOCOL | {"timeout"} | INCOMPLETE),
    "a frame that is too long": (raw(lambda stream: frame(DATA, 0, stream, b"x", length=1_000_000)), PROTOCOL),
    "an answer to nobody": (lambda peer, stream: peer.answer(9001), PROTOCOL),
    "a stream of its own": (lambda peer, stream: peer.answer(2), PROTOCOL | {"timeout"}),
    "a push": (lambda peer, stream: peer.send(frame(PUSH, 4, stream, b"\0\0\0\2\x82\x87\x84")),
               PROTOCOL | {"timeout"}),
    "a window beyond all": (raw(lambda stream: frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff") * 2), PROTOCOL),
    "a window of nothing": (raw(lambda stream: frame(WINDOW, 0, 0, bytes(4))), PROTOCOL),
    "settings of half a size": (raw(lambda stream: frame(SETTINGS, 0, 0, b"\0\4\0")), PROTOCOL),
    "a frame size below all": (raw(lambda stream: frame(SETTINGS, 0, 0, b"\0\5\0\0\0\1")), PROTOCOL),
    "a ping of half a size": (raw(lambda stream: frame(PING, 0, 0, b"x")), PROTOCOL),
    "a reset of half a size": (raw(lambda stream: frame(RST, 0, stream, b"x")), PROTOCOL),
    "settings on a stream": (raw(lambda stream: frame(SETTINGS, 0, stream)), PROTOCOL),
    "a goodbye of half a size": (raw(lambda stream: frame(GOAWAY, 0, 0, b"x")), PROTOCOL),
    "refused again and again": (lambda peer, stream: peer.send(peer.reset(stream, 7)), INCOMPLETE),
    "goodbye again and again": (lambda peer, stream: peer.send(peer.goaway(0)), INCOMPLETE),
    "HTTP/1.1 wanted": (lambda peer, stream: peer.send(peer.reset(stream, 13)), PROTOCOL),
    "an internal error": (lambda peer, stream: peer.send(peer.reset(stream, 2)), INCOMPLETE),
    "an error that nobody knows": (lambda peer, stream: peer.send(peer.reset(stream, 99_999)), PROTOCOL),
}
KINDS: dict[str, Any] = {**FLOODS, **BODIES, **HEADS, **CONNECTIONS}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_hostile_ends_its_own_request_alone(kind):
    hostile, words = KINDS[kind]

    def react(peer, stream):
        hostile(peer, stream) if peer.path(stream) == b"/evil" else peer.answer(stream)

    with FrameServer(react) as server:
        urls = [server.url(path) for path in ("/1", "/2", "/evil", "/3", "/4")]
        results = fetch_at_once(
            [*urls, server.url("/5")], network=NetworkOptions(proxy="", http="2"), limits=Limits(per_host=5),
            body=BodyOptions(keep=True, max_size=1_000_000),
            timeouts=Timeouts(read=0.5, total=1) if "timeout" in words else Timeouts(read=10, total=20))
    told = {result.url.rpartition("/")[2]: (result.error, result.error_message) for result in results}
    evil, _ = told.pop("evil")
    assert evil in words
    assert told == {name: (None, None) for name in "12345"}


def test_a_connection_that_ends_before_any_answer_fails_only_the_request_that_ended_it():
    first = []

    def react(peer, stream):
        first.append(peer)
        if peer.path(stream) == b"/evil":
            close(peer, stream)
        elif peer is not first[0]:
            peer.answer(stream)

    with FrameServer(react) as server:
        results = fetch_at_once([server.url(path) for path in ("/1", "/2", "/evil")],
                                network=NetworkOptions(proxy="", http="2"), limits=Limits(per_host=3))
    assert {result.url.rpartition("/")[2]: result.error for result in results} == {
        "1": None, "2": None, "evil": "incomplete"}
