"""Plain URLs are parsed with one pattern. The result is the same as with the parser for all URLs."""
from hypothesis import example
from hypothesis import strategies as st

from fetcher.errors import InvalidUrl
from fetcher.url import parse, parse_any
from tests.fuzz import fuzz, fuzzed

AUTHORITIES = [
    "a", "a.b-c_d", "a.", ".a", "127.0.0.1", "127.1", "0x7f.1", "1.2.3.4.5", "256.1.1.1", "A", "a:80", "a:443",
    "a:0080",
    "a:", "a:0", "a:99999", "a:b", ":80", "a:1:2", "a..b", "-", "_", "u@a", "u:p@a", "[::1]", "a%41", "\xe9", "a" * 64,
    "a." * 130, ""]
PIECES = [
    "/", ".", "..", "%2e", "%2E", "%", "%41", "\\", "?", "#", "a", "Z", "9", "~", "|", "[", "]", "^", "`", "{", "}",
    "'",
    '"', "<", ">", " ", "\t", "\n", "\0", "\x7f", "\xe9", "\ud800", "&", "=", "+", ",", ":", ";", "@", "!", "$", "*",
    "(", ")", "-", "_"]


def outcome(read, text):
    try:
        return read(text)
    except InvalidUrl as error:
        return str(error)


@fuzzed(st.sampled_from(["http", "https", "HTTP", "httpx", "ftp"]),
        st.sampled_from(["://", ":/", ":", ":///", ":\\\\"]),
        st.sampled_from(AUTHORITIES), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
@example("http", "://", "a", "/.")
@example("http", "://", "a", "/a?/../b")
@example("http", "://", "a", "?a/..")
def test_both_roads_lead_to_the_same_url(scheme, between, authority, rest):
    text = scheme + between + authority + rest
    assert outcome(parse, text) == outcome(parse_any, text)


def test_both_roads_agree_on_any_line():
    def check(data):
        text = data.decode("utf-8", "surrogateescape")
        assert outcome(parse, text) == outcome(parse_any, text)

    fuzz("urls", check)
