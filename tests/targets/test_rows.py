from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Overrides, Target
from fetcher.options import InputOptions
from fetcher.targets.links import Links
from fetcher.targets.rows import Rows
from fetcher.url import parse


def target(row: dict, **reading) -> Target:
    return Rows(**reading).target(row, 1)


def based(url: str) -> Links:
    return Links(InputOptions(base_url=url))


def problem(row: dict) -> str:
    found = target({"url": "http://a/", **row})
    assert (found.url, found.parsed, found.overrides) == ("http://a/", None, None)
    return found.problem


def overrides(**columns) -> Overrides | None:
    found = target({"url": "http://a/", **columns})
    assert found.problem is None and found.input == {}
    return found.overrides


# Where the URL is

def test_it_is_in_the_column_url():
    found = target({"link": "http://b/", "url": " http://me:secret@a/ "})
    assert found == Target("http://me:***@a/", 1, parsed=parse("http://me:secret@a/"), input={"link": "http://b/"})


def test_it_is_in_the_column_that_was_named():
    found = target({"url": "http://a/", "link": "http://b/"}, url_column="link")
    assert (found.url, found.input) == ("http://b/", {"url": "http://a/"})
    assert target({"url": "http://a/"}, url_column="link").problem == "The row has no link; its columns are: url."


def test_else_it_is_in_the_first_column_in_which_a_url_stands_for_all_rows_alike():
    rows = Rows()
    assert rows.target({"id": 1, "link": "n/a"}, 1).problem == "The row has no URL; its columns are: id, link."
    assert rows.target({"id": 1, "link": "HTTPS://a/", "image": "http://b/"}, 2).url == "HTTPS://a/"
    assert rows.target({"link": "", "image": "http://b/"}, 3).problem == "The row has no URL: its link is empty."


def test_a_relative_url_is_joined_to_the_base_and_shares_its_credentials():
    found = target({"url": "../c?d"}, links=based("http://me:secret@a/b/x/"))
    assert (found.url, str(found.parsed), found.parsed.userinfo) == ("../c?d", "http://a/b/c?d", "me:secret")
    assert target({"url": "http://b/"}, links=based("http://me:secret@a/")).parsed.userinfo is None


def test_a_row_without_a_url_is_not_joined_to_the_base():
    assert target({"url": ""}, links=based("http://a/")).problem == "The row has no URL: its url is empty."


def test_it_may_be_deep_in_objects_of_which_the_rest_is_carried_through():
    row: dict[str, Any] = {"id": 1, "meta": {"page": {"url": "http://me:secret@a/", "n": 2}, "x": 3}}
    found = target(row, url_column="meta.page.url")
    assert (found.url, found.input) == ("http://me:***@a/", {"id": 1, "meta": {"page": {"n": 2}, "x": 3}})
    assert row["meta"]["page"]["url"] == "http://me:secret@a/"


def test_a_column_with_a_dot_in_its_name_comes_before_a_path():
    assert target({"meta.url": "http://a/", "meta": {"url": "http://b/"}}, url_column="meta.url").url == "http://a/"


@pytest.mark.parametrize("row", [{"meta": {"link": "http://a/"}}, {"meta": "http://a/"}, {"meta": []}, {"meta": None}])
def test_a_path_that_leads_nowhere_names_the_columns_that_there_are(row):
    found = target(row, url_column="meta.url")
    assert (found.problem, found.input) == ("The row has no meta.url; its columns are: meta.", row)


def test_many_columns_are_not_all_named():
    found = target({f"column {number}": 1 for number in range(30)})
    assert found.problem.endswith("column 18, column 19, and 10 more.")


def test_several_urls_in_a_cell_are_refused():
    assert "several URLs" in target({"url": "http://a/ http://b/"}).problem


# What it says of its request

def test_a_row_that_says_nothing_has_no_overrides():
    assert overrides() is overrides(method="", headers=None, data="", timeout=None) is None


def test_a_row_may_say_it_all():
    assert overrides(method="PATCH", headers={"X-A": "1"}, data="ä", timeout=2) == Overrides(
        "PATCH", (("X-A", "1"),), "ä".encode(), 2.0)


@pytest.mark.parametrize(("value", "fields"), [
    ({"A": "b", "C": 7, "D": 0.5, "E": None}, (("A", "b"), ("C", "7"), ("D", "0.5"), ("E", ""))),
    ({"A": ["b", "c"], "D": []}, (("A", "b"), ("A", "c"))),
    ('{"A": " b "}', (("A", "b"),)),
    ("A: b\r\nC:d:e\n\nF:", (("A", "b"), ("C", "d:e"), ("F", ""))),
    ({}, ()),
])
def test_headers_are_an_object_or_lines(value, fields):
    assert overrides(headers=value).headers == fields


def test_data_that_is_no_text_is_sent_as_json():
    assert overrides(data={"a": [1, None]}) == Overrides(
        headers=(("Content-Type", "application/json"),), data=b'{"a":[1,null]}')
    assert overrides(data=[], headers={"content-type": "a/b"}) == Overrides(
        headers=(("content-type", "a/b"),), data=b"[]")
    assert overrides(data=False).data == b"false"


def test_a_timeout_is_a_number_of_seconds_also_as_text():
    assert overrides(timeout=" 0.5 ") == overrides(timeout=0.5) == Overrides(timeout=0.5)


@pytest.mark.parametrize(("column", "value", "sentence"), [
    ("method", "GE T", "The row's method, 'GE T', cannot be sent."),
    ("method", "connect", "The row's method, 'connect', cannot be sent."),
    ("method", ["GET"], "The row's method, ['GET'], cannot be sent."),
    ("timeout", "1m", "The row's timeout, '1m', is not a number of seconds above 0."),
    ("timeout", 0, "The row's timeout, 0, is not a number of seconds above 0."),
    ("timeout", True, "The row's timeout, True, is not a number of seconds above 0."),
    ("timeout", "inf", "The row's timeout, 'inf', is not a number of seconds above 0."),
    ("timeout", "nan", "The row's timeout, 'nan', is not a number of seconds above 0."),
    ("headers", "A", "A header of the row has no colon; they are of the form 'Name: value'."),
    ("headers", {"A B": "c"}, "The row's header 'A B' has a name that no header field may have."),
    ("headers", {"": "c"}, "The row's header '' has a name that no header field may have."),
    ("headers", {"A": "b\r\nC: d"}, "The row's header 'A' contains a line break or NUL."),
    ("headers", {"A": {}}, "The row's header 'A' is not a text or a number."),
    ("headers", {"A": True}, "The row's header 'A' is not a text or a number."),
    ("headers", 7, "The row's headers are not an object or lines of 'Name: value'."),
    ("headers", ["A: b"], "The row's headers are not an object or lines of 'Name: value'."),
    ("headers", "{no", "The row's headers are not JSON: "),
])
def test_what_cannot_be_sent_makes_the_row_unusable(column, value, sentence):
    assert problem({column: value}).startswith(sentence)


def test_an_unusable_row_is_carried_through_all_the_same():
    assert target({"url": "no url", "id": 7, "method": "GET"}).input == {"id": 7}


def test_what_a_row_says_of_its_request_is_not_shown():
    assert "secret" not in repr(overrides(data="secret", headers={"Authorization": "secret"}))


anything = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@given(st.dictionaries(st.sampled_from(["url", "method", "headers", "data", "timeout", "id"]), anything))
def test_no_row_raises(row):
    found = target(row)
    assert (found.parsed is None) == (found.problem is not None)
    assert target({**row, "url": "http://a/"}).url == "http://a/"
