import pytest

from tests.peers.clients import differences, fetcher
from tests.peers.site import PASSWORD, USER

SCRIPTS = ["/cgi/pieces", "/cgi/nothing", "/cgi/status", "/cgi/redirect?/1k", "/cgi/redirect?../directory/",
           "/cgi/nph-old", "/cgi/nph-bare", "/cgi/missing"]


def test_scripts_are_understood_as_by_curl(apache):
    assert not differences([apache.url(path) for path in SCRIPTS])


@pytest.mark.parametrize("way", ["/close", "/old"])
def test_connections_that_are_not_kept_alive_cost_no_answer(apache, way):
    urls = [apache.url(way + path) for path in ("/empty", "/1", "/1k", "/64k+1", "/1m", "/text.txt", "/directory/")]
    assert not differences(urls * 5)


def test_http_1_0_is_told(apache):
    assert fetcher([apache.url("/old/1k")])[0]["http_version"] == "1.0"


def test_a_body_comes_back_as_it_was_sent(apache):
    assert not differences([apache.url("/reflect")], "-d", "x" * 100_000)


def test_digest_opens_what_it_opens_to_curl(apache):
    urls = [apache.url("/digest/1k"), apache.url("/digest/text.txt"), apache.url("/digest/missing"), apache.url("/1k")]
    assert not differences(urls, "-u", f"{USER}:{PASSWORD}", curl_only=["--digest"])
    assert [record["status"] for record in fetcher(urls, "-u", f"{USER}:{PASSWORD}")] == [200, 200, 404, 200]


def test_a_wrong_password_is_told_once(apache):
    record, = fetcher([apache.url("/digest/1k")], "-u", f"{USER}:wrong")
    assert (record["status"], record["error"]) == (401, "http")
