import json

import pytest

from fetcher.options import BodyOptions, RedirectOptions, RequestOptions
from tests.broken_server import CLOSE, READ, BrokenServer
from tests.fetching import failure, fetch

pytestmark = pytest.mark.usefixtures("transport")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
KEEP = BodyOptions(keep=True)


def redirect(location, status=302):
    return b"HTTP/1.1 %d Go\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location)


def target(request):
    return request.split(b" ")[1]


def fields(request):
    """Return the fields of a request, with lower-case names."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def second_request(location, **how):
    """Return the request that an answer with `location` leads to."""
    with BrokenServer(redirect(location), READ, OK) as server:
        assert fetch(server.url("/a/b?c=d"), **how).ok
        return server.requests[1]


# Method and content

@pytest.mark.parametrize(("status", "method", "followed"), [
    (301, "GET", "GET"), (301, "POST", "GET"), (301, "HEAD", "HEAD"), (301, "PUT", "PUT"),
    (302, "GET", "GET"), (302, "POST", "GET"), (302, "HEAD", "HEAD"), (302, "DELETE", "DELETE"),
    (303, "GET", "GET"), (303, "POST", "GET"), (303, "HEAD", "HEAD"), (303, "PUT", "GET"),
    (307, "GET", "GET"), (307, "POST", "POST"), (307, "HEAD", "HEAD"), (307, "PATCH", "PATCH"),
    (308, "GET", "GET"), (308, "POST", "POST"), (308, "HEAD", "HEAD"), (308, "PUT", "PUT"),
])
def test_the_method_after_a_redirect(server, status, method, followed):
    url = server.url(f"/redirect-to?url=/echo&status={status}")
    result = fetch(url, request=RequestOptions(method=method), body=KEEP)
    assert (result.status, result.method, result.redirects) == (200, followed, 1)
    assert result.body == (b"" if followed == "HEAD" else f"{followed} /echo\n".encode())


@pytest.mark.parametrize("status", [307, 308])
def test_content_goes_along_with_its_method(server, status):
    url = server.url(f"/redirect-to?url=/echo&status={status}")
    result = fetch(url, request=RequestOptions(data=b"a=b"), body=KEEP)
    assert result.body == b"POST /echo\na=b"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_content_that_does_not_go_along_is_not_announced(status):
    sent = RequestOptions(data=b"a=b", headers=(("Content-Language", "en"), ("X-Other", "stays")))
    with BrokenServer(redirect(b"/", status), READ, OK) as server:
        fetch(server.url(), request=sent)
        first, second = server.requests
        assert first.endswith(b"\r\n\r\na=b") and second.endswith(b"\r\n\r\n")
        assert {"content-type", "content-length", "content-language"} <= set(fields(first))
        assert not {name for name in fields(second) if name.startswith("content")}
        assert fields(second)["x-other"] == "stays"


@pytest.mark.parametrize("status", [300, 304, 305, 306])
def test_other_statuses_are_no_redirects(server, status):
    result = fetch(server.url(f"/redirect-to?url=/headers&status={status}"))
    assert (result.status, result.redirects, result.ok) == (status, 0, True)


def test_redirects_are_not_followed_where_that_is_not_wanted(server):
    result = fetch(server.url("/redirect/3"), redirects=RedirectOptions(follow=False))
    assert (result.status, result.redirects, result.ok, result.size) == (302, 0, True, 7)


def test_a_redirect_without_location_is_the_answer():
    with BrokenServer(b"HTTP/1.1 302 Go\r\nContent-Length: 2\r\n\r\nok") as server:
        result = fetch(server.url(), body=KEEP)
        assert (result.status, result.ok, result.redirects, result.body) == (302, True, 0, b"ok")


def test_as_many_redirects_as_allowed(server):
    assert fetch(server.url("/redirect/3"), redirects=RedirectOptions(max_redirects=3)).ok
    assert fetch(server.url("/redirect/4"), redirects=RedirectOptions(max_redirects=3)).error == "too_many_redirects"
    assert fetch(server.url("/redirect/1"), redirects=RedirectOptions(max_redirects=0)).error == "too_many_redirects"


def test_very_many_redirects(server):
    assert fetch(server.url("/redirect/400"), redirects=RedirectOptions(max_redirects=400)).redirects == 400


@pytest.mark.parametrize("location", [b"", b" \t"])
def test_a_redirect_with_an_empty_location_is_the_answer(location):
    with BrokenServer(redirect(location)) as server:
        result = fetch(server.url())
        assert (result.status, result.ok, result.redirects) == (302, True, 0)


def test_a_form_may_redirect_to_itself():
    with BrokenServer(redirect(b"/form", 303), READ, OK) as server:
        result = fetch(server.url("/form"), request=RequestOptions(data=b"a=b"))
        assert (result.ok, result.method, result.redirects) == (True, "GET", 1)


def test_a_loop_of_several_is_found():
    with BrokenServer(redirect(b"/b"), READ, redirect(b"/a"), READ, redirect(b"/b"), READ, redirect(b"/a")) as server:
        a, b = server.url("/a"), server.url("/b")
        result = fetch(a)
        assert failure(result) == (
            "too_many_redirects", f"The redirects run in a loop: {a} -> {b} -> {a} -> {b} -> {a}.")
        assert (result.redirects, result.status) == (3, 302)


# Where it leads

@pytest.mark.parametrize(("location", "followed"), [
    (b"/x", b"/x"), (b"x", b"/a/x"), (b"../x", b"/x"), (b"./", b"/a/"), (b"?y=z", b"/a/b?y=z"),
    (b"#top", b"/a/b?c=d"), (b"/x y", b"/x%20y"), (b"/\xc3\xbc", b"/%C3%BC"), (b"/\xfc?\xfc", b"/%FC?%FC"),
    (b"http:/x", b"/x"), (b"http:x", b"/a/x"), (b"HTTP:?x", b"/a/b?x"), (b"http:", b"/a/b?c=d"),
    (b"/" + b"x" * 90_000, b"/" + b"x" * 90_000),
    (b"/%zz%41", b"/%zz%41"), (b"\\x", b"/x"), (b" /x\t", b"/x"), (b"/x?<\">", b"/x?%3C%22%3E"), (b"/a/../../x", b"/x"),
])
def test_a_location_is_read_as_browsers_do(location, followed):
    assert target(second_request(location)) == followed


def test_a_location_may_name_only_the_host():
    with BrokenServer(OK) as other:
        with BrokenServer(redirect(b"//127.0.0.1:%d" % other.port)) as server:
            assert fetch(server.url("/a")).final_url == other.url("/")


@pytest.mark.parametrize("empty", [b"", b"Location:\r\n"])
def test_only_the_first_location_counts(empty):
    answer = b"HTTP/1.1 302 Go\r\n" + empty + b"Location: /first\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n"
    with BrokenServer(answer, READ, OK) as server:
        assert fetch(server.url()).final_url == server.url("/first")


@pytest.mark.parametrize(("asked", "location", "final"), [
    ("/a#top", b"/b", "/b#top"), ("/a#top", b"/b#end", "/b#end"), ("/a", b"/b#end", "/b#end"),
    ("/a#top", b"?", "/a?#top"),
])
def test_a_fragment_is_carried_along(asked, location, final):
    with BrokenServer(redirect(location), READ, OK) as server:
        assert fetch(server.url(asked)).final_url == server.url(final)
        assert b"#" not in server.requests[1]


@pytest.mark.parametrize(("location", "reason"), [
    (b"ftp://a.example/", "The scheme ftp is not supported; only http and https are."),
    (b"file:///etc/passwd", "The scheme file is not supported; only http and https are."),
    (b"javascript:x", "The scheme javascript is not supported; only http and https are."),
    (b"http://", "The URL has no host."),
    (b"http://a.example:99999/", "The port is not a number from 1 to 65535."),
    (b"http://[::1/", "The URL's host is malformed."),
    (b"/a\x01b", "Character 22 is U+0001, which no URL may contain."),
])
def test_a_location_that_cannot_be_fetched(location, reason):
    with BrokenServer(redirect(location), CLOSE) as server:
        result = fetch(server.url())
        assert (result.error, result.status, result.ok, result.final_url) == ("invalid_url", 302, False, server.url())
        assert result.error_message.startswith(f"{server.url()} redirects to '")
        assert result.error_message.endswith(f"': {reason}") or b"\x01" in location


def test_a_password_in_a_location_is_not_shown():
    with BrokenServer(redirect(b"http://me:secret@a.example:x/"), CLOSE) as server:
        assert "secret" not in fetch(server.url()).error_message


# Credentials, and bodies that are not read

PRIVATE = RequestOptions(headers=(("Authorization", "Bearer x"), ("Cookie", "a=b"), ("X-Other", "y")))


def test_credentials_stay_on_the_same_origin():
    sent = fields(second_request(b"/x", request=PRIVATE))
    assert (sent["authorization"], sent["cookie"], sent["x-other"]) == ("Bearer x", "a=b", "y")


def test_a_user_stays_on_the_same_origin():
    assert "authorization" in fields(second_request(b"/x", request=RequestOptions(user="me:secret")))


OWN = ("X-Api-Key", "apikey", "PRIVATE-TOKEN", "X-Auth-User", "X-Vault-Token", "client_secret", "X-Amz-Security-Token",
       "Ocp-Apim-Subscription-Key", "X-Forwarded-Authorization", "Token")
OPEN = ("X-Request-Id", "Idempotency-Key", "Tokens", "X-Author", "Accept-Language", "Secretary", "X-Authentic")


def test_fields_that_look_like_credentials_stay_on_the_same_origin():
    both = RequestOptions(headers=tuple((name, "x") for name in OWN + OPEN))
    with BrokenServer(OK) as other, BrokenServer(redirect(b"/x"), READ, redirect(other.url().encode())) as server:
        assert fetch(server.url(), request=both).ok
        assert {name.lower() for name in OWN + OPEN} <= set(fields(server.requests[1]))
        received = set(fields(other.requests[0]))
        assert received >= {name.lower() for name in OPEN}
        assert not received & {name.lower() for name in OWN}


def test_credentials_travel_where_redirects_are_trusted():
    given = RequestOptions(user="me:secret", headers=(("X-Api-Key", "x"), ("Cookie", "a=b"), ("Host", "by-hand")))
    with BrokenServer(OK) as other, BrokenServer(redirect(other.url().encode())) as server:
        assert fetch(server.url(), request=given, redirects=RedirectOptions(trusted=True)).ok
        received = fields(other.requests[0])
        assert (received["authorization"][:5], received["x-api-key"], received["cookie"]) == ("Basic", "x", "a=b")
        assert received["host"] == f"127.0.0.1:{other.port}"


@pytest.mark.parametrize("who", [PRIVATE, RequestOptions(user="me:secret", cookie="a=b")])
def test_credentials_do_not_travel_to_another_port(who):
    with BrokenServer(OK) as other, BrokenServer(redirect(other.url("/").encode())) as server:
        assert fetch(server.url(), request=who).ok
        assert {"authorization", "cookie"} <= set(fields(server.requests[0]))
        assert not {"authorization", "cookie"} & set(fields(other.requests[0]))


def test_credentials_do_not_travel_to_another_host(server):
    elsewhere = server.url("/headers", host="other.localhost")
    result = fetch(server.url(f"/redirect-to?url={elsewhere}"), request=PRIVATE, body=KEEP)
    sent = {name.lower(): value for name, value in json.loads(result.body).items()}
    assert (sent.get("authorization"), sent.get("cookie"), sent["x-other"]) == (None, None, "y")
    assert sent["host"] == f"other.localhost:{server.port}"


def test_a_host_given_by_hand_does_not_travel(server):
    elsewhere = server.url("/headers", host="other.localhost")
    given = RequestOptions(headers=(("Host", "by-hand.example"),))
    result = fetch(server.url(f"/redirect-to?url={elsewhere}"), request=given, body=KEEP)
    assert json.loads(result.body)["Host"] == f"other.localhost:{server.port}"


def test_credentials_of_a_url_do_not_travel(server):
    elsewhere = server.url("/headers", host="other.localhost")
    url = server.url(f"/redirect-to?url={elsewhere}").replace("://", "://me:secret@", 1)
    assert "Authorization" not in json.loads(fetch(url, body=KEEP).body)


def test_a_location_may_have_credentials_of_its_own():
    with BrokenServer(OK) as other, BrokenServer(redirect(f"http://a:b@127.0.0.1:{other.port}/".encode())) as server:
        assert fetch(server.url(), request=RequestOptions(user="me:secret")).ok
        assert fields(other.requests[0])["authorization"] == "Basic YTpi"


def test_the_connection_serves_again_after_a_redirect():
    with BrokenServer(b"HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 5\r\n\r\nmoved", READ, OK) as server:
        assert fetch(server.url("/a")).ok
        assert server.connections == 1


def test_a_redirect_with_a_long_body_is_not_read():
    long = b"HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 200_000
    with BrokenServer([long, 5.0], [OK]) as server:
        result = fetch(server.url("/a"))
        assert (result.ok, server.connections, result.timings.total < 4) == (True, 2, True)


def test_a_redirect_with_a_body_without_end_is_not_read():
    endless = b"HTTP/1.1 302 Go\r\nLocation: /\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 20_000
    with BrokenServer([endless, 5.0], [OK]) as server:
        result = fetch(server.url("/a"))
        assert (result.ok, result.size, server.connections) == (True, 2, 2)


def test_a_redirect_whose_body_is_broken_is_followed():
    broken = b"HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Encoding: what\r\nContent-Length: 3\r\n\r\nabc"
    with BrokenServer([broken], [OK]) as server:
        assert fetch(server.url("/a")).ok
