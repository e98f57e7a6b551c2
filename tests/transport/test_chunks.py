import pytest

from fetcher.errors import ProtocolError
from fetcher.transport.chunks import Chunks


def read(data, piece=10 ** 9):
    """Return the body in `data`, whether it is complete, and what follows it."""
    chunks, body = Chunks("peer"), b""
    for start in range(0, len(data), piece):
        if chunks.complete:
            return body, True, chunks.surplus + data[start:]
        body += b"".join(chunks.feed(data[start:start + piece]))
    return body, chunks.complete, chunks.surplus


def error(data, piece):
    with pytest.raises(ProtocolError) as caught:
        read(data, piece)
    return str(caught.value)


PIECES = pytest.mark.parametrize("piece", [1, 3, 10 ** 9])


@PIECES
@pytest.mark.parametrize("data", [
    b"5\r\nhello\r\n0\r\n\r\n", b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\nhello\r\n0\r\n\n",
    b"5; x\r\nhello\r\n0\r\n\r\n", b"5;x = 1\r\nhello\r\n0;y\r\n\r\n", b"5;\r\nhello\r\n0\r\n\r\n",
    b"5 \t;x\r\nhello\r\n0 \r\n\r\n", b"5 x\r\nhello\r\n0\tx y;z\r\n\r\n", b"5\r\r\nhello\r\n0\r\r\n\r\n",
    b"5\r\nhello\r\n0\r\nno colon\r\n: x\r\n folded\r\n\r\n",
    b"5  \r\nhello\r\n0 \r\n\r\n",
    b"0000000000000005\r\nhello\r\n0\r\nA: b\r\nC: d\n\r\n", b"5;\0\rx\r\nhello\r\n00\r\n\r\n"])
def test_chunks_are_read(data, piece):
    assert read(data, piece) == (b"hello", True, b"")
    assert read(data + b"more", piece) == (b"hello", True, b"more")
    assert read(data[:-1], piece) == (b"hello", False, b"")


@PIECES
@pytest.mark.parametrize("data", [
    b"x\r\n", b"\r\nok", b" 2\r\nok", b"-2\r\nok", b"0x2\r\nok", b"2x\r\nok", b"2,\r\nok",
    b"f" * 17, b"0" * 17 + b"2\r\nok"])
def test_a_size_that_is_none_is_an_error(data, piece):
    assert error(data, piece) == "The chunks in the answer from peer are broken: a size is missing."


@PIECES
@pytest.mark.parametrize("data", [b"2\r\nokay\r\n", b"2\r\nok0\r\n\r\n", b"2\r\nok\rx"])
def test_a_chunk_that_is_longer_than_its_size_is_an_error(data, piece):
    assert error(data, piece) == "The chunks in the answer from peer are broken: one is longer than its size says."


@PIECES
@pytest.mark.parametrize("data", [b"2;" + b"x" * 20_000, (b"1;" + b"x" * 100 + b"\r\ny\r\n") * 200])
def test_chunks_with_little_beside_their_extensions_are_an_error(data, piece):
    assert error(data, piece) == "The chunks in the answer from peer carry too much besides their data."


@pytest.mark.parametrize("extension", [b"", b";signature=" + b"x" * 80])
def test_chunks_with_enough_beside_their_extensions_are_read(extension):
    chunk = b"100" + extension + b"\r\n" + b"y" * 256 + b"\r\n"
    assert read(chunk * 1000 + b"0\r\n\r\n")[1:] == (True, b"")


def test_many_small_chunks_are_read():
    assert read(b"1\r\ny\r\n" * 10_000 + b"0\r\n\r\n") == (b"y" * 10_000, True, b"")


@PIECES
def test_a_trailer_without_end_is_an_error(piece):
    chunks = Chunks("peer")
    list(chunks.feed(b"0\r\n"))
    with pytest.raises(ProtocolError, match="trailer .* above 256 KB"):
        for _ in range(300):
            list(chunks.feed(b"X: " + b"y" * 1000 + b"\r\n"))
