import pytest

from fetcher import __version__
from fetcher.options import RequestOptions
from fetcher.transport.headers import Headers, request_fields, retry_after
from tests.broken_server import BrokenServer
from tests.fetching import fetch

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def fields(**options):
    """Return the fields of a request by name. Names are unique here."""
    found = request_fields(RequestOptions(**options))
    assert len(dict(found)) == len(found)
    return dict(found)


def head(**options):
    """Return the lines of a request as the server receives them."""
    with BrokenServer(OK) as server:
        fetch(server.url("/a?b#c"), request=RequestOptions(**options))
        lines = server.requests[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
        return [line.replace(b":%d" % server.port, b"") for line in lines]


# Of a request

def test_a_plain_request():
    assert head() == [b"GET /a?b HTTP/1.1", b"Host: 127.0.0.1", f"User-Agent: fetcher/{__version__}".encode(),
                      b"Accept: */*", b"Accept-Encoding: gzip, deflate, br, zstd"]


def test_a_request_with_content():
    assert head(data=b"a=b")[0] == b"POST /a?b HTTP/1.1"
    assert {b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: 3"} <= set(head(data=b"a=b"))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_method_that_has_content_says_that_it_has_none(method):
    assert b"Content-Length: 0" in head(method=method)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_method_that_has_no_content_says_nothing_of_it(method):
    assert not any(line.startswith(b"Content-") for line in head(method=method))


def test_a_length_given_by_hand_is_not_given_twice():
    lines = head(data=b"a=b", headers=(("content-length", "3"),))
    assert [line for line in lines if line.lower().startswith(b"content-length")] == [b"content-length: 3"]


def test_a_given_field_replaces_one_of_ours_and_keeps_its_spelling():
    found = fields(headers=(("user-AGENT", "me"), ("X-A", "b")))
    assert "User-Agent" not in found and (found["user-AGENT"], found["X-A"]) == ("me", "b")


def test_a_field_can_be_given_several_times():
    given = (("X-A", "1"), ("X-A", "2"))
    assert request_fields(RequestOptions(headers=given))[-2:] == given


def test_a_host_given_by_hand_is_the_host():
    lines = head(headers=(("Host", "a.example"),))
    assert [line for line in lines if line.lower().startswith(b"host")] == [b"Host: a.example"]


def test_a_field_without_a_value_is_left_out():
    assert "Accept" not in fields(headers=(("accept", ""),))
    assert "X-A" not in fields(headers=(("X-A", ""),))


def test_a_field_with_a_semicolon_is_sent_empty():
    assert fields(headers=(("X-A;", ""),))["X-A"] == ""


def test_what_is_asked_for_is_what_is_sent():
    found = fields(user_agent="me/1", range="0-9", cookie="a=b", compressed=True)
    assert (found["User-Agent"], found["Range"], found["Cookie"]) == ("me/1", "bytes=0-9", "a=b")
    assert "Accept-Encoding" not in found       # a part of a coded body cannot be decoded
    assert "User-Agent" not in fields(user_agent=None)
    assert "Cookie" not in fields(cookie="a file")


def test_a_value_may_be_written_in_any_script():
    assert "X-A: ü 一".encode() in head(headers=(("X-A", "ü 一"),))


@pytest.mark.parametrize("options", [
    {"headers": (("X-A", "b\r\nX-Evil: 1"),)}, {"headers": (("X-A", "b\n"),)}, {"headers": (("X-A", "b\0"),)},
    {"headers": (("X-A\r\nX-Evil", "b"),)}, {"headers": (("X A", "b"),)}, {"headers": (("X-Ä", "b"),)},
    {"headers": (("", "b"),)}, {"headers": (("X:", "b"),)},
    {"user_agent": "a\r\nX-Evil: 1"}, {"cookie": "a=b\nX-Evil: 1"}, {"range": "0-1\r\nX-Evil: 1"},
    {"method": "GET / HTTP/1.1\r\nX-Evil: 1\r\n"}, {"method": "GE T"}, {"method": ""}, {"method": "CONNECT"},
], ids=repr)
def test_what_must_not_go_on_the_wire_is_told_before_anything_is_fetched(options):
    with pytest.raises(ValueError):
        fetch("http://a.example/", request=RequestOptions(**options))


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:{port}/a\r\nX-Evil: 1", "http://127.0.0.1:{port}/a\nb", "http://127.0.0.1:{port}/?a\0b",
    "http://me\r\nX-Evil:1@127.0.0.1:{port}/", "http://127.0.0.1:{port}\r\nX-Evil: 1/"])
def test_no_line_breaks_out_of_a_url(url):
    with BrokenServer(OK) as server:
        assert fetch(url.format(port=server.port)).error == "invalid_url"
        assert server.requests == []


# Of an answer

ANSWER = Headers([(b"set-cookie", b"a=b"), (b"x", b"\xfc \t"), (b"set-cookie", b"c=d")])


def test_names_are_matched_whatever_their_case():
    assert (ANSWER.get("Set-Cookie"), ANSWER["SET-COOKIE"], "set-cookie" in ANSWER) == ("a=b", "a=b", True)
    assert (ANSWER.get("y"), ANSWER.get("y", "z"), ANSWER["y"], "y" in ANSWER) == (None, "z", None, False)


def test_all_values_are_there():
    assert ANSWER.get_all("Set-Cookie") == ["a=b", "c=d"]
    assert (ANSWER.get_all("y"), ANSWER.get_all("y", [])) == (None, [])
    assert len(ANSWER) == 3


def test_values_are_latin_1_without_the_spaces_around_them():
    assert list(ANSWER.items()) == [("set-cookie", "a=b"), ("x", "ü"), ("set-cookie", "c=d")]


@pytest.mark.parametrize(("value", "least", "most"), [
    (b"5", 5, 5), (b" 5 ", 5, 5), (b"9" * 5000, 999_999_999, 999_999_999), (b"Mon, 01 Jan 2024 00:00:00 GMT", 0, 0),
    (b"Fri, 31 Dec 9999 23:59:59 GMT", 10 ** 9, 10 ** 12), (b"Friday, 31-Dec-99 23:59:59 GMT", 0, 10 ** 10),
    (b"Fri Dec 31 23:59:59 9999", 10 ** 9, 10 ** 12)])
def test_when_to_come_back(value, least, most):
    assert least <= retry_after(Headers([(b"retry-after", value)])) <= most


@pytest.mark.parametrize("value", [
    b"", b"-1", b"1.5", b"soon", "\xb2".encode("latin-1"), b"Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
    b"Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    b"Mon, 99 Jan 2024 00:00:00 GMT", b"Mon, 01 Jan 2024 99:00:00 GMT", b"Mon, 01 " * 5000])
def test_a_time_to_come_back_that_is_none_is_ignored(value):
    assert retry_after(Headers([(b"retry-after", value)])) is None


@pytest.mark.parametrize("value", [b"Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
                                   b"Mon, 01 Jan 99999999999999999999 00:00:00 GMT"])
def test_a_time_to_come_back_that_is_none_costs_no_record(value):
    with BrokenServer(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: " + value + b"\r\n\r\n") as server:
        result = fetch(server.url())
    assert (result.status, result.error, result.retry_after) == (503, "http", None)
