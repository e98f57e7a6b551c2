import errno
import http.client
import os
import resource
import socket
import ssl
import struct
import threading
from contextlib import ExitStack
from time import sleep
from urllib.request import ProxyHandler, build_opener

import pytest
import trustme

from fetcher import green
from fetcher.demo.message import MAX_BODY_BYTES
from fetcher.demo.server import Server
from tests.cli.command import eventually
from tests.server_process import ServerProcess


@pytest.fixture
def own_server(capfd):
    """A server that no other test uses. It must not write anything to stderr."""
    with ServerProcess() as process:
        yield process
    assert capfd.readouterr().err == ""


class Client:
    """Open a connection to `server`, and send `request`."""

    def __init__(self, server, request=b"", address="localhost", tls=None):
        self.socket = socket.create_connection((address, server.port), timeout=30)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=address)
        self.reader = self.socket.makefile("rb")
        self.send = self.socket.sendall
        self.send(request)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def answer(self, method="GET"):
        """Return status and body of the next answer."""
        status = int(self.reader.readline().split()[1])
        fields = http.client.parse_headers(self.reader)
        if method == "HEAD":
            return status, b""
        if "Content-Length" in fields:
            return status, self.reader.read(int(fields["Content-Length"]))
        assert fields["Transfer-Encoding"] == "chunked"
        body = b""
        while size := int(self.reader.readline(), 16):
            body += self.reader.read(size)
            assert self.reader.readline() == b"\r\n"
        assert self.reader.readline() == b"\r\n"
        return status, body

    def rest(self):
        """Return how many bytes come until the server closes, and the first ones."""
        start, size = b"", 0
        while part := self.reader.read1(65536):
            start = (start + part)[:10_000]
            size += len(part)
        return size, start


def get(target, host="localhost", *fields):
    return "\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *fields, "\r\n"]).encode()


def nothing_in_flight(server):
    return all(counted["at_once"] == 0 for counted in server.stats().values())


def descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def memory_kb(server):
    with open(f"/proc/{server.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_a_connection_serves_one_request_after_the_other(server):
    with Client(server) as connection:
        for number in range(100):
            connection.send(get(f"/bytes/{number}"))
            assert connection.answer() == (200, bytes(range(number)))


def test_pipelined_requests_are_answered_in_their_order(server):
    targets = ["/delay/0.2", "/bytes/3", "/chunked/5000", "/status/404", "/drip?bytes=2&seconds=0.1", "/bytes/200000"]
    with Client(server, b"".join(map(get, targets))) as connection:
        answers = [connection.answer() for _ in targets]
    assert [status for status, _ in answers] == [200, 200, 200, 404, 200, 200]
    assert [len(body) for _, body in answers] == [16 + len("\n"), 3, 5000, 4, 2, 200_000]


def test_a_request_may_come_byte_by_byte(server):
    with Client(server) as connection:
        for byte in b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc":
            connection.send(bytes([byte]))
        assert connection.answer() == (200, b"POST /echo\nabc")


@pytest.mark.parametrize("target", ["/bytes/10", "/bytes/1000000", "/chunked/10", "/gzip", "/status/404", "/delay/0.1",
                                    "/drip?bytes=2&seconds=0"])
def test_head_gets_the_head_alone(server, target):
    with Client(server, get(target).replace(b"GET", b"HEAD") + get("/bytes/2")) as connection:
        assert connection.answer("HEAD")[1] == b""
        assert connection.answer() == (200, b"\0\1")


def test_a_request_body_may_come_in_chunks(server):
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Client(server, head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" + get("/bytes/1")) as connection:
        assert connection.answer() == (200, b"POST /echo\nabcde")
        assert connection.answer() == (200, b"\0")


def test_who_asks_first_is_told_to_continue(server):
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with Client(server, head) as connection:
        assert connection.reader.read1(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(b"ab")
        assert connection.answer() == (200, b"POST /echo\nab")


def test_a_request_body_that_is_too_large_is_refused_and_the_connection_goes_on(server):
    size = MAX_BODY_BYTES + 1
    with Client(server, b"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size) as connection:
        connection.send(bytes(size))
        assert connection.answer()[0] == 413
        connection.send(get("/bytes/1"))
        assert connection.answer() == (200, b"\0")


def test_an_upgrade_is_declined(server):
    fields = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"]
    with Client(server, get("/bytes/1", "a", *fields) + get("/bytes/2")) as connection:
        assert connection.answer() == (200, b"\0")
        assert connection.answer() == (200, b"\0\1")


def test_a_target_may_be_a_whole_url_as_proxies_get_it(server):
    with Client(server, get("http://name.example:81/echo/x?y", "other.example")) as connection:
        assert connection.answer() == (200, b"GET /echo/x?y\n")
    assert server.stats()["name.example:81"]["requests"] == 1


def test_http_1_0_ends_with_the_answer_unless_it_asks_otherwise(server):
    with Client(server, b"GET /chunked/5 HTTP/1.0\r\n\r\n") as connection:
        head, _, body = connection.rest()[1].partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head and body == bytes(range(5))
    with Client(server, b"GET /bytes/5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") as connection:
        assert connection.answer() == (200, bytes(range(5)))
        connection.send(b"GET /bytes/5 HTTP/1.0\r\n\r\n")
        assert b"Connection: close" in connection.rest()[1]


@pytest.mark.parametrize("request_bytes", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost a\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"GET http://[ HTTP/1.1\r\n\r\n"])
def test_what_is_not_http_gets_400_and_the_end(server, request_bytes):
    with Client(server, request_bytes) as connection:
        assert connection.rest()[1].startswith(b"HTTP/1.1 400 ")


def test_a_body_in_broken_chunks_is_the_end(server):
    with Client(server, b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n") as connection:
        assert connection.rest() == (0, b"")


def test_many_are_served_at_once(server):
    with ExitStack() as stack:
        connections = [stack.enter_context(Client(server, get("/delay/1", "many.localhost"))) for _ in range(300)]
        assert {connection.answer() for connection in connections} == {(200, b"That took 1 s.\n")}
    counted = server.stats()["many.localhost"]
    assert (counted["requests"], counted["at_once"]) == (300, 0)
    assert counted["most_at_once"] > 100


def test_most_at_once_is_what_was_in_flight_together(server):
    with ExitStack() as stack:
        for _ in range(7):
            stack.enter_context(Client(server, get("/hang", "seven.localhost")))
        eventually(lambda: server.stats().get("seven.localhost", {}).get("at_once") == 7)
    eventually(lambda: server.stats()["seven.localhost"]["at_once"] == 0)
    with Client(server) as connection:
        for _ in range(5):
            connection.send(get("/bytes/100000", "seven.localhost"))
            connection.answer()
    assert server.stats()["seven.localhost"] == {"requests": 12, "at_once": 0, "most_at_once": 7}


def test_an_answer_is_in_flight_until_the_client_took_it(server):
    with Client(server, get("/bytes/100000000", "slow-reader.localhost")) as connection:
        connection.reader.read(100)
        sleep(0.2)
        assert server.stats()["slow-reader.localhost"]["at_once"] == 1
        connection.send(get("/status/200", "another.localhost", "Connection: close"))
        assert connection.rest()[0] > 100_000_000
        assert server.stats()["slow-reader.localhost"]["at_once"] == 0


def test_stats_tell_when_requests_came(server):
    with Client(server) as connection:
        for _ in range(3):
            connection.send(get("/status/200", "times.localhost"))
            connection.answer()
            sleep(0.1)
    first, second, third = server.stats(times=True)["times.localhost"]["times"]
    assert second - first >= 0.1 and third - second >= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("targets", [
    ["/hang"], ["/delay/60"], ["/bytes/1000000000"], ["/drip?bytes=1000&seconds=1"], ["/bomb"],
    ["/status/200"] * 2000, ["/delay/0.1"] * 1000, ["/hang", *["/bytes/1"] * 50]])
@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_goes_away_leaves_nothing_behind(own_server, targets, reset):
    before = descriptors(own_server)
    for _ in range(5):
        with Client(own_server, b"".join(map(get, targets))) as connection:
            sleep(0.02)
            if reset:
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: nothing_in_flight(own_server) and descriptors(own_server) == before)


def test_a_request_that_never_gets_whole_leaves_nothing_behind(own_server):
    before = descriptors(own_server)
    for part in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: a", b"POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"):
        with Client(own_server, part):
            pass
    eventually(lambda: nothing_in_flight(own_server) and descriptors(own_server) == before)


def test_large_bodies_wait_for_slow_readers_and_take_no_memory(own_server):
    with Client(own_server, get("/bytes/1000")) as connection:
        connection.answer()
    before = memory_kb(own_server)
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(Client(own_server, get("/bytes/10000000000")))
        with Client(own_server, get("/bytes/200000000", "a", "Connection: close")) as connection:
            assert connection.rest()[0] > 200_000_000
        assert memory_kb(own_server) - before < 8_000


def test_pipelined_requests_wait_for_slow_readers_and_take_no_memory(own_server):
    with Client(own_server) as connection:
        connection.socket.settimeout(0.5)
        before, sent, block = memory_kb(own_server), 0, get("/bytes/60000") * 1000
        with pytest.raises(TimeoutError):
            for sent in range(10_000):
                connection.send(block)
        assert sent < 1000
        assert memory_kb(own_server) - before < 8_000


def test_a_server_without_free_descriptors_goes_on_when_there_are_some(own_server):
    _, hard = resource.prlimit(own_server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(own_server.pid, resource.RLIMIT_NOFILE, (descriptors(own_server) + 10, hard))
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(Client(own_server, get("/hang")))
        sleep(0.3)
    with Client(own_server, get("/bytes/1")) as connection:
        assert connection.answer() == (200, b"\0")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_localhost_is_both_families(server, address):
    try:
        connection = Client(server, get("/bytes/1"), address)
    except OSError as error:
        assert address == "::1" and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
        pytest.skip("no IPv6 here")
    with connection:
        assert connection.answer() == (200, b"\0")


def test_a_port_that_is_taken_raises(server):
    with pytest.raises(OSError) as caught:
        Server(port=server.port).start()
    assert caught.value.errno == errno.EADDRINUSE


def test_it_serves_on_the_hub_of_its_own_thread_until_it_is_stopped():
    bodies = []
    with Server("127.0.0.1") as server:
        def client():
            with build_opener(ProxyHandler({})).open(server.url("/bytes/3")) as response:
                bodies.append(response.read())

        thread = threading.Thread(target=client)
        thread.start()
        while thread.is_alive():
            green.sleep(0.01)
        idle = Client(server)
        green.sleep(0.05)
    assert bodies == [b"\0\1\2"]
    with idle:
        assert idle.rest() == (0, b"")
    with pytest.raises(ConnectionRefusedError):
        Client(server)


def test_it_speaks_https_too(tmp_path):
    authority = trustme.CA()
    certificate = str(tmp_path / "server.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with ServerProcess(certificate) as server:
        assert server.url("/x").startswith("https://localhost:")
        with Client(server, tls=context) as connection:
            for size in (1, 3_000_000, 10):
                connection.send(get(f"/bytes/{size}"))
                assert len(connection.answer()[1]) == size
            body = bytes(1_000_000)
            connection.send(b"POST /echo HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert connection.answer()[1].endswith(body)


def test_tls_at_the_plain_port_fails(server):
    with pytest.raises(ssl.SSLError):
        Client(server, tls=ssl.create_default_context())
