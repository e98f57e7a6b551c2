"""The options that a row sets for its own request: `method`, `headers`, `data` and `timeout`."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fetcher import verbatim
from fetcher.model import Overrides
from fetcher.own_answer import seconds, shown
from fetcher.semantics import is_field_value, is_token

COLUMNS = frozenset({"method", "headers", "data", "timeout"})


def overrides(row: Mapping[str, Any]) -> Overrides | None:
    """Return the overrides in `row`, or None if all are empty. Raises ValueError, whose text is a sentence.

    `headers` are an object, the same as JSON, or lines of `Name: value`. A field without a value is removed from the
    request. `data` that is not text is sent as JSON. `timeout` is in seconds.
    """
    given = {name: value for name in COLUMNS if (value := row.get(name)) not in (None, "")}
    if not given:
        return None
    headers = tuple(_fields(given["headers"])) if "headers" in given else ()
    data = given.get("data")
    if data is not None and not isinstance(data, str):
        data = verbatim.dumps(data).decode()
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers = (*headers, ("Content-Type", "application/json"))
    return Overrides(
        method=_method(given["method"]) if "method" in given else None,
        headers=headers,
        data=None if data is None else data.encode(),
        timeout=_timeout(given["timeout"]) if "timeout" in given else None)


def _method(value: Any) -> str:
    if not isinstance(value, str) or not is_token(value) or value.upper() == "CONNECT":
        raise ValueError(f"The row's method, {shown(value)}, cannot be sent.")
    return value


def _timeout(value: Any) -> float:
    try:
        return seconds(value)
    except ValueError as error:
        raise ValueError(f"The row's timeout, {shown(value)}, {error}.") from None


def _fields(value: Any) -> Iterator[tuple[str, str]]:
    for name, content in _pairs(value):
        if content is None:
            content = ""
        if isinstance(content, bool) or not isinstance(content, (str, int, float)):
            raise ValueError(f"The row's header {shown(name)} is not a text or a number.")
        name, content = name.strip(), str(content).strip()
        if not is_token(name):
            raise ValueError(f"The row's header {shown(name)} has a name that no header field may have.")
        if not is_field_value(content):
            raise ValueError(f"The row's header {shown(name)} contains a line break or NUL.")
        yield name, content


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of header fields, as the row has them."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = verbatim.loads(value)
        except ValueError as error:
            raise ValueError(f"The row's headers are not JSON: {error}.") from None
    if isinstance(value, dict):
        for name, contents in value.items():
            yield from ((name, content) for content in (contents if isinstance(contents, list) else [contents]))
    elif isinstance(value, str):
        for line in filter(str.strip, value.split("\n")):
            name, colon, content = line.partition(":")
            if not colon:
                raise ValueError("A header of the row has no colon; they are of the form 'Name: value'.")
            yield name, content
    else:
        raise ValueError("The row's headers are not an object or lines of 'Name: value'.")
