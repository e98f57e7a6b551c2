"""HTTP/2 frames as a server sends them, right or wrong, and a server that plays them: raw sockets and plain threads.

    with FrameServer(lambda peer, number: peer.answer(number, b"ok")) as server:
        fetch(server.url(), network=NetworkOptions(proxy="", http="2"))
"""
from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable

import hpack
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
Fields = Iterable[tuple[bytes, bytes]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"", length: int | None = None) -> bytes:
    """Return a frame of any type. `length` may lie."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


class Peer:
    """The server's end of one connection. `requests` has the fields of each request, by stream."""

    def __init__(self, sock: socket.socket, server: FrameServer) -> None:
        self.socket = sock
        self.server = server
        self.requests: dict[int, dict[bytes, bytes]] = {}
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder()
        self._received = b""

    def send(self, *parts: bytes) -> None:
        rest = memoryview(b"".join(parts))
        while rest and not self.server.ending.is_set():
            try:
                rest = rest[self.socket.send(rest):]
            except TimeoutError:
                continue

    def settings(self, values: dict[int, int] | None = None) -> bytes:
        return bytes(SettingsFrame(0, values or {}).serialize())

    def head(self, stream: int, fields: Fields = (), status: bytes = b"200", ended: bool = False) -> bytes:
        return self.fields(stream, [(b":status", status), *fields], ended)

    def fields(self, stream: int, fields: Fields, ended: bool = False) -> bytes:
        """Return any fields as HEADERS and CONTINUATION frames."""
        block = self._encoder.encode(list(fields))
        flags = {"END_STREAM"} if ended else set()
        first, rest = block[:16000], block[16000:]
        if not rest:
            flags.add("END_HEADERS")
        made = bytes(HeadersFrame(stream, first, flags=list(flags)).serialize())
        while rest:
            part, rest = rest[:16000], rest[16000:]
            made += ContinuationFrame(stream, part, flags=[] if rest else ["END_HEADERS"]).serialize()
        return made

    def data(self, stream: int, data: bytes, ended: bool = True) -> bytes:
        parts = [data[place:place + 16000] for place in range(0, len(data), 16000)] or [b""]
        return b"".join(DataFrame(stream, part, flags=["END_STREAM"] if ended and place == len(parts) - 1 else []
                                  ).serialize() for place, part in enumerate(parts))

    def reset(self, stream: int, code: int) -> bytes:
        return bytes(RstStreamFrame(stream, code).serialize())

    def goaway(self, last: int, code: int = 0) -> bytes:
        return bytes(GoAwayFrame(0, last_stream_id=last, error_code=code).serialize())

    def answer(self, stream: int, body: bytes = b"ok", fields: Fields = ()) -> None:
        self.send(self.head(stream, fields), self.data(stream, body))

    def path(self, stream: int) -> bytes:
        return self.requests[stream][b":path"]

    def serve(self) -> None:
        """Read the client's frames until it leaves, and let the server react to each request."""
        while len(self._received) < len(PREFACE):
            if not self._receive():
                return
        assert self._received.startswith(PREFACE)
        self._received = self._received[len(PREFACE):]
        if self.server.settings is not None:
            self.send(self.settings(self.server.settings))
        while True:
            while len(self._received) < 9 or len(self._received) < 9 + int.from_bytes(self._received[:3], "big"):
                if not self._receive():
                    return
            made, length = Frame.parse_frame_header(memoryview(self._received[:9]))
            made.parse_body(memoryview(self._received[9:9 + length]))
            self._received = self._received[9 + length:]
            self._handle(made)

    def _handle(self, made: Frame) -> None:
        if isinstance(made, SettingsFrame) and "ACK" not in made.flags:
            self.send(SettingsFrame(0, flags=["ACK"]).serialize())
        elif isinstance(made, HeadersFrame):
            self.requests[made.stream_id] = dict(self._decoder.decode(made.data, raw=True))
            self.server.requests.append(self.requests[made.stream_id])
            self.server.react(self, made.stream_id)
        elif isinstance(made, RstStreamFrame):
            self.server.resets.append((made.stream_id, made.error_code))

    def _receive(self) -> bool:
        while not self.server.ending.is_set():
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                continue
            self._received += data
            return bool(data)
        return False


class FrameServer:
    """Calls `react(peer, stream)` for each request. A server with `settings` None sends none.

    `requests`, `resets` and `connections` say what came. Where `react` raises an OSError, the connection is closed.
    """

    def __init__(self, react: Callable[[Peer, int], object], settings: dict[int, int] | None = {},  # noqa: B006
                 tls: ssl.SSLContext | None = None) -> None:
        self.react = react
        self.settings = settings
        self.requests: list[dict[bytes, bytes]] = []
        self.resets: list[tuple[int, int]] = []
        self.connections = 0
        self.ending = threading.Event()
        self._tls = tls
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> FrameServer:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listening.settimeout(0.05)
        self.port = self._listening.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def url(self, path: str = "/") -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{path}"

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.ending.is_set():
            try:
                client, _ = self._listening.accept()
            except TimeoutError:
                continue
            self.connections += 1
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            client.settimeout(10)
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            client.settimeout(0.1)
            Peer(client, self).serve()
        except (OSError, ValueError):
            pass        # the client went away, as it does in some tests
        finally:
            client.close()
