from time import process_time

import pytest

from fetcher.errors import InvalidUrl
from fetcher.transport.redirects import decoded
from fetcher.url import join, mask_userinfo, parse, recordable
from tests.fuzz import fuzz

BASES = [parse("http://me:secret@a:81/b/c;d?e=/f#g"), parse("https://[fe80::1%25eth0]")]


def test_any_line_is_a_url_or_an_error():
    def check(data):
        text = data.decode("utf-8", "surrogateescape")
        recordable(text).encode("utf-8")
        assert mask_userinfo(mask_userinfo(text)) == mask_userinfo(text)
        try:
            url = parse(text)
        except InvalidUrl as error:
            assert len(str(error)) < 300
            return
        assert parse(str(url)).origin == url.origin
        assert_fit_for_the_wire(url)

    fuzz("urls", check)


def test_any_location_leads_somewhere_or_is_an_error():
    def check(data):
        for base in BASES:
            try:
                url = join(base, decoded(data.decode("latin-1")))
            except InvalidUrl:
                continue
            assert_fit_for_the_wire(url)

    fuzz("locations", check)


@pytest.mark.slow
def test_what_is_long_takes_no_long_time():
    for piece in "a", "a:", "@", "/..", "%41", "1.", "\xe9", "[", "%", "\\", "?#", "me:x@":
        for before in "", "http://", "http://a/", "http://me:":
            text = before + piece * (300_000 // len(piece))
            begin = process_time()
            recordable(text)
            for read in parse, lambda text: join(BASES[0], text):
                try:
                    read(text)
                except InvalidUrl:
                    pass
            assert process_time() - begin < 5, (before, piece)      # linear code needs a second at most


def assert_fit_for_the_wire(url):
    text = f"{url.target}{url.authority}{url.host}{url.fragment}"
    assert text.isascii() and text.isprintable() and " " not in text and url.target.startswith("/")
