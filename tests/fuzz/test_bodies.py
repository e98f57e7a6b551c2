import pytest

from fetcher.errors import DecodeError, Incomplete, ProtocolError, TooLarge
from fetcher.transport.chunks import Chunks
from fetcher.transport.decoding import Decoder
from tests.fuzz import fuzz

MAX_SIZE = 1_000_000


@pytest.mark.parametrize("codings", [("gzip",), ("deflate",), ("br",), ("zstd",), ("gzip", "gzip"),
                                     ("br", "zstd", "gzip")],
                         ids=", ".join)
def test_any_body_is_decoded_or_an_error(codings):
    def check(data):
        decoder = Decoder(codings, "peer", MAX_SIZE)
        try:
            for at in range(0, len(data), 7):
                for piece in decoder.decode(data[at:at + 7]):
                    assert len(piece) <= 20_000_000
            decoder.finish()
        except (DecodeError, Incomplete, TooLarge):
            pass

    fuzz("bodies", check)


def test_any_chunks_are_read_or_an_error():
    def check(data):
        for size in (1, 1000):
            chunks = Chunks("peer")
            try:
                for at in range(0, len(data), size):
                    if not chunks.complete:
                        list(chunks.feed(data[at:at + size]))
            except ProtocolError:
                pass

    fuzz("answers", lambda data: check(data.partition(b"\r\n\r\n")[2]))
