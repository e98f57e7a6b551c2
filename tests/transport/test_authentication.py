import hashlib
import re
import shutil
import subprocess
import urllib.request
from base64 import b64decode

import pytest

from fetcher.options import Limits, RequestOptions
from tests.broken_server import CLOSE, READ, BrokenServer
from tests.digest_server import DigestServer, answer_to
from tests.fetching import fetch, fetch_at_once, fetch_in_turn

pytestmark = pytest.mark.usefixtures("transport")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SHA_512_256 = pytest.mark.skipif("sha512_256" not in hashlib.algorithms_available,
                                 reason="this OpenSSL has no SHA-512/256")


def user_of(request):
    """Return the name and password of Basic credentials."""
    match = re.search(rb"^Authorization: Basic (\S+)\r$", request, re.MULTILINE)
    return b64decode(match[1]).decode() if match else None


def redirect(location):
    return b"HTTP/1.1 302 Go\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location


def challenge(*values):
    fields = b"".join(b"WWW-Authenticate: %b\r\n" % value for value in values)
    return b"HTTP/1.1 401 Who\r\n%bContent-Length: 0\r\n\r\n" % fields


ME = RequestOptions(user="me:secret")


# Basic

def test_who_we_are_is_told_at_once():
    with BrokenServer(OK) as server:
        fetch(server.url(), request=RequestOptions(user="me:sec:ret"))
        assert user_of(server.requests[0]) == "me:sec:ret"


def test_a_url_can_say_who_we_are():
    with BrokenServer(OK) as server:
        result = fetch(server.url().replace("://", "://me%40home:s%3acret%C3%BC@"))
        assert user_of(server.requests[0]) == "me@home:s:cretü"
        assert "cret" not in result.url + result.final_url


def test_a_name_without_a_password_has_an_empty_one():
    with BrokenServer(OK) as server:
        fetch(server.url().replace("://", "://me@"))
        fetch(server.url(), request=RequestOptions(user="me"))
        assert [user_of(request) for request in server.requests] == ["me:", "me:"]


def test_what_is_given_wins_over_the_url():
    with BrokenServer(OK) as server:
        fetch(server.url().replace("://", "://other:one@"), request=ME)
        assert user_of(server.requests[0]) == "me:secret"


def test_a_field_given_by_hand_wins_over_all():
    with BrokenServer(OK) as server:
        fetch(server.url(), request=RequestOptions(user="a:b", headers=(("authorization", "Bearer x"),)))
        assert server.requests[0].lower().count(b"authorization:") == 1
        assert b"authorization: Bearer x\r\n" in server.requests[0]


def test_who_is_refused_is_refused():
    with BrokenServer(challenge(b'Basic realm="x"'), CLOSE) as server:
        assert fetch(server.url(), request=ME).status == 401
        assert len(server.requests) == 1


# .netrc

@pytest.fixture
def netrc(tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))
    path.write_text("machine 127.0.0.1 login me password secret\nmachine localhost login you password guess\n")
    return path


NETRC = RequestOptions(netrc=True)


def test_netrc_knows_who_we_are_where(netrc):
    with BrokenServer(OK) as server:
        fetch(server.url(), request=NETRC)
        fetch(server.url(host="localhost"), request=NETRC)
        fetch(server.url(host="a.localhost"), request=NETRC)
        assert [user_of(request) for request in server.requests] == ["me:secret", "you:guess", None]


def test_netrc_is_not_read_where_nobody_wants_it(netrc):
    with BrokenServer(OK) as server:
        fetch(server.url())
        assert user_of(server.requests[0]) is None


def test_netrc_says_less_than_what_is_given_and_the_url(netrc):
    with BrokenServer(OK) as server:
        fetch(server.url(), request=RequestOptions(netrc=True, user="given:x"))
        fetch(server.url().replace("://", "://url:x@"), request=NETRC)
        assert [user_of(request) for request in server.requests] == ["given:x", "url:x"]


def test_netrc_may_have_a_default(netrc):
    netrc.write_text("default login any password one\n")
    with BrokenServer(OK) as server:
        fetch(server.url(), request=NETRC)
        assert user_of(server.requests[0]) == "any:one"


def test_netrc_knows_the_password_of_a_name_in_the_url(netrc):
    netrc.write_text("machine 127.0.0.1 login other password p1\nmachine 127.0.0.1 login u password p2\n")
    with BrokenServer(OK) as server:
        fetch(server.url().replace("://", "://u@"), request=NETRC)
        fetch(server.url().replace("://", "://unknown@"), request=NETRC)
        assert [user_of(request) for request in server.requests] == ["u:p2", "unknown:"]


