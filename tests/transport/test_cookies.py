import os
import re
import shutil
import subprocess
import time

import pytest

from fetcher.errors import OutputError
from fetcher.options import RequestOptions
from fetcher.transport.cookies.file import write_cookies
from tests.broken_server import CLOSE, READ, BrokenServer
from tests.fetching import fetch, fetch_in_turn

pytestmark = pytest.mark.usefixtures("transport")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FUTURE = int(time.time()) + 1_000_000


def setting(*cookies, status=b"200 OK", more=b""):
    fields = b"".join(b"Set-Cookie: %b\r\n" % cookie for cookie in cookies)
    return b"HTTP/1.1 %b\r\n%b%bContent-Length: 0\r\n\r\n" % (status, fields, more)


def sent(request):
    """Return the cookies of a request, which are in one field."""
    values = re.findall(rb"^Cookie: (.*)\r$", request, re.MULTILINE)
    assert len(values) <= 1
    return set(values[0].split(b"; ")) if values else set()


@pytest.fixture
def jar(tmp_path):
    return tmp_path / "jar"


def keeping(jar, cookie=None):
    return RequestOptions(cookie_jar=str(jar), cookie=cookie)


def lines(path):
    """Return the lines of a file in Netscape's format, without its comments."""
    return [line.split("\t") for line in path.read_text("latin-1").splitlines()
            if line and (line.startswith("#HttpOnly_") or not line.startswith("#"))]


# Given by hand

def test_a_cookie_is_sent():
    with BrokenServer(OK) as server:
        fetch(server.url(), request=RequestOptions(cookie="a=b; c=d"))
        assert sent(server.requests[0]) == {b"a=b", b"c=d"}


def test_answers_set_no_cookies_where_none_are_kept():
    with BrokenServer(setting(b"a=b"), READ, OK) as server:
        fetch_in_turn([server.url()] * 2, request=RequestOptions(cookie="x=y"))
        assert sent(server.requests[1]) == {b"x=y"}


# Kept

def test_cookies_are_kept_between_requests(jar):
    with BrokenServer(setting(b"a=b", b"c=d; HttpOnly"), READ, OK) as server:
        fetch_in_turn([server.url()] * 2, request=keeping(jar))
        assert sent(server.requests[0]) == set()
        assert sent(server.requests[1]) == {b"a=b", b"c=d"}


def test_cookies_are_kept_between_redirects(jar):
    with BrokenServer(setting(b"a=b", status=b"302 Go", more=b"Location: /x\r\n"), READ, OK) as server:
        fetch(server.url(), request=keeping(jar))
        assert sent(server.requests[1]) == {b"a=b"}


def test_a_page_may_set_a_cookie_and_redirect_to_itself(jar):
    with BrokenServer(setting(b"a=b", status=b"302 Go", more=b"Location: /\r\n"), READ, OK) as server:
        assert fetch(server.url(), request=keeping(jar)).ok


def test_one_field_holds_the_kept_and_the_given(jar):
    with BrokenServer(setting(b"a=b", status=b"302 Go", more=b"Location: /x\r\n"), READ,
                      setting(b"a=c", status=b"302 Go", more=b"Location: /y\r\n"), READ, OK) as server:
        fetch(server.url(), request=keeping(jar, cookie="x=ü"))
        assert [sent(request) for request in server.requests] == [
            {"x=ü".encode()}, {b"a=b", "x=ü".encode()}, {b"a=c", "x=ü".encode()}]


def test_a_cookie_goes_back_as_it_came(jar):
    with BrokenServer(setting(b"utf8=\xc3\xbc", b"latin=\xfc", b'quoted="a b"'), READ, OK) as server:
        fetch_in_turn([server.url()] * 2, request=keeping(jar))
        assert sent(server.requests[1]) == {b"utf8=\xc3\xbc", b"latin=\xfc", b'quoted="a b"'}


def test_a_cookie_stays_on_its_path_and_with_tls(jar):
    with BrokenServer(setting(b"a=b; Path=/x", b"c=d; Path=/", b"e=f; Secure"), READ, OK, READ, OK) as server:
        urls = [server.url(path, host="a.localhost") for path in ("/x/1", "/y", "/x/2")]
        fetch_in_turn(urls, request=keeping(jar))
        assert [sent(request) for request in server.requests] == [set(), {b"c=d"}, {b"a=b", b"c=d"}]


