"""A name server for tests of the client, over UDP, in a plain thread.

    with DnsServer({"a.example": ["127.0.0.1"]}) as server:
        fetch("http://a.example/", dns_servers=(server.address,))
    assert server.asked == [("a.example", "A"), ("a.example", "AAAA")]
"""
from __future__ import annotations

import socket
import threading
from ipaddress import ip_address
from typing import Any

_TYPES = {1: "A", 28: "AAAA"}
_ALIAS = 5
_NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NO_SUCH_NAME, REFUSED = 0, 1, 2, 3, 5


class DnsServer:
    """Answers for `names`: a list of addresses, or of the name that it is an alias of.

    A name with a number is answered with that error code, one with None is not answered, and one with a function is
    answered with what that returns for the query. Answers come after `delay` seconds, and have a TTL of `ttl` seconds.
    Unknown names do not exist.
    """

    def __init__(self, names: dict[str, Any], *, ttl: int = 60, delay: float = 0.0) -> None:
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
            except ConnectionError:     # the client has closed its socket before an answer arrived
                continue
            answer = self._answer(query)
            if answer is not None:
                self._ending.wait(self._delay)
                self._socket.sendto(answer, client)

    def _answer(self, query: bytes) -> bytes | None:
        name, kind = asked_for(query)
        self.asked.append((name, kind))
        known = self.names.get(name, NO_SUCH_NAME)
        if known is None:
            return None
        if callable(known):
            return known(query)
        if isinstance(known, int):
            return reply(query, [], known)
        return reply(query, self._records(name, kind))

    def _records(self, name: str, kind: str) -> list[bytes]:
        records = []
        for text in self.names.get(name, []):
            if text.replace(".", "").isdigit() or ":" in text:
                if (":" in text) == (kind == "AAAA"):
                    records.append(address_record(name, text, self._ttl))
            else:
                records += [record(name, _ALIAS, encoded(text), self._ttl), *self._records(text, kind)]
        return records


def asked_for(query: bytes) -> tuple[str, str]:
    """Return the name and the type of record that `query` asks for."""
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1:place + 1 + query[place]].decode("ascii"))
        place += 1 + query[place]
    return ".".join(labels).lower(), _TYPES.get(int.from_bytes(query[place + 1:place + 3], "big"), "other")


def reply(query: bytes, records: list[bytes], code: int = _NO_ERROR, flags: int = 0x81) -> bytes:
    """Return an answer to `query`. `flags` of 0x83 mean that it was truncated."""
    question = query[12:query.index(b"\0", 12) + 5]
    return query[:2] + bytes([flags, 0x80 | code, 0, 1, 0, len(records), 0, 0, 0, 0]) + question + b"".join(records)


def address_record(owner: str, text: str, ttl: int = 60) -> bytes:
    address = ip_address(text)
    return record(owner, 1 if address.version == 4 else 28, address.packed, ttl)


def record(owner: str, kind: int, data: bytes, ttl: int = 60) -> bytes:
    return (encoded(owner) + kind.to_bytes(2, "big") + b"\0\x01" + ttl.to_bytes(4, "big")
            + len(data).to_bytes(2, "big") + data)


def encoded(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split(".")) + b"\0"
