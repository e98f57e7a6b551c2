"""The keys of a record as columns with types, for stores that must know them before the first record."""
from __future__ import annotations

from typing import Any

import orjson

from fetcher import verbatim

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
    """Turn nested values of `record` into JSON text, in place, and return it."""
    for name in _NESTED:
        if name in record:
            record[name] = as_json(record[name])
    return record


def as_json(value: Any) -> str:
    try:
        return verbatim.dumps(value).decode()
    except orjson.JSONEncodeError:      # half a surrogate pair, which only plain ASCII can express
        from json import dumps

        return dumps(value)
