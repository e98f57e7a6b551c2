"""TLS inside TLS, for https origins behind an https proxy."""
from __future__ import annotations

import ssl

_MAX_PLAIN = 16 * 1024      # what one TLS record holds (RFC 8446 §5.1)


class TlsInTls:
    """A TLS connection over another one. It has the methods of a non-blocking TLS socket that are used here.

    `ssl` cannot wrap another TLS socket, so this uses two buffers in memory.
    """

    def __init__(self, settings: ssl.SSLContext, outer: ssl.SSLSocket, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._outer = outer
        self._unsent = b""      # bytes from `_outgoing` that are not sent yet
        self._accepted = 0      # bytes of the caller that were encrypted, but not yet reported as sent
        self.inner = settings.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.fileno = outer.fileno
        self.close = outer.close

    def do_handshake(self) -> None:
        """Do as much of the handshake as possible. Raises the errors of ssl.SSLSocket.do_handshake."""
        while True:
            try:
                self.inner.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._pull()
            else:
                self._flush()
                return

    def send(self, data: memoryview | bytes) -> int:
        """Send `data`. Return how many bytes were sent. After SSLWantWriteError, call it again with the same bytes."""
        if not self._accepted:
            self._accepted = self.inner.write(data[:_MAX_PLAIN])
        self._flush()
        accepted, self._accepted = self._accepted, 0
        return accepted

    def recv_into(self, buffer: memoryview) -> int:
        """Receive all data that is there, because the hub would not notice decrypted data that is left.

        `buffer` must have room for a record. Return how many bytes were received, 0 at the end. Raises
        ssl.SSLWantReadError.
        """
        count = 0
        while count < len(buffer):
            try:
                size = int(self.inner.read(len(buffer) - count, buffer[count:]))    # with a buffer, it returns a number
            except ssl.SSLWantReadError:
                if count:
                    break
                self._flush()
                self._pull()
            except ssl.SSLEOFError:     # many servers close without saying so
                break
            else:
                if not size:
                    break
                count += size
        return count

    def _pull(self) -> None:
        """Receive once from the outer connection."""
        data = self._outer.recv(_MAX_PLAIN)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self._outer.send(self._unsent):]
