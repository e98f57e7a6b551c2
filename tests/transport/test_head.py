import pytest

from fetcher.transport.head import framing
from tests.transport.test_parser import PEER, outcome, parsed, sentence

OK = b"HTTP/1.1 200 OK\r\n"


def headers(answer):
    """Return the fields of an answer that is accepted, without Content-Length."""
    response = parsed(answer)
    assert outcome(response)[2:4] == (b"ok", None)
    return {name: value for name, value in response.headers.items() if name != "content-length"}


def error(answer):
    """Return why an answer is refused."""
    word, text = sentence(answer)
    assert word == "protocol"
    return text


# Accepted

@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\nok",
    b"HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\nok",
])
def test_bare_line_feeds(answer):
    assert headers(answer)["x"] == "y"


@pytest.mark.parametrize("line", [b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1 200 \xc3\xbcber", b"HTTP/1.0 200"])
def test_a_missing_or_strange_reason_phrase(line):
    assert headers(line + b"\r\nContent-Length: 2\r\n\r\nok") == {}


@pytest.mark.parametrize("fold", [b"\r\n ", b"\r\n\t", b"\n  "])
def test_a_folded_value(fold):
    (value,) = headers(OK + b"X: one" + fold + b"two\r\nContent-Length: 2\r\n\r\nok").values()
    assert value.split() == ["one", "two"]


@pytest.mark.parametrize("space", [b" ", b"\t", b"  "])
def test_white_space_before_a_colon(space):
    assert headers(OK + b"Name" + space + b": value\r\nContent-Length" + space + b": 2\r\n\r\nok") == {"name": "value"}


def test_white_space_before_a_colon_after_an_interim_answer():
    assert headers(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Name : x\r\nContent-Length: 2\r\n\r\nok") == {"name": "x"}


def test_control_characters_in_a_value():
    assert headers(OK + b"X: a\x01b\x7f\xff\r\nContent-Length: 2\r\n\r\nok") == {"x": "a\x01b\x7f\xff"}


def test_spaces_after_the_size_of_a_chunk():
    assert headers(OK + b"Transfer-Encoding: chunked\r\n\r\n2  \r\nok\r\n0 \r\n\r\n") == {
        "transfer-encoding": "chunked"}


@pytest.mark.parametrize("fields", [
    b"Content-Length: 2\r\nContent-Length: 2", b"Content-Length: 2, 2",
    b"Content-Length: 2,02,2", b"Content-Length:2,2,2\r\nCONTENT-LENGTH: 2", b"Content-Length: 2,",
    b"Content-Length: , 2 ,,02", b"Content-Length: " + b"0" * 40 + b"2"])
def test_the_same_length_several_times(fields):
    assert headers(OK + fields + b"\r\nX: y\r\n\r\nok") == {"x": "y"}


@pytest.mark.parametrize("fields", [
    b"Content-Length: 9\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: identity, Chunked\r\nContent-Length: 1",
    b"Content-Length: 1, 2\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: no"])
def test_a_length_beside_chunks(fields):
    assert "transfer-encoding" in headers(OK + fields + b"\r\n\r\n2\r\nok\r\n0\r\n\r\n")


def test_empty_lines_before_the_answer():
    assert headers(b"\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok") == {}
    assert headers(b"\n" + OK + b"X : y\r\nContent-Length: 2\r\n\r\nok") == {"x": "y"}


@pytest.mark.parametrize("fields", [
    b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: Chunked",
    b"Transfer-Encoding: identity, chunked, chunked"])
def test_chunks_that_are_told_of_twice(fields):
    assert "transfer-encoding" in headers(OK + fields + b"\r\n\r\n2\r\nok\r\n0\r\n\r\n")


@pytest.mark.parametrize("length", [b"", b"\r\nContent-Length: 1", b"\r\nContent-Length: 9"])
def test_a_coding_of_the_transfer_other_than_chunked_lasts_until_the_end(length):
    assert headers(OK + b"Transfer-Encoding: identity" + length + b"\r\n\r\nok") == {"transfer-encoding": "identity"}


def test_a_version_in_lower_case():
    assert headers(b"http/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\nok") == {"x": "y"}


@pytest.mark.parametrize("line", [b": x", b"na me: x", b"X(y): 1", b"\xfc: x", b"\x0bContent-Length: 9"])
def test_a_field_whose_name_is_no_token_is_dropped(line):
    assert headers(OK + line + b"\r\nContent-Length: 2\r\n\r\nok") == {}


def test_lines_that_end_in_two_returns():
    assert headers(b"HTTP/1.1 200 OK\r\r\nX: y\r\r\nContent-Length: 2\r\r\n\r\r\nok") == {"x": "y"}


# Refused

@pytest.mark.parametrize(("fields", "reason"), [
    (b"Content-Length: 1\r\nContent-Length: 2", "has different values of Content-Length: 1, 2."),
    (b"Content-Length: 1, 2", "has different values of Content-Length: 1, 2."),
    (b"Content-Length: -1", "has a Content-Length that is not a length: '-1'."),
    (b"Content-Length: +1", "has a Content-Length that is not a length: '+1'."),
    (b"Content-Length: 0x1", "has a Content-Length that is not a length: '0x1'."),
    (b"Content-Length: \xb2", "has a Content-Length that is not a length: '\xb2'."),
    (b"Content-Length: 99999999999999999999", "has a Content-Length that is not a length: '99999999999999999999'."),
    (b"Content-Length: ", "has a Content-Length that is not a length: ''."),
    (b"Content-Length: 2, 2x", "has a Content-Length that is not a length: '2x'."),
    (b"Transfer-Encoding: chunked, gzip", "has a Transfer-Encoding that cannot be read: 'chunked, gzip'."),
    (b"Transfer-Encoding: chunked, gzip, chunked",
     "has a Transfer-Encoding that cannot be read: 'chunked, gzip, chunked'."),
    (b"Transfer-Encoding: chunked;q=1", "has a Transfer-Encoding that cannot be read: 'chunked;q=1'."),
    (b"Transfer-Encoding: what, chunked", "has a Transfer-Encoding that cannot be read: 'what, chunked'."),
])
def test_a_body_without_a_clear_end_is_an_error(fields, reason):
    assert error(OK + fields + b"\r\n\r\nok") == f"The answer from {PEER} {reason}"


@pytest.mark.parametrize(("line", "reason"), [
    (b"no colon", "has a line without a colon."), (b"na\0me: value", "contains NUL."), (b"X: a\0b", "contains NUL.")])
def test_a_line_that_is_no_field_is_an_error(line, reason):
    assert error(OK + line + b"\r\n\r\nok") == f"The head of the answer from {PEER} {reason}"


@pytest.mark.parametrize("start", [
    b"<html>", b"SSH-2.0-x", b"HTTP/3.0 200 OK", b"HTTP/2.0 200 OK", b"HTTP/1.2 200 OK", b"HTTP/0.9 200 OK",
    b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 099 No", b"HTTP/1.1 abc", b"HTTP/1.1 200OK",
    b"HTTP/1.1\t200 OK", b"ICY 200 OK", b"GET / HTTP/1.1"])
def test_what_is_no_answer_of_http_1(start):
    shown = f"/1: it begins with {start.decode()[:16]!r}" if start.startswith(b"HTTP/") else ""
    assert error(start + b"\r\n\r\n") == f"The answer from {PEER} is not HTTP{shown}."


# Framing

def framed(fields=(), status=200, version="1.1", method="GET"):
    return framing((status, version, [(name.encode(), value.encode()) for name, value in fields]), method, PEER)


@pytest.mark.parametrize(("asked", "length", "chunked"), [
    ({}, None, False),
    ({"fields": [("content-length", "5")]}, 5, False),
    ({"fields": [("content-length", "5"), ("content-length", "05")]}, 5, False),
    ({"fields": [("transfer-encoding", "chunked")]}, None, True),
    ({"fields": [("transfer-encoding", "Chunked ,")]}, None, True),
    ({"fields": [("transfer-encoding", "\tchunked\t")]}, None, True),
    ({"fields": [("transfer-encoding", "chunked"), ("content-length", "5")]}, None, True),
    ({"fields": [("transfer-encoding", ""), ("content-length", "5")]}, 5, False),
    ({"fields": [("transfer-encoding", "identity")]}, None, False),
    ({"fields": [("content-length", "5")], "method": "HEAD"}, 0, False),
    ({"fields": [("transfer-encoding", "chunked")], "method": "HEAD"}, 0, False),
    ({"fields": [("content-length", "5")], "status": 204}, 0, False),
    ({"fields": [("content-length", "5")], "status": 304}, 0, False),
    ({"fields": [("content-length", "5")], "status": 101}, 0, False),
])
def test_where_a_body_ends(asked, length, chunked):
    assert framed(**asked)[:2] == (length, chunked)


@pytest.mark.parametrize(("transfer", "content", "codings"), [
    (["gzip, chunked"], None, (("gzip",), None)), (["gzip"], None, (("gzip",), None)),
    (["gzip", "chunked"], None, (("gzip",), None)), (["br, zstd, chunked"], None, (("br", "zstd"), None)),
    (["deflate,gzip , chunked"], "br", (("deflate", "gzip"), "br"))])
def test_what_a_body_is_coded_in(transfer, content, codings):
    fields = [("transfer-encoding", value) for value in transfer]
    if content is not None:
        fields.append(("content-encoding", content))
    found = framed(fields)
    assert (found.transfer_codings, found.content_coding) == codings


LENGTH = ("content-length", "5")
CHUNKED = ("transfer-encoding", "chunked")


@pytest.mark.parametrize(("fields", "version", "persistent", "promised"), [
    ([LENGTH], "1.1", True, False),
    ([LENGTH], "1.0", False, False),
    ([LENGTH, ("connection", "Keep-Alive")], "1.0", True, True),
    ([LENGTH, ("connection", "x"), ("connection", "CLOSE")], "1.1", False, False),
    ([LENGTH, ("connection", "close, keep-alive")], "1.1", False, False),
    ([], "1.1", False, False),
    ([CHUNKED], "1.1", True, False),
    ([CHUNKED, ("connection", "keep-alive")], "1.0", False, True),
    ([("transfer-encoding", "gzip")], "1.1", False, False),
])
def test_whether_a_connection_lasts(fields, version, persistent, promised):
    found = framed(fields, version=version)
    assert (found.persistent, found.promised) == (persistent, promised)