def test_the_default_of_netrc_stays_with_the_hosts_of_the_list(netrc):
    netrc.write_text("default login any password one\n")
    with BrokenServer([OK]) as other, BrokenServer([redirect(b"/x")], [redirect(other.url(host="localhost").encode())],
                                                   [OK]) as server:
        fetch(server.url(), request=NETRC)
        assert [user_of(request) for request in server.requests] == ["any:one", "any:one"]
        assert user_of(other.requests[0]) is None


def test_netrc_knows_who_we_are_after_a_redirect(netrc):
    with BrokenServer(OK) as other:
        location = other.url("/", host="localhost").encode()
        with BrokenServer(b"HTTP/1.1 302 Go\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as server:
            fetch(server.url(), request=NETRC)
            assert user_of(server.requests[0]) == "me:secret"
            assert user_of(other.requests[0]) == "you:guess"


def test_a_netrc_that_is_none_is_told_before_anything_is_fetched(netrc):
    netrc.write_text('machine "what is this')
    with pytest.raises(ValueError, match=f"^{netrc} line 1 has a quotation mark without its partner$"):
        fetch("http://127.0.0.1/", request=NETRC)
    netrc.unlink()
    with pytest.raises(ValueError, match=f"^{netrc} cannot be read: No such file or directory$"):
        fetch("http://127.0.0.1/", request=NETRC)


# Digest

SCHEMES = pytest.mark.parametrize(("algorithm", "qop"), [
    ("MD5", "auth"), ("SHA-256", "auth"), (None, "auth"), (None, None), ("MD5", None), ("MD5", "auth,auth-int"),
    ("SHA-256", "auth-int, auth"), ("MD5-sess", "auth"), ("SHA-256-sess", "auth"),
    pytest.param("SHA-512-256", "auth", marks=SHA_512_256)])


@SCHEMES
def test_a_challenge_is_met(algorithm, qop):
    with DigestServer(algorithm, qop) as server:
        result = fetch(server.url(), request=ME)
        assert (result.status, result.ok, result.redirects, result.attempts) == (200, True, 0, 1)
        assert (server.challenges, server.admissions) == (1, 1)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess"])
def test_a_name_is_told_as_a_hash_where_the_server_wants_it(algorithm):
    with DigestServer(algorithm, "auth", user=("mü", "secret"), hidden=True) as server:
        assert fetch(server.url(), request=RequestOptions(user="mü:secret")).status == 200


def test_content_is_part_of_the_answer_where_the_server_wants_it():
    with DigestServer("SHA-256", "auth-int") as server:
        assert fetch(server.url(), request=RequestOptions(user="me:secret", data=b"a=b")).status == 200
        assert fetch(server.url(), request=ME).status == 200


@pytest.mark.parametrize("values", [
    [b'Basic realm="s", Digest realm="s", nonce="n", qop="auth"'],
    [b'Digest realm="s", nonce="n", qop="auth", Basic realm="s"'],
    [b"Negotiate", b'Unknown x="y, Digest", Digest nonce="n" realm="s"', b"Basic"]])
def test_a_challenge_is_met_wherever_it_stands(values):
    with BrokenServer(challenge(*values), READ, OK) as server:
        assert fetch(server.url(), request=ME).status == 200
        assert (answer_to(server.requests[1])["realm"], answer_to(server.requests[1])["nonce"]) == ("s", "n")


@SCHEMES
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_meets_it_too(algorithm, qop):
    if algorithm == "SHA-512-256":
        pytest.skip("curl knows it from 8.11 on")
    with DigestServer(algorithm, qop) as server:
        command = ["curl", "-s", "-f", "--noproxy", "*", "--digest", "-u", "me:secret", server.url()]
        assert (subprocess.run(command, timeout=30).returncode, server.admissions) == (0, 1)


@pytest.mark.parametrize(("algorithm", "qop"), [("MD5", "auth"), (None, "auth"), ("MD5", None)])
def test_the_standard_library_meets_it_too(algorithm, qop):
    with DigestServer(algorithm, qop) as server:
        handler = urllib.request.HTTPDigestAuthHandler()
        handler.add_password("The, realm", server.url(), "me", "secret")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
        with opener.open(server.url(), timeout=30) as answer:
            assert (answer.status, server.admissions) == (200, 1)


def test_one_challenge_is_enough_for_many_requests():
    with DigestServer("SHA-256", "auth") as server:
        results = fetch_in_turn([server.url(f"/{number}") for number in range(10)], request=ME)
        assert [result.status for result in results] == [200] * 10
        assert (server.challenges, server.admissions) == (1, 10)


def test_many_at_once_meet_their_challenges():
    with DigestServer("MD5", "auth") as server:
        urls = [server.url(f"/{number}") for number in range(30)]
        results = fetch_at_once(urls, request=ME, limits=Limits(20, 20))
        assert [result.status for result in results] == [200] * 30
        assert server.admissions == 30
        assert server.challenges <= 20


def test_content_is_sent_with_the_answer():
    with DigestServer("MD5", "auth") as server:
        sent = RequestOptions(user="me:secret", data=b"a=b")
        assert fetch(server.url(), request=sent).status == 200


def test_a_wrong_password_is_tried_once():
    with DigestServer("MD5", "auth") as server:
        result = fetch(server.url(), request=RequestOptions(user="me:wrong"))
        assert (result.status, result.error, server.challenges) == (401, "http", 2)


def test_a_nonce_that_is_stale_is_replaced():
    first = challenge(b'Digest realm="x", nonce="1", qop="auth"')
    second = challenge(b'Digest realm="x", nonce="2", qop="auth", stale=true')
    with BrokenServer(first, READ, OK, READ, second, READ, OK) as server:
        assert [result.status for result in fetch_in_turn([server.url()] * 2, request=ME)] == [200, 200]
        answers = [answer_to(request) for request in server.requests]
        assert [answer and (answer["nonce"], answer["nc"]) for answer in answers] == [
            None, ("1", "00000001"), ("1", "00000002"), ("2", "00000001")]


def test_what_is_always_stale_is_not_asked_for_ever():
    stale = challenge(b'Digest realm="x", nonce="2", stale=TRUE')
    with BrokenServer(stale, *[READ, stale] * 9) as server:
        assert fetch(server.url(), request=ME).status == 401
        assert len(server.requests) == 4


@pytest.mark.parametrize(("name", "quoted"), [
    ("mü", 'username="mü"'), ('a"b', r'username="a\"b"'), ("a\\b", r'username="a\\b"'),
    ("a b, c=d", 'username="a b, c=d"')])
def test_names_of_all_kinds(name, quoted):
    with DigestServer("SHA-256", "auth", user=(name, "pässword")) as server:
        assert fetch(server.url(), request=RequestOptions(user=f"{name}:pässword")).status == 200
    with BrokenServer(challenge(b'Digest realm="x", nonce="1"'), READ, OK) as server:
        fetch(server.url(), request=RequestOptions(user=f"{name}:x"))
        assert quoted.encode() in server.requests[1]


def test_the_parts_of_a_challenge_go_back_as_they_came():
    with BrokenServer(challenge(b'Digest realm="\xfc\xc3\xbc", nonce="\xff"'), READ, OK) as server:
        assert fetch(server.url(), request=ME).status == 200
        assert b'realm="\xfc\xc3\xbc"' in server.requests[1] and b'nonce="\xff"' in server.requests[1]


@pytest.mark.parametrize("user", ["a\r\nX-Evil: 1:x", "a\nb:x", "a\0b:x"])
def test_no_line_breaks_out_of_a_name(user):
    with BrokenServer(challenge(b'Digest realm="x", nonce="1"'), READ, OK) as server:
        fetch(server.url(), request=RequestOptions(user=user))
        assert not any(b"X-Evil" in request or b"\0" in request or b"\nb" in request for request in server.requests)


def test_no_line_breaks_out_of_the_name_in_a_url():
    with BrokenServer(challenge(b'Digest realm="x", nonce="1"'), READ, OK) as server:
        fetch(server.url().replace("://", "://a%0d%0aX-Evil:%20x@"))
        assert not any(b"X-Evil" in request for request in server.requests)


@pytest.mark.parametrize("values", [
    [b"Basic realm=x"], [b"Digest"], [b'Digest realm="x"'], [b'Digest realm="x", nonce="1", qop="auth-conf"'],
    [b'Digest realm="x", nonce="1", algorithm=SHA-512'], [b"Negotiate"], [b""], []])
def test_a_challenge_that_cannot_be_met_is_the_answer(values):
    with BrokenServer(challenge(*values), CLOSE) as server:
        assert fetch(server.url(), request=ME).status == 401
        assert len(server.requests) == 1


def test_the_strongest_of_several_challenges_is_met():
    offers = [b"Basic realm=x", b'Digest realm="x", nonce="1", algorithm=MD5', b'Digest realm="x", nonce="2", '
              b"algorithm=SHA-256"]
    with BrokenServer(challenge(*offers), READ, OK) as server:
        fetch(server.url(), request=ME)
        assert (answer_to(server.requests[1])["nonce"], len(answer_to(server.requests[1])["response"])) == ("2", 64)


def test_who_has_no_name_meets_no_challenge():
    with BrokenServer(challenge(b'Digest realm="x", nonce="1"'), CLOSE) as server:
        assert fetch(server.url()).status == 401
        assert len(server.requests) == 1


def test_an_answer_to_a_challenge_does_not_travel():
    with BrokenServer(OK) as other:
        moved = b"HTTP/1.1 302 Go\r\nLocation: " + other.url("/").encode() + b"\r\nContent-Length: 0\r\n\r\n"
        with BrokenServer(challenge(b'Digest realm="x", nonce="1"'), READ, moved) as first:
            assert fetch(first.url(), request=ME).status == 200
        assert b"uthorization" not in other.requests[0]
