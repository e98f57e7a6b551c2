import pytest

from tests.peers.clients import differences, fetcher
from tests.peers.site import PASSWORD, USER

ODD = ["/cgi/pieces", "/cgi/nothing", "/cgi/status", "/cgi/redirect?/1k", "/cgi/missing", "/redirect/relative",
       "/redirect/space", "/redirect/fragment", "/redirect/utf8", "/redirect/loop"]


def test_odd_answers_are_understood_as_by_curl(lighttpd):
    assert not differences([lighttpd.url(path) for path in ODD])


@pytest.mark.parametrize("way", ["/close", "/old"])
def test_connections_that_are_not_kept_alive_cost_no_answer(lighttpd, way):
    urls = [lighttpd.url(way + path) for path in ("/empty", "/1", "/1k", "/64k+1", "/1m", "/text.txt", "/directory/")]
    assert not differences(urls * 5)


def test_http_1_0_is_told(lighttpd):
    assert fetcher([lighttpd.url("/old/1k")])[0]["http_version"] == "1.0"


def test_digest_with_sha_256_opens_what_it_opens_to_curl(lighttpd):
    urls = [lighttpd.url("/digest/1k"), lighttpd.url("/digest/text.txt"), lighttpd.url("/digest/missing")]
    assert not differences(urls, "-u", f"{USER}:{PASSWORD}", curl_only=["--digest"])
    assert [record["status"] for record in fetcher(urls, "-u", f"{USER}:{PASSWORD}")] == [200, 200, 404]
