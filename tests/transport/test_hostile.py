"""What a hostile or broken server can answer: only its own request fails, with a documented error word."""
import gzip

import pytest

from fetcher.options import BodyOptions, RedirectOptions, RetryOptions, Timeouts
from tests.broken_server import CLOSE, RESET, SILENCE, BrokenServer
from tests.fetching import fetch_in_turn

pytestmark = pytest.mark.usefixtures("transport")

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GO = b"HTTP/1.1 302 Go\r\nContent-Length: 0\r\nLocation: "
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
ZIPPED = gzip.compress(bytes(100))
BOMB = gzip.compress(bytes(5_000_000))
LAST = b"0\r\n\r\n"


def drip(data):
    """Return a script that sends `data`, a byte every 50 ms."""
    return [step for byte in data for step in (bytes([byte]), 0.05)]


def sized(fields, body=b"ok"):
    """Return an answer with a Content-Length."""
    return OK + fields + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


STARTS = {
    "no byte at all": ([CLOSE], "incomplete"),
    "a reset": ([RESET], "incomplete"),
    "silence": ([SILENCE], "timeout"),
    "an empty line": ([b"\r\n", CLOSE], "incomplete"),
    "empty lines without end": ([b"\r\n" * 1_000_000], "protocol"),
    "no HTTP": ([b"<html>hello</html>\r\n\r\n"], "protocol"),
    "HTTP/0.9": ([b"just the page"], "protocol"),
    "HTTP/2": ([b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"], "protocol"),
    "HTTP/2 by name": ([b"HTTP/2 200\r\n\r\n"], "protocol"),
    "an alert of TLS": ([b"\x15\x03\x01\x00\x02\x02\x46"], "protocol"),
    "SSH": ([b"SSH-2.0-OpenSSH_9.9\r\n"], "protocol"),
    "NUL alone": ([b"\0" * 1000], "protocol"),
    "a version without end": ([b"HTTP/1." + b"1" * 1_000_000], "protocol"),
    "a status of letters": ([b"HTTP/1.1 abc OK\r\n\r\n"], "protocol"),
    "a status below 100": ([b"HTTP/1.1 099 Low\r\n\r\n"], "protocol"),
    "a negative status": ([b"HTTP/1.1 -20 Low\r\n\r\n"], "protocol"),
    "a status of four digits": ([b"HTTP/1.1 2000 OK\r\n\r\n"], "protocol"),
    "a reason without end": ([b"HTTP/1.1 200 " + b"x" * 1_000_000], "protocol"),
    "NUL in the reason": ([b"HTTP/1.1 200 O\0K\r\n\r\n"], "protocol"),
    "another protocol": ([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nwhatever"], None),
    "an end within the status line": ([b"HTTP/1.1 20", CLOSE], "incomplete"),
    "a reset within the status line": ([b"HTTP/1.1 20", 0.05, RESET], "incomplete"),
    "a status line that drips": (drip(b"HTTP/1.1 200 OK" * 9), "timeout"),
}
HEADS = {
    "an end within a field": ([OK + b"X: y", CLOSE], "incomplete"),
    "a reset within a field": ([OK + b"X: y", 0.05, RESET], "incomplete"),
    "silence within the head": ([OK + b"X: y\r\n", SILENCE], "timeout"),
    "no colon": ([OK + b"no colon\r\n\r\n"], "protocol"),
    "NUL in a value": ([OK + b"X: a\0b\r\n\r\n"], "protocol"),
    "NUL in a name": ([OK + b"X\0: b\r\n\r\n"], "protocol"),
    "a value without end": ([OK + b"X: " + b"y" * 1_000_000], "protocol"),
    "a name without end": ([OK + b"x" * 1_000_000], "protocol"),
    "fields without end": ([OK + b"X: y\r\n" * 200_000], "protocol"),
    "very many fields": ([OK + b"X: y\r\n" * 1500 + b"\r\n"], "protocol"),
    "folds without end": ([OK + b"X: y\r\n" + b" z\r\n" * 200_000], "protocol"),
    "very many cookies": ([sized(b"\r\n".join(b"Set-Cookie: c%d=x" % number for number in range(900)))], None),
    "a cookie of nonsense": ([sized(b"Set-Cookie: =;;;\xff; expires=never; max-age=\xb2; domain=..")], None),
    "a challenge of nonsense": ([b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest \"=,,=\"realm\r\n\r\n"], "http"),
    "a wait of nonsense": ([b"HTTP/1.1 503 No\r\nRetry-After: \xb2 Feb 99999\r\nContent-Length: 0\r\n\r\n"], "http"),
    "a wait for ever": ([b"HTTP/1.1 503 No\r\nRetry-After: " + b"9" * 5000 + b"\r\nContent-Length: 0\r\n\r\n"], "http"),
    "a charset of nonsense": ([sized(b"Content-Type: text/html; charset=\"\xff\0x"[:-2])], None),
    "a charset that is no text": ([sized(b"Content-Type: text/plain; charset=zip", b"\xff\xfe\x00")], None),
    "interim answers without end": ([INTERIM * 50_000], "protocol"),
    "an interim answer alone": ([INTERIM, CLOSE], "incomplete"),
    "an interim answer and nonsense": ([INTERIM + b"nonsense\r\n\r\n"], "protocol"),
}
LENGTHS = {
    "two lengths": ([OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nok"], "protocol"),
    "a negative length": ([OK + b"Content-Length: -1\r\n\r\nok"], "protocol"),
    "a length in hex": ([OK + b"Content-Length: 0x2\r\n\r\nok"], "protocol"),
    "a superscript as length": ([OK + b"Content-Length: \xb2\r\n\r\nok"], "protocol"),
    "a length of many digits": ([OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nok"], "protocol"),
    "a length that is never reached": ([OK + b"Content-Length: 5\r\n\r\nok", CLOSE], "incomplete"),
    "a reset within the body": ([OK + b"Content-Length: 5\r\n\r\nok", 0.05, RESET], "incomplete"),
    "silence within the body": ([OK + b"Content-Length: 5\r\n\r\nok", SILENCE], "timeout"),
    "a body that drips": ([OK + b"Content-Length: 99\r\n\r\n", *drip(b"x" * 99)], "timeout"),
    "a body without end": ([OK + b"\r\n", *[b"x" * 100_000] * 100], "too_large"),
    "a body that was not to be": ([b"HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\nbody"], None),
}
CHUNKS = {
    "an end within a chunk": ([CHUNKED + b"5\r\nhe", CLOSE], "incomplete"),
    "an end before the last chunk": ([CHUNKED + b"2\r\nok\r\n", CLOSE], "incomplete"),
    "a reset within a chunk": ([CHUNKED + b"5\r\nhe", 0.05, RESET], "incomplete"),
    "an extension without end": ([CHUNKED + b"2;" + b"x" * 1_000_000], "protocol"),
    "extensions without end": ([CHUNKED + b"1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n" * 50_000], "protocol"),
    "a size of many digits": ([CHUNKED + b"f" * 17 + b"\r\nok"], "protocol"),
    "a size that is never reached": ([CHUNKED + b"f" * 16 + b"\r\nok", CLOSE], "incomplete"),
    "a size of letters": ([CHUNKED + b"xyz\r\nok\r\n" + LAST], "protocol"),
    "a negative size": ([CHUNKED + b"-2\r\nok\r\n" + LAST], "protocol"),
    "no size": ([CHUNKED + b"\r\nok\r\n" + LAST], "protocol"),
    "a chunk that is too long": ([CHUNKED + b"2\r\nokay\r\n" + LAST], "protocol"),
    "chunks of a byte without end": ([CHUNKED + b"1\r\nx\r\n" * 200_000], "too_large"),
    "a trailer without end": ([CHUNKED + b"0\r\n" + b"X: y\r\n" * 200_000], "protocol"),
    "a trailer that is cut": ([CHUNKED + b"0\r\nX: y\r\n", CLOSE], "incomplete"),
    "an unknown coding of the transfer": ([OK + b"Transfer-Encoding: what, chunked\r\n\r\n" + LAST], "protocol"),
    "chunked within chunked": ([OK + b"Transfer-Encoding: chunked, gzip, chunked\r\n\r\n" + LAST], "protocol"),
    "chunked that is not last": ([OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + LAST], "protocol"),
    "chunked with a parameter": ([OK + b"Transfer-Encoding: chunked;q=1\r\n\r\n" + LAST], "protocol"),
    "gzip within chunks, and none": ([OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n" + LAST], "decode"),
}
CODINGS = {
    "gzip that is none": ([sized(b"Content-Encoding: gzip", b"<html>no gzip</html>")], "decode"),
    "gzip that is cut": ([sized(b"Content-Encoding: gzip", ZIPPED[:-9])], "incomplete"),
    "a bomb": ([sized(b"Content-Encoding: gzip", BOMB)], "too_large"),
    "a bomb within a bomb": ([sized(b"Content-Encoding: gzip, gzip", gzip.compress(BOMB))], "too_large"),
    "codings without end": ([sized(b"Content-Encoding: " + b", ".join([b"gzip"] * 1000), ZIPPED)], "decode"),
    "a coding that nobody knows": ([sized(b"Content-Encoding: what")], None),
    "brotli that is none": ([sized(b"Content-Encoding: br", b"\xff" * 100)], "decode"),
    "zstd that is none": ([sized(b"Content-Encoding: zstd", b"\xff" * 100)], "decode"),
}
REDIRECTS = {
    "a loop": ([GO + b"/\r\n\r\n"], "too_many_redirects"),
    "a Location of nonsense": ([GO + b"http://[::1\r\n\r\n"], "invalid_url"),
    "a Location with a port of nonsense": ([GO + b"http://127.0.0.1:99999/\r\n\r\n"], "invalid_url"),
    "another scheme": ([GO + b"file:///etc/passwd\r\n\r\n"], "invalid_url"),
    "a script": ([GO + b"javascript:alert(1)\r\n\r\n"], "invalid_url"),
    "a Location that is too long": ([GO + b"/" + b"x" * 1_000_000 + b"\r\n\r\n"], "protocol"),
    "a control character": ([GO + b"/a\x01b\r\n\r\n"], "invalid_url"),
    "an injected field": ([GO + b"/a\rX-Injected: 1\r\n\r\n"], "too_many_redirects"),
    "a name that nobody has": ([GO + b"http://nowhere.invalid/\r\n\r\n"], "dns"),
    "a label that is too long": ([GO + b"http://" + b"x" * 300 + b".example/\r\n\r\n"], "invalid_url"),
}
KINDS = {**STARTS, **HEADS, **LENGTHS, **CHUNKS, **CODINGS, **REDIRECTS}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_hostile_ends_its_own_request_alone(kind, server):
    script, word = KINDS[kind]
    timeouts = Timeouts(total=0.3) if word == "timeout" else Timeouts(read=2, total=20)
    with BrokenServer(*script) as hostile:
        harmless = server.url("/headers", host="127.0.0.1")
        results = fetch_in_turn(
            [hostile.url(), harmless], timeouts=timeouts, retry=RetryOptions(retries=0, max_wait=0.1),
            body=BodyOptions(keep=True, max_size=100_000), redirects=RedirectOptions(max_redirects=3))
    errors = {result.url: result.error for result in results}
    assert (len(results), errors) == (2, {hostile.url(): word, harmless: None})