def test_a_cookie_stays_with_its_host(jar):
    with BrokenServer([setting(b"a=b")], [OK]) as server:
        hosts = ("a.localhost", "b.a.localhost", "localhost", "127.0.0.1")
        fetch_in_turn([server.url(host=host) for host in hosts], request=keeping(jar))
        assert [sent(request) for request in server.requests] == [set()] * 4


def test_a_cookie_of_a_domain_is_for_all_hosts_in_it(jar):
    with BrokenServer([setting(b"a=b; Domain=a.localhost", b"c=d; Domain=localhost", b"e=f; Domain=other.example")],
                      [OK]) as server:
        hosts = ("b.a.localhost", "c.a.localhost", "a.localhost", "localhost", "ba.localhost")
        fetch_in_turn([server.url(host=host) for host in hosts], request=keeping(jar))
        assert [b"a=b" in sent(request) for request in server.requests] == [False, True, True, False, False]
        assert not any(b"e=f" in request for request in server.requests)


def test_a_cookie_ends(jar):
    with BrokenServer(setting(b"a=b", b"c=d"), READ, setting(b"a=; Max-Age=0"), READ,
                      setting(b"c=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), READ, OK) as server:
        fetch_in_turn([server.url()] * 4, request=keeping(jar))
        assert sent(server.requests[2]) == {b"c=d"}
        assert sent(server.requests[3]) == set()


# Written

def test_the_file_is_what_others_can_read(jar):
    with BrokenServer(setting(b"session=1", b"kept=2; Max-Age=1000; Path=/x", b"secret=3; HttpOnly",
                              b"wide=4; Domain=.a.localhost", b"empty=")) as server:
        before = int(time.time())
        fetch(server.url("/x/y", host="b.a.localhost"), request=keeping(jar))
    found = {fields[5]: fields for fields in lines(jar)}
    assert found["session"] == ["b.a.localhost", "FALSE", "/x", "FALSE", "0", "session", "1"]
    assert found["secret"] == ["#HttpOnly_b.a.localhost", "FALSE", "/x", "FALSE", "0", "secret", "3"]
    assert found["wide"] == [".a.localhost", "TRUE", "/x", "FALSE", "0", "wide", "4"]
    assert found["empty"][6] == ""
    assert before + 1000 <= int(found["kept"][4]) <= time.time() + 1001
    assert jar.read_text().startswith("# Netscape HTTP Cookie File\n")
    assert os.stat(jar).st_mode & 0o777 == 0o600


def test_cookies_are_kept_between_runs(jar):
    with BrokenServer(setting(b"a=b", b"c=d; Max-Age=1000")) as server:
        fetch(server.url(), request=keeping(jar))
    with BrokenServer(OK) as server:
        fetch(server.url(), request=RequestOptions(cookie=str(jar)))
        assert sent(server.requests[0]) == {b"a=b", b"c=d"}


def test_a_file_can_be_read_and_written(jar):
    jar.write_text(f"127.0.0.1\tFALSE\t/\tFALSE\t{FUTURE}\ta\tb\n127.0.0.1\tFALSE\t/\tFALSE\t1\told\tx\n")
    with BrokenServer(setting(b"c=d")) as server:
        fetch(server.url(), request=keeping(jar, cookie=str(jar)))
        assert sent(server.requests[0]) == {b"a=b"}
    assert sorted(fields[5] for fields in lines(jar)) == ["a", "c"]


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with BrokenServer(OK) as server:
        with pytest.raises(OutputError, match="The cookies cannot be written to .*: No such file or directory."):
            fetch(server.url(), request=keeping(tmp_path / "no" / "folder"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_replaced_is_never_half_a_file(jar, monkeypatch):
    jar.write_text("as it was")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError):
        write_cookies(str(jar), [])
    assert jar.read_text() == "as it was"
    assert list(jar.parent.iterdir()) == [jar]


# Read

def test_comments_empty_lines_and_missing_values_are_no_matter(jar):
    jar.write_text("# comment\n\n#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\n127.0.0.1\tFALSE\t/\tFALSE\t0\tempty\n"
                   "127.0.0.1\tFALSE\t/\tFALSE\t0\tc\td")
    with BrokenServer(OK) as server:
        fetch(server.url(), request=RequestOptions(cookie=str(jar)))
        assert sent(server.requests[0]) == {b"a=b", b"empty=", b"c=d"}


@pytest.mark.parametrize("line", [
    "no tabs at all", "a\tb\tc", "h\tFALSE\t/\tFALSE\tnever\ta\tb", "h\tFALSE\t/\tFALSE\t0\ta\tb\tc",
    "h\tFALSE\t/\tFALSE\t0\ta\tb\0c", "h\tFALSE\t/\tFALSE\t0\ta\x1b\tb"])
def test_one_warning_names_the_lines_that_are_no_cookies(jar, line, caplog):
    jar.write_text(f"127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\n{line}\n{line}\n127.0.0.1\tFALSE\t/\tFALSE\t0\tc\td\n")
    with BrokenServer(OK) as server:
        fetch(server.url(), request=RequestOptions(cookie=str(jar)))
        assert sent(server.requests[0]) == {b"a=b", b"c=d"}
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"{jar} line 2 and 1 more are not cookies in Netscape's format."]


def test_a_file_that_is_not_there_is_told_before_anything_is_fetched(jar):
    with pytest.raises(ValueError, match=f"^the cookies in {jar} cannot be read: No such file or directory$"):
        fetch("http://127.0.0.1/", request=RequestOptions(cookie=str(jar)))


# Against floods

def test_a_flood_of_cookies_makes_no_request_that_others_refuse(jar):
    flood = setting(*(b"c%d=%b" % (number, b"x" * 1000) for number in range(200)))
    with BrokenServer(flood, READ, OK) as server:
        fetch_in_turn([server.url()] * 2, request=keeping(jar))
        assert 1 < len(sent(server.requests[1])) < 9
    assert len(lines(jar)) == 50


def test_a_jar_may_be_a_device_or_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with BrokenServer(setting(b"a=b")) as server, subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        fetch(server.url(), request=keeping(pipe))
        assert reader.stdout.read().endswith(b"\t0\ta\tb\n")
    assert pipe.is_fifo()


# Compared with curl

curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
COOKIES = (b"session=1", b"kept=2; Max-Age=1000", b"secret=3; HttpOnly", b"wide=4; Domain=a.localhost", b"empty=",
           b"latin=\xfc", b"deep=5; Path=/x")


def run_curl(server, *arguments):
    subprocess.run(["curl", "-s", "--noproxy", "*", "--resolve", f"b.a.localhost:{server.port}:127.0.0.1",
                    server.url("/x/y", host="b.a.localhost"), *map(str, arguments)], check=True,
                   stdout=subprocess.DEVNULL, timeout=30)


@curl
def test_curl_reads_what_is_written_here(jar):
    with BrokenServer([setting(*COOKIES)], [OK]) as server:
        url = server.url("/x/y", host="b.a.localhost")
        fetch(url, request=keeping(jar))
        run_curl(server, "-b", jar)
        fetch(url, request=RequestOptions(cookie=str(jar)))
        _, curls, ours = server.requests
        assert sent(curls) == sent(ours) and len(sent(ours)) == len(COOKIES)


@curl
def test_what_curl_writes_is_read_here(jar):
    with BrokenServer([setting(*COOKIES)], [OK]) as server:
        run_curl(server, "-c", jar)
        run_curl(server, "-b", jar)
        fetch(server.url("/x/y", host="b.a.localhost"), request=RequestOptions(cookie=str(jar)))
        _, curls, ours = server.requests
        assert sent(curls) == sent(ours) and len(sent(ours)) == len(COOKIES)


@curl
def test_both_write_the_same(jar, tmp_path):
    with BrokenServer(setting(*COOKIES), CLOSE) as server:
        run_curl(server, "-c", tmp_path / "curl")
        fetch(server.url("/x/y", host="b.a.localhost"), request=keeping(jar))

    def told(path):     # except a default path, to which curl adds a slash
        return {name: (domain.lstrip("."), subdomains, secure, value)
                for domain, subdomains, _path, secure, _expires, name, value in lines(path)}

    assert told(jar) == told(tmp_path / "curl")
