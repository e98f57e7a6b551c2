import socket
import time

import pytest

from tests.broken_server import CLOSE, READ, RESET, SILENCE, BrokenServer, deaf_server

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def received(client):
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_it_sends_what_it_is_told_once_it_was_asked():
    with BrokenServer(b"some ", 0.1, b"bytes", CLOSE, b"never") as server, connect(server) as client:
        client.sendall(REQUEST)
        assert received(client) == b"some bytes"
        assert (server.requests, server.connections) == ([REQUEST], 1)


def test_it_can_speak_first():
    with BrokenServer(b"hello", speaks_first=True) as server, connect(server) as client:
        assert received(client) == b"hello"
        assert server.requests == []


def test_it_can_read_again_and_again_on_one_connection():
    post = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n"
    with BrokenServer(b"1", READ, b"2") as server, connect(server) as client:
        client.sendall(REQUEST)
        assert client.recv(9) == b"1"
        client.sendall(post)
        client.sendall(b"abc")
        assert received(client) == b"2"
        assert server.requests == [REQUEST, post + b"abc"]


def test_each_connection_can_have_its_own_script_and_the_last_one_is_for_the_rest():
    with BrokenServer([b"first"], [b"other"], speaks_first=True) as server:
        answers = []
        for _ in range(3):
            with connect(server) as client:
                answers.append(received(client))
    assert answers == [b"first", b"other", b"other"]


def test_a_reset_is_a_reset():
    with BrokenServer(RESET) as server, connect(server) as client:
        client.sendall(REQUEST)
        with pytest.raises(ConnectionResetError):
            received(client)


def test_silence_lasts_until_the_server_ends():
    with BrokenServer(SILENCE, speaks_first=True) as server:
        client = connect(server)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
    client.settimeout(30)
    assert client.recv(1) == b""
    client.close()


def test_pauses_end_with_the_server():
    with BrokenServer(1_000_000.0, speaks_first=True) as server, connect(server):
        time.sleep(0.1)


def test_nobody_gets_through_to_the_deaf():
    with deaf_server() as port, socket.socket() as client:
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.connect(("127.0.0.1", port))
