"""Everything at once, ended at a random moment."""
import random
from contextlib import ExitStack

import pytest
import trustme

from fetcher import Options, fetch_all, green
from fetcher.options import BodyOptions, Limits, NetworkOptions, RequestOptions, Timeouts, TlsOptions
from tests.broken_server import CLOSE, READ, RESET, SILENCE, BrokenServer, Step
from tests.server_process import ServerProcess

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATHS = ["/headers", "/bytes/1000", "/bytes/300000", "/chunked/100000", "/delay/0.02", "/drip?bytes=10&seconds=0.1",
         "/redirect/3", "/redirect-loop", "/gzip", "/br", "/zstd", "/deflate", "/garbage", "/cut/10", "/close",
         "/bad-gzip", "/status/404", "/status/204", "/hang", "/etag"]
SCRIPTS: list[tuple[Step, ...]] = [
    (OK, READ, CLOSE), (OK, 0.01, CLOSE), (OK, READ, OK, 0.003, RESET), (SILENCE,),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", SILENCE),
    (b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", b"a" * 100_000, 0.01, b"b")]
WORDS = {None, "invalid_url", "dns", "connect", "tls", "timeout", "protocol", "incomplete", "decode", "too_large",
         "too_many_redirects", "http", "interrupted"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Write the certificates of an authority and of a server. Return their paths."""
    authority, folder = trustme.CA(), tmp_path_factory.mktemp("tls")
    authority.cert_pem.write_to_path(folder / "authority")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "localhost")
    return str(folder / "authority"), str(folder / "localhost")


@pytest.fixture(scope="module")
def secure_server(certificates):
    with ServerProcess(certificates[1]) as process:
        yield process


def some_url(chance, servers, broken):
    kind = chance.random()
    if kind < 0.7:
        return chance.choice(servers).url(chance.choice(PATHS), host=chance.choice(["localhost", "127.0.0.1"]))
    if kind < 0.95:
        return chance.choice(broken).url()
    secure = servers[0].url().replace("http:", "https:")
    return chance.choice(["http://a.invalid/", "http://127.0.0.1:9/", "nonsense", secure])


def some_options(chance, cacert):
    return Options(
        limits=Limits(chance.choice([10, 50, 200]), chance.choice([5, 200])),
        timeouts=Timeouts(*(chance.choice([0.01, 0.05, 0.2]) for _ in range(3))),
        tls=TlsOptions(cacert=cacert),
        body=BodyOptions(keep=chance.random() < 0.5, max_size=chance.choice([None, 500, 200_000]), tls=True),
        request=RequestOptions(method=chance.choice([None, "HEAD", "POST"])),
        network=NetworkOptions(proxy=""))


@pytest.mark.parametrize("seed", range(4))
def test_a_storm_leaves_a_result_for_each_url_and_nothing_else(server, secure_server, certificates, seed):
    chance, cacert = random.Random(seed), certificates[0]
    listeners = green.hub().listeners
    before = {kind: len(listeners[kind]) for kind in listeners}
    with ExitStack() as stack:
        servers = [server, server, secure_server]
        broken = [stack.enter_context(BrokenServer(*script)) for script in SCRIPTS]
        for _ in range(2):
            urls = [some_url(chance, servers, broken) for _ in range(100)]
            results = list(fetch_all(urls, some_options(chance, cacert)))
            assert sorted(result.line for result in results) == list(range(1, 101))
            assert {result.error for result in results} <= WORDS
            ended = fetch_all(urls, some_options(chance, cacert))
            for _ in range(chance.randrange(1, 50)):
                next(ended)
            ended.close()
        assert {kind: len(listeners[kind]) for kind in listeners} == before
