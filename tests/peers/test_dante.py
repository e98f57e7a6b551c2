"""SOCKS with dante, which does not support socks4a."""
import pytest

from tests.peers.clients import differences, fetcher
from tests.peers.site import ECHOES, PATHS, REDIRECTS


@pytest.fixture(params=["socks4", "socks5", "socks5h"])
def proxy(dante, request):
    return f"{request.param}://127.0.0.1:{dante.ports['socks']}"


def test_socks_changes_nothing_of_http(nginx, proxy):
    urls = [nginx.url(path) for path in PATHS + REDIRECTS]
    assert not differences(urls, "-x", proxy, but_for=["remote_ip"])


def test_socks_changes_nothing_of_https(nginx, proxy, files):
    urls = [nginx.url(path, "https") for path in PATHS + REDIRECTS]
    assert not differences(urls, "-x", proxy, "--cacert", files / "ca.pem", but_for=["remote_ip"])


def test_posts_pass(nginx, proxy):
    urls = [nginx.url(path) for path in ECHOES]
    assert not differences(urls, "-x", proxy, "-d", "x" * 100_000, but_for=["remote_ip"])


def test_names_pass(nginx, proxy):
    urls = [nginx.url(path, host="localhost") for path in PATHS]
    records = fetcher(urls, "-x", proxy)
    assert not differences(urls, "-x", proxy, but_for=["remote_ip"])
    assert records[0]["status"] == 200


def test_what_cannot_be_reached_is_told_of_as_by_curl(proxy):
    urls = ["http://127.0.0.1:1/", "https://127.0.0.1:1/"]
    assert not differences(urls, "-x", proxy)


def test_a_connection_serves_one_origin_again_and_again(nginx, proxy):
    records = fetcher([nginx.url(f"/1k?{number}") for number in range(20)], "-x", proxy, "-c", 1)
    assert [record["time_connect"] == 0 for record in records] == [False] + [True] * 19
