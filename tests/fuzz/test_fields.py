from fetcher.errors import ProtocolError
from fetcher.transport.decoding import content_codings
from fetcher.transport.head import Framing, framing
from fetcher.transport.headers import Headers, retry_after
from tests.fuzz import fuzz


def test_any_date_is_a_time_to_come_back_or_none():
    def check(data):
        seconds = retry_after(Headers([(b"retry-after", data)]))
        assert seconds is None or 0 <= seconds < 10 ** 12

    fuzz("dates", check)


def test_any_value_can_be_read_as_a_field():
    def check(data):
        headers = Headers([(b"etag", data), (b"last-modified", data), (b"content-type", data)])
        etag, last_modified = headers.validators()
        assert etag == last_modified == headers.get("content-type") == headers["ETag"]
        assert headers.get_all("etag") == [etag] and len(list(headers.items())) == 3

    fuzz("lists", check)


def test_any_list_of_codings_is_known_or_left_alone():
    def check(data):
        assert set(content_codings(data.decode("latin-1"))) <= {"gzip", "x-gzip", "deflate", "br", "zstd"}

    fuzz("lists", check)


def test_any_framing_is_clear_or_an_error():
    def check(data):
        for name in (b"content-length", b"transfer-encoding", b"connection", b"content-encoding"):
            for also in ([], [(name, b"chunked")], [(b"content-length", b"5")]):
                for version in ("1.0", "1.1"):
                    try:
                        found = framing((200, version, [(name, data), *also]), "GET", "peer")
                    except ProtocolError:
                        continue
                    assert isinstance(found, Framing) and (found.length is None or found.length >= 0)
                    assert not (found.chunked and found.length is not None)

    fuzz("lists", check)
