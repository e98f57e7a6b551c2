"""Cookies, challenges and .netrc."""
import pytest

from fetcher import Target
from fetcher.attempt import Attempt
from fetcher.options import Timeouts
from fetcher.transport import Request
from fetcher.transport.authentication.challenge import parse_challenges
from fetcher.transport.authentication.digest import Session, strongest
from fetcher.transport.authentication.netrc import Netrc
from fetcher.transport.cookies.file import read_cookies, write_cookies
from fetcher.transport.cookies.jar import Jar
from fetcher.url import parse
from tests.fuzz import fuzz

URLS = [parse(url) for url in ("http://b.a.example/x/y", "https://a.github.io/", "http://127.0.0.1/", "http://[::1]/")]
TARGET = Target.read("http://peer/?a")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_any_cookie_fits_into_a_request_and_a_file(path):
    def check(data):
        jar = Jar()
        for url in URLS:
            jar.set([data.decode("latin-1")], url, 0.0)
            value = jar.value_for(url, 0.0)
            assert value is None or not set(value) & set("\0\r\n\t\x7f")
        write_cookies(str(path), jar)
        assert set(read_cookies(str(path))) == {cookie for cookie in jar if cookie.expires is None}

    fuzz("set-cookies", check)


def test_any_file_of_cookies_is_read_and_what_is_written_stays_the_same(path):
    def check(data):
        path.write_bytes(data)
        cookies = set(Jar(read_cookies(str(path))))
        write_cookies(str(path), cookies)
        assert set(read_cookies(str(path))) == cookies

    fuzz("cookie-files", check)


def test_any_challenge_is_met_or_left_alone():
    request = Request(TARGET.parsed, Attempt(TARGET, Timeouts()), user="m\u00fc:secret")

    def check(data):
        challenge = strongest(parse_challenges([data.decode("latin-1")] * 2))
        if challenge is not None:
            answer = Session(challenge.parameters).answer(request)
            assert answer.startswith("Digest username=") and "secret" not in answer
            (again,) = parse_challenges([answer])
            assert again.parameters["realm"] == challenge.parameters["realm"]
            assert again.parameters["nonce"] == challenge.parameters["nonce"]

    fuzz("challenges", check)


def test_any_netrc_is_read_or_one_line_says_what_is_wrong(path):
    def check(data):
        path.write_bytes(data)
        try:
            entry = Netrc(str(path)).find("a", None, default=True)
        except ValueError as error:
            assert str(path) in str(error) and "\n" not in str(error)
            return
        if entry is not None:
            f"{entry.login}:{entry.password}".encode("utf-8")

    fuzz("netrcs", check)
