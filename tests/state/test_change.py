"""How a change is reported, from what was known of a URL and what is there now."""
import pytest

from fetcher.model import Memory
from fetcher.state.change import CHANGED, GONE, NEW, UNCHANGED, change_since, is_settled


def seen(status=200, sha256=None, etag=None, last_modified=None):
    return Memory("http://a/", "GET", status, etag, last_modified, sha256, "http://a/", None)


HERE, OTHER, MISSING = seen(sha256="a"), seen(sha256="b"), seen(404)


@pytest.mark.parametrize(("known", "now", "expected"), [
    (None, HERE, NEW), (None, MISSING, None),
    (HERE, HERE, UNCHANGED), (HERE, OTHER, CHANGED), (HERE, MISSING, GONE), (HERE, seen(410), GONE),
    (MISSING, MISSING, UNCHANGED), (MISSING, seen(410), UNCHANGED), (MISSING, HERE, NEW),
])
def test_the_body_is_compared_with_what_was_known(known, now, expected):
    assert change_since(known, None, now) == expected


@pytest.mark.parametrize(("known", "now", "expected"), [
    (seen(sha256="a", etag='"1"'), seen(sha256="a", etag='"2"'), UNCHANGED),
    (seen(sha256="a", last_modified="then"), seen(sha256="b", last_modified="then"), CHANGED),
    (seen(etag='"1"'), seen(etag='"2"'), CHANGED),
    (seen(etag='W/"1"'), seen(etag='"1"'), UNCHANGED),
    (seen(etag='"1"', last_modified="then"), seen(last_modified="now"), CHANGED),
    (seen(last_modified="then"), seen(last_modified="then"), UNCHANGED),
    (seen(), seen(), None),
    (seen(301), seen(302), CHANGED),
])
def test_validators_count_where_there_is_no_body(known, now, expected):
    assert change_since(known, None, now) == expected


@pytest.mark.parametrize(("known", "reported", "now", "expected"), [
    (HERE, NEW, HERE, NEW), (HERE, NEW, OTHER, NEW), (HERE, NEW, MISSING, GONE),
    (HERE, CHANGED, HERE, CHANGED), (HERE, CHANGED, OTHER, CHANGED), (HERE, CHANGED, MISSING, GONE),
    (MISSING, GONE, MISSING, GONE), (MISSING, GONE, HERE, NEW),
    (HERE, UNCHANGED, HERE, UNCHANGED), (HERE, UNCHANGED, OTHER, CHANGED),
])
def test_what_a_run_without_an_end_said_is_said_again(known, reported, now, expected):
    assert change_since(known, reported, now) == expected


@pytest.mark.parametrize(("known", "reported", "expected"), [
    (HERE, None, True), (HERE, UNCHANGED, True), (HERE, NEW, False), (HERE, CHANGED, False),
    (MISSING, None, False), (MISSING, GONE, False),
])
def test_not_modified_is_enough_where_somebody_has_read_of_the_body(known, reported, expected):
    assert is_settled(known, reported) == expected
