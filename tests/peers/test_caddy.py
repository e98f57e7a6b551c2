from tests.peers.clients import differences
from tests.peers.site import ECHOES, PATHS, REDIRECTS

ODD = ["/redirect/relative", "/redirect/fragment", "/redirect/origin", "/redirect/loop", "/hello", "/close",
       "/status/204", "/status/403", "/status/418", "/status/503", "/stored/text.txt"]


def test_odd_answers_are_understood_as_by_curl(caddy):
    assert not differences([caddy.url(path) for path in ODD])


def test_tls_changes_nothing_of_it(caddy, files):
    urls = [caddy.url(path, "https", "localhost") for path in PATHS + REDIRECTS + ODD]
    assert not differences(urls, "--cacert", files / "ca.pem")


def test_posts_over_tls_are_redirected_as_by_curl(caddy, files):
    urls = [caddy.url(path, "https", "localhost") for path in ECHOES]
    assert not differences(urls, "--cacert", files / "ca.pem", "-d", "x" * 100_000)


def test_an_unknown_authority_is_refused_as_by_curl(caddy, files):
    assert not differences([caddy.url("/1k", "https")], "--cacert", files / "stranger.pem")


def test_insecure_accepts_it_as_curl_does(caddy):
    assert not differences([caddy.url("/1k", "https"), caddy.url("/1k", "https", "localhost")], "-k")
