"""Tell requests for the same URL apart, from run to run, by method, body and the header fields of the row.

Credentials are not part of a fingerprint: they change while the request stays the same, and must leave no trace in a
record. Only the names of the fields that carry them count, just as the URL counts with its password masked.
"""
from __future__ import annotations

from hashlib import blake2b

from fetcher.model import Overrides
from fetcher.options import RequestOptions
from fetcher.semantics import carries_credentials


def fingerprint(options: RequestOptions, overrides: Overrides | None = None) -> str | None:
    """Return the method and, if there is more, a digest: "POST 9f86d081884c7d65". Return None for a plain GET.

    `overrides` are those of the row. Header fields of `options` do not count: all requests of a run have them.
    """
    method, data = options.method, options.data
    fields: list[tuple[str, str]] = []
    if overrides is not None:
        method = overrides.method or method
        data = data if overrides.data is None else overrides.data
        fields = sorted((name.lower(), "" if carries_credentials(name) else value)
                        for name, value in overrides.headers)
    method = method or ("GET" if data is None else "POST")
    if data is not None or fields:
        return f"{method} {blake2b(repr((data, fields)).encode(), digest_size=8).hexdigest()}"
    return None if method == "GET" else method
