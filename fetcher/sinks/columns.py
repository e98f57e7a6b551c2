"""The record's keys as columns, with one type each: for stores that have to know them before the first record."""
from __future__ import annotations

from typing import Any

import orjson

TEXT, INTEGER, REAL, BOOLEAN, TIME, JSON = "text", "integer", "real", "boolean", "time", "json"

COLUMNS = {
    "url": TEXT, "line": INTEGER, "source": TEXT, "request": TEXT, "ok": BOOLEAN, "status": INTEGER, "error": TEXT,
    "error_message": TEXT, "method": TEXT, "final_url": TEXT, "redirects": INTEGER, "http_version": TEXT,
    "content_type": TEXT, "remote_ip": TEXT, "size": INTEGER, "size_download": INTEGER, "sha256": TEXT,
    "saved_to": TEXT, "attempts": INTEGER, "time_queue": REAL, "time_namelookup": REAL, "time_connect": REAL,
    "time_appconnect": REAL, "time_starttransfer": REAL, "time_total": REAL, "timestamp": TIME, "change": TEXT,
    "input": JSON, "timings": JSON, "tls": JSON, "headers": JSON, "body": TEXT, "body_encoding": TEXT,
}
_NESTED = tuple(name for name, kind in COLUMNS.items() if kind == JSON)


def flattened(record: dict[str, Any]) -> dict[str, Any]:
    """`record` with what is nested in it as JSON."""
    for name in _NESTED:
        if name in record:
            record[name] = as_json(record[name])
    return record


def as_json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:      # half a surrogate pair, which plain ASCII can spell
        from json import dumps

        return dumps(value)


def without_surrogates(value: Any) -> Any:
    """`value` as UTF-8 can hold it: what stands for a byte of a file's name that is no text becomes a question mark."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
