import pytest

from tests.transport.test_parser import PEER, outcome, parsed, sentence

OK = b"HTTP/1.1 200 OK\r\n"


def headers(answer):
    """The fields of an answer that is accepted, without the one that says how long it is."""
    response = parsed(answer)
    assert outcome(response)[2:4] == (b"ok", None)
    return {name: value for name, value in response.headers.items() if name != "content-length"}


def error(answer):
    """Why an answer is refused."""
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
    b"Content-Length: 2\r\nContent-Length: 2", b"Content-Length: 2, 2", b"Content-Length:2,2,2\r\nCONTENT-LENGTH: 2"])
def test_the_same_length_several_times(fields):
    assert headers(OK + fields + b"\r\nX: y\r\n\r\nok") == {"x": "y"}


@pytest.mark.parametrize("fields", [
    b"Content-Length: 9\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: gzip, Chunked\r\nContent-Length: 1"])
def test_a_length_beside_chunks(fields):
    assert "transfer-encoding" in headers(OK + fields + b"\r\n\r\n2\r\nok\r\n0\r\n\r\n")


def test_empty_lines_before_the_answer():
    assert headers(b"\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok") == {}
    assert headers(b"\n" + OK + b"X : y\r\nContent-Length: 2\r\n\r\nok") == {"x": "y"}


def test_a_coding_of_the_transfer_other_than_chunked_lasts_until_the_end():
    assert headers(OK + b"Transfer-Encoding: identity\r\n\r\nok") == {"transfer-encoding": "identity"}


# Refused

@pytest.mark.parametrize(("fields", "reason"), [
    (b"Content-Length: 1\r\nContent-Length: 2", "has different values of Content-Length: 1, 2."),
    (b"Content-Length: 1, 2", "has different values of Content-Length: 1, 2."),
    (b"Content-Length: -1", "is not HTTP: Invalid character in Content-Length."),
    (b"Content-Length: +1", "is not HTTP: Invalid character in Content-Length."),
    (b"Content-Length: 0x1", "is not HTTP: Invalid character in Content-Length."),
    (b"Content-Length: 99999999999999999999", "is not HTTP: Content-Length overflow."),
    (b"Content-Length: ", "is not HTTP: Empty Content-Length."),
    (b"Content-Length: 2\r\nTransfer-Encoding: gzip",
     "has a Content-Length, and a Transfer-Encoding that is not chunked."),
    (b"Content-Length: 2\r\nTransfer-Encoding: chunked, gzip",
     "has a Content-Length, and a Transfer-Encoding that is not chunked."),
    (b"no colon", "is not HTTP: Invalid header token."),
    (b": no name", "is not HTTP: Invalid header token."),
    (b"na\0me: value", "is not HTTP: Invalid header token."),
    (b"na me: value", "is not HTTP: Invalid header token."),
])
def test_what_stays_an_error(fields, reason):
    assert error(OK + fields + b"\r\n\r\nok") == f"The answer of {PEER} {reason}"


def test_nul_in_a_value():
    assert error(OK + b"X: a\0b\r\n\r\nok") == f"The field x in the answer of {PEER} contains NUL."


@pytest.mark.parametrize("start", [
    b"<html>", b"SSH-2.0-x", b"HTTP/3.0 200 OK", b"HTTP/1.2 200 OK", b"HTTP/1.1 20 OK",
    b"HTTP/1.1 2000 OK", b"HTTP/1.1 abc", b"http/1.1 200 OK", b"HTTP/1.1\t200 OK", b"ICY 200 OK", b"GET / HTTP/1.1",
])
def test_what_is_no_answer_of_http_1(start):
    assert error(start + b"\r\n\r\n").startswith(f"The answer of {PEER} is not HTTP: ")


@pytest.mark.parametrize(("line", "told"), [
    (b"HTTP/1.1 099 No", "version 1.1, status 099"), (b"HTTP/0.9 200 OK", "version 0.9, status 200"),
    (b"HTTP/2.0 200 OK", "version 2.0, status 200")])
def test_versions_and_statuses_that_no_answer_can_have(line, told):
    assert error(line + b"\r\n\r\n") == f"The answer of {PEER} is not HTTP/1: {told}."


@pytest.mark.parametrize("chunks", [
    b"x\r\nok\r\n", b"\r\nok\r\n", b"-2\r\nok\r\n", b"2\r\nokay\r\n", b"2\nok\r\n", b"2;\0\r\nok\r\n",
    b"ffffffffffffffffff\r\nok\r\n"])
def test_broken_chunks(chunks):
    assert error(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks).startswith(f"The answer of {PEER} is not HTTP: ")
