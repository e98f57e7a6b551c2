"""Write a result as a line of JSON, and sum it up in one word."""
from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import orjson

from fetcher.errors import HTTP
from fetcher.model import Result
from fetcher.regex import regex
from fetcher.verbatim import as_it_stood

ERROR = "error"
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx", ERROR)

# What a terminal obeys or does not show: controls except tab and line end, bidi and zero-width characters, tags
_OBEYED = regex("[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
                "\ufff9-\ufffb\U000e0000-\U000e007f]")
_LONE_SURROGATE = regex("[\ud800-\udfff]")


def encode(result: Result) -> bytes:
    """Return the record of `result` as a line of NDJSON that is safe to show on a terminal."""
    record = result.record()
    try:
        line = orjson.dumps(record, as_it_stood, orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        line = _without_surrogates(record)
    if line.isascii() and 0x7F not in line:
        return line
    return harmless_json(line.decode()).encode()


def harmless_json(text: str) -> str:
    """Return the same JSON, with escapes for characters that a terminal would obey or not show."""
    return _OBEYED.sub(lambda match: json.dumps(match[0])[1:-1], text)


def harmless(text: str) -> str:
    r"""Return `text` with \xNN or \uNNNN for each character that a terminal would obey or not show."""
    return _OBEYED.sub(lambda match: escaped(match[0]), text)


def escaped(character: str) -> str:
    """Return `character` as an escape: \\x1b, \\u202e."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _without_surrogates(record: dict[str, Any]) -> bytes:
    """Encode a record that is not valid UTF-8: each half of a surrogate pair becomes U+FFFD."""
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return _LONE_SURROGATE.sub("\ufffd", text).encode() + b"\n"


def is_private(result: Result) -> bool:
    """Return whether the line had its own credentials, in its URL or header, so that others must not see the answer."""
    return result.beside.private or ":***@" in result.url


def outcome(result: Result) -> str:
    """Return the status of `result`, or the word for its error: an answer that began with 200 may end as "timeout"."""
    error = result.error
    if result.status is None or (error is not None and error != HTTP):
        return error or ERROR
    return str(result.status)


@lru_cache(maxsize=1024)
def status_class(outcome: str) -> str:
    """Return the one of CLASSES that an outcome belongs to. A status above 599 counts as 5xx (RFC 9110 §15)."""
    return CLASSES[min(int(outcome[0]), 5) - 1] if outcome.isdigit() else ERROR
