"""Whatever a script gives as a keyword: it is taken, or refused with TypeError or ValueError,
before anything is sent."""
from hypothesis import given
from hypothesis import strategies as some

import fetcher
from fetcher.library.keywords import KEYWORDS

PLAIN = (some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20)
         | some.binary(max_size=9))
LIKELY = some.sampled_from(["a:b", "http://h:9", "200-299", "2xx", "/a(/", "/a/i", "*:1:127.0.0.1", "10.0.0.0/8",
                            "a\r\nB: c", "0-499", "{n}", "{host}/{", "timeout",
                            "GET", "\0", "::1", "[::1]:53", "missing/file"])
VALUES = some.recursive(PLAIN | LIKELY, lambda inner: some.lists(inner, max_size=3) | some.tuples(inner, inner)
                        | some.dictionaries(PLAIN | LIKELY, inner, max_size=2), max_leaves=4)


@given(some.dictionaries(some.sampled_from(sorted(set(KEYWORDS) - {"state", "save_dir", "cookie_jar"})), VALUES,
                         min_size=1, max_size=2))
def test_a_keyword_is_taken_or_refused(keywords):
    try:
        results = fetcher.fetch_all([], **keywords)
    except (TypeError, ValueError) as error:
        assert str(error)
    else:
        assert list(results) == []
