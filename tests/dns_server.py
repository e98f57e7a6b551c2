"""A name server for tests of the client: what it is told to answer, over UDP, in a plain thread.

    with DnsServer({"a.example": ["127.0.0.1"]}) as server:
        fetch("http://a.example/", dns_servers=(server.address,))
    assert server.asked == [("a.example", "A"), ("a.example", "AAAA")]
"""
from __future__ import annotations

import socket
import threading
from ipaddress import ip_address

_TYPES = {1: "A", 28: "AAAA"}
_NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME, REFUSED = 0, 2, 3, 5


class DnsServer:
    """Knows `names`, by address; one with a number instead of addresses is answered with that code, one with None
    not at all. Answers come after `delay` seconds and live for `ttl`. Unknown names do not exist.
    """

    def __init__(self, names: dict[str, list[str] | int | None], *, ttl: int = 60, delay: float = 0.0) -> None:
        self.names = names
        self.asked: list[tuple[str, str]] = []
        self._ttl = ttl
        self._delay = delay
        self._ending = threading.Event()

    def __enter__(self) -> DnsServer:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ending.is_set():
            try:
                query, client = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            except ConnectionError:     # the client has closed the socket that an answer went to
                continue
            answer = self._answer(query)
            if answer is not None:
                self._ending.wait(self._delay)
                self._socket.sendto(answer, client)

    def _answer(self, query: bytes) -> bytes | None:
        labels, place = [], 12
        while query[place]:
            labels.append(query[place + 1:place + 1 + query[place]].decode("ascii"))
            place += 1 + query[place]
        name, question = ".".join(labels).lower(), query[12:place + 5]
        kind = _TYPES.get(int.from_bytes(query[place + 1:place + 3], "big"), "other")
        self.asked.append((name, kind))
        known = self.names.get(name, NO_SUCH_NAME)
        if known is None:
            return None
        code, addresses = (known, []) if isinstance(known, int) else (_NO_ERROR, known)
        records = [self._record(address) for address in addresses if (":" in address) == (kind == "AAAA")]
        head = query[:2] + bytes([0x81, 0x80 | code, 0, 1, 0, len(records), 0, 0, 0, 0])
        return head + question + b"".join(records)

    def _record(self, text: str) -> bytes:
        address = ip_address(text)
        kind = 1 if address.version == 4 else 28
        return (b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\x01" + self._ttl.to_bytes(4, "big")
                + len(address.packed).to_bytes(2, "big") + address.packed)
