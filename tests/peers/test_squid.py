import pytest

from tests.peers.clients import ENVIRONMENT, differences, fetcher
from tests.peers.process import has_ipv6
from tests.peers.site import ECHOES, PASSWORD, PATHS, REDIRECTS, USER

KNOWN = f"{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1"
UNKNOWN = f"{USER}:wrong@127.0.0.1"


def test_a_proxy_changes_nothing_of_http(nginx, squid):
    assert not differences([nginx.url(path) for path in PATHS + REDIRECTS], "-x", squid.url(""))


def test_a_proxy_changes_nothing_of_https(nginx, squid, files):
    urls = [nginx.url(path, "https") for path in PATHS + REDIRECTS]
    assert not differences(urls, "-x", squid.url(""), "--cacert", files / "ca.pem")


# If squid answers with an early redirect, a body that is sent after its head meets a closed connection.
# Whether its sender then reads the redirect or gets an error is a matter of luck, so long bodies are only echoed.
@pytest.mark.parametrize("paths, size", [(ECHOES, 1000), (["/echo"], 100_000)])
def test_posts_pass_a_proxy(nginx, squid, paths, size):
    assert not differences([nginx.url(path) for path in paths], "-x", squid.url(""), "-d", size * "x")


def test_a_known_user_passes_a_proxy_that_asks(nginx, squid, files):
    urls = [nginx.url("/1k"), nginx.url("/redirect/301"), nginx.url("/1k", "https"), nginx.url("/missing", "https")]
    assert not differences(urls, "-x", squid.url("", "auth", KNOWN), "--cacert", files / "ca.pem")
    records = fetcher(urls, "-x", squid.url("", "auth", KNOWN), "--cacert", files / "ca.pem")
    assert [record["status"] for record in records] == [200, 200, 200, 404]


@pytest.mark.parametrize("user", ["127.0.0.1", UNKNOWN])
def test_nobody_else_does_and_the_record_names_the_proxy(nginx, squid, user):
    records = fetcher([nginx.url("/1k"), nginx.url("/1k", "https")], "-x", squid.url("", "auth", user))
    assert [record["error"] for record in records] == ["proxy", "proxy"]
    assert all(f"he proxy 127.0.0.1 port {squid.ports['auth']} " in record["error_message"] for record in records)


def test_an_origin_that_is_not_there_is_told_of_as_by_curl(squid):
    urls = ["http://127.0.0.1:1/", "https://127.0.0.1:1/"]
    assert not differences(urls, "-x", squid.url(""), but_for=["sha256", "size_download"])


def test_one_connection_to_the_proxy_serves_several_origins(nginx, apache, squid):
    urls = [server.url(f"/1k?{number}") for number in range(20) for server in (nginx, apache)]
    records = fetcher(urls, "-x", squid.url(""), "-c", 1)
    assert [record["status"] for record in records] == [200] * 40
    assert [record["time_connect"] == 0 for record in records].count(False) == 1


@pytest.mark.parametrize("user", ["127.0.0.1", UNKNOWN])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_whom_it_does_not_know_it_is_asked_for_once(nginx, squid, user, scheme):
    path = f"/1k?{scheme}&{user}"
    before = len(refusals(squid))
    record, = fetcher([nginx.url(path, scheme)], "-x", squid.url("", "auth", user), "--retries", 3)
    assert (record["error"], record["status"], record["attempts"]) == ("proxy", 407, 1)
    assert len(refusals(squid)) == before + 1


def test_tls_to_the_proxy_changes_nothing(nginx, squid, files):
    options = ["-x", squid.url("", "https"), "--cacert", files / "ca.pem"]
    for scheme in "http", "https":
        urls = [nginx.url(path, scheme) for path in PATHS + REDIRECTS]
        assert not differences(urls, *options, curl_only=["--proxy-cacert", files / "ca.pem"])


def test_a_proxy_that_nobody_vouches_for_gets_nothing(nginx, squid, files):
    record, = fetcher([nginx.url("/1k?stranger")], "-x", squid.url("", "https"), "--cacert", files / "stranger.pem")
    assert (record["error"], record["status"]) == ("proxy", None)
    assert not any("/1k?stranger" in line for line in squid.log("access.log"))


@pytest.mark.skipif(not has_ipv6(), reason="the loopback has no IPv6 address")
@pytest.mark.parametrize("exception", ["[::1]", "::1", "[::]/64", "a.example,[::1]", "[::1]:{port}", "[0::0:1]"])
def test_an_ipv6_address_may_be_excepted(nginx, squid, monkeypatch, exception):
    monkeypatch.setitem(ENVIRONMENT, "http_proxy", squid.url(""))
    monkeypatch.setitem(ENVIRONMENT, "no_proxy", exception.format(port=nginx.ports["close"]))
    excepted, proxied = (nginx.url(f"/1k?{exception}", "close", host) for host in ("[::1]", "127.0.0.1"))
    assert [record["status"] for record in fetcher([excepted, proxied])] == [200, 200]
    passed = [line for line in squid.log("access.log") if line.split()[6] in (excepted, proxied)]
    assert len(passed) == 1 and proxied in passed[0]


def refusals(squid):
    return [line for line in squid.log("access.log") if "/407 " in line]
