"""TLS inside of TLS: how an https origin is spoken to through a proxy that is itself spoken to by TLS."""
from __future__ import annotations

import ssl

_MAX_PLAIN = 16 * 1024      # what one TLS record holds (RFC 8446 §5.1)


class TlsInTls:
    """A TLS connection over another one, with the methods of a non-blocking TLS socket that are called here.

    `ssl` can wrap a descriptor, and not another TLS socket: so this one speaks through two buffers in memory.
    """

    def __init__(self, settings: ssl.SSLContext, outer: ssl.SSLSocket, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._outer = outer
        self._unsent = b""      # of what `_outgoing` had
        self._accepted = 0      # bytes of the caller that are in `_unsent`, and that he was not told of
        self.inner = settings.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.fileno = outer.fileno
        self.close = outer.close

    def do_handshake(self) -> None:
        """Raises ssl.SSLWantReadError, ssl.SSLWantWriteError and what else a handshake may."""
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
        """Return how many bytes of `data` were sent. After SSLWantWriteError, the same bytes are to come again."""
        if not self._accepted:
            self._accepted = self.inner.write(data[:_MAX_PLAIN])
        self._flush()
        accepted, self._accepted = self._accepted, 0
        return accepted

    def recv_into(self, buffer: memoryview) -> int:
        """Fill `buffer` with all that is there, so that nothing is left which the hub does not see.

        `buffer` is to have room for a record. Returns 0 at the end. Raises ssl.SSLWantReadError.
        """
        count = 0
        while count < len(buffer):
            try:
                size = int(self.inner.read(len(buffer) - count, buffer[count:]))    # a number, where there is a buffer
            except ssl.SSLWantReadError:
                if count:
                    break
                self._flush()
                self._pull()
            except ssl.SSLEOFError:     # without a word, as many servers end
                break
            else:
                if not size:
                    break
                count += size
        return count

    def _pull(self) -> None:
        """Take in one record of the outer connection."""
        data = self._outer.recv(_MAX_PLAIN)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self._outer.send(self._unsent):]
