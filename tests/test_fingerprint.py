"""Which requests for one URL are the same, and which differ."""
import pytest

from fetcher.fingerprint import fingerprint
from fetcher.model import Overrides
from fetcher.options import RequestOptions

PLAIN = RequestOptions()


@pytest.mark.parametrize(("options", "overrides"), [
    (PLAIN, None),
    (RequestOptions(method="GET"), None),
    (RequestOptions(headers=(("Accept", "text/html"),), user="me:secret", cookie="a=b"), None),
    (PLAIN, Overrides(timeout=5.0)),
    (RequestOptions(method="POST"), Overrides(method="GET")),
])
def test_a_plain_get_has_none(options, overrides):
    assert fingerprint(options, overrides) is None


def test_a_method_alone_is_its_own_name():
    assert fingerprint(RequestOptions(method="HEAD")) == fingerprint(PLAIN, Overrides(method="HEAD")) == "HEAD"


def test_a_body_stands_as_its_digest():
    by_options = fingerprint(RequestOptions(data=b"a=1"))
    assert by_options is not None and by_options.startswith("POST ") and len(by_options) == len("POST ") + 16
    assert by_options == fingerprint(PLAIN, Overrides(data=b"a=1"))
    assert by_options == fingerprint(RequestOptions(data=b"a=2"), Overrides(data=b"a=1"))
    assert by_options != fingerprint(RequestOptions(data=b"a=2"))


def test_a_digest_is_the_same_in_every_version():
    assert fingerprint(RequestOptions(data=b"a=1")) == "POST 13f25efddfd1cfee"


def test_header_fields_of_a_row_count_in_any_order_and_spelling():
    german = Overrides(headers=(("Accept-Language", "de"), ("X-Page", "2")))
    assert fingerprint(PLAIN, german) == fingerprint(PLAIN, Overrides(headers=(("x-page", "2"),
                                                                               ("accept-language", "de"))))
    assert fingerprint(PLAIN, german) != fingerprint(PLAIN, Overrides(headers=(("Accept-Language", "en"),
                                                                               ("X-Page", "2"))))


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Proxy-Authorization"])
def test_credentials_count_by_name_alone(name):
    yesterday, today = (Overrides(headers=((name, value),)) for value in ("old", "new"))
    assert fingerprint(PLAIN, yesterday) == fingerprint(PLAIN, today) != fingerprint(PLAIN)
