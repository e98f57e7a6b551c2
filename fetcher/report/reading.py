"""Read records from the files that runs write. Their first bytes tell the format.

A run may still be writing them. Half a line at the end, or half a member of a compressed file, is not complete yet and
is ignored.
"""
from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import orjson

from fetcher import verbatim
from fetcher.errors import InputError
from fetcher.extras import needed
from fetcher.regex import regex
from fetcher.targets.compression import CompressionError, decompressed, is_compressed

Record = dict[str, Any]

_BLOCK_BYTES = 256 * 1024
_ROWS = 1000                    # read at once from a database or a Parquet file
_SQLITE = b"SQLite format 3\0"
_PARQUET = b"PAR1"
_OURS = regex(r".+\.jsonl(?:\.gz|\.zst)?")       # the files that are read in a directory
_NESTED = ("input", "timings", "tls", "headers")        # which are JSON in a table
_TORN = (b'{"url":"', b"\0")    # the start of a line that a crash has cut off
_INPUT = b'"input"'
_SURROGATE = regex(rb"\\u[dD][89a-fA-F]")         # an escape that may be half a character
_LONE_SURROGATE = regex("[\ud800-\udfff]")


def records(paths: Iterable[str]) -> Iterator[Record]:
    """Yield the records of all files at `paths`. A directory, such as that of a cluster, stands for its NDJSON files.

    Each record has at least `url` (text), `line` (an integer) and `ok` (a boolean). Raises InputError with a sentence
    that names the file and says what in it is no record.
    """
    for path in paths:
        if os.path.isdir(path):
            names = sorted(name for name in os.listdir(path) if _OURS.fullmatch(name))
            if not names:
                raise InputError(f"{path} has no records in it: no file that ends in .jsonl, .jsonl.gz or .jsonl.zst.")
            for name in names:
                yield from _records(os.path.join(path, name))
        else:
            yield from _records(path)


def _records(path: str) -> Iterator[Record]:
    try:
        with open(path, "rb") as file:
            head = file.read(len(_SQLITE))
        if head == _SQLITE:
            yield from _checked(_rows_of_database(path), path, "row")
        elif head.startswith(_PARQUET):
            yield from _checked(_rows_of_parquet(path), path, "row")
        else:
            yield from _checked(_lines(path, is_compressed(head)), path, "line")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _checked(found: Iterable[Record | None], path: str, unit: str) -> Iterator[Record]:
    for number, record in enumerate(found, 1):
        if record is None:
            continue
        try:
            is_one = type(record["url"]) is str and type(record["line"]) is int and type(record["ok"]) is bool
        except (TypeError, LookupError):
            is_one = False
        if not is_one:
            raise InputError(f"{path}, {unit} {number:,}, is not a record of a run; name a file that --output, "
                             "--sqlite or --parquet wrote.")
        yield record


def _lines(path: str, compressed: bool) -> Iterator[Record | None]:
    """Yield the record on each line, or None for a blank or torn one. Raises InputError."""
    for line in _whole_lines(path, compressed):
        try:
            if _SURROGATE.search(line):         # orjson refuses half a pair
                yield _without_surrogates(json.loads(line))
            else:       # orjson alone would change numbers in the columns of the list
                yield verbatim.loads(line.decode()) if _INPUT in line else orjson.loads(line)
        except (ValueError, RecursionError):
            if line.strip() and not line.startswith(_TORN):
                raise InputError(f"{path} is not a file of records: it contains "
                                 f"{line[:40].decode('utf-8', 'replace')!r}.") from None
            yield None


def _without_surrogates(value: Any) -> Any:
    """Return `value` with U+FFFD for each half of a surrogate pair, which is no character and cannot be stored."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    return [_without_surrogates(each) for each in value] if isinstance(value, list) else value


def _whole_lines(path: str, compressed: bool) -> Iterator[bytes]:
    """Yield lines with their line ends. What follows the last line end is not complete yet."""
    with open(path, "rb", _BLOCK_BYTES) as file:
        if not compressed:
            yield from (line for line in file if line.endswith(b"\n"))
            return
        rest = b""
        try:
            for block in decompressed(iter(lambda: file.read(_BLOCK_BYTES), b""), _BLOCK_BYTES):
                *lines, rest = (rest + block).split(b"\n")
                yield from lines
        except CompressionError as error:
            if not isinstance(error.__context__, EOFError):
                raise InputError(f"{path} {error}.") from error


def _rows_of_database(path: str) -> Iterator[Record]:
    """Yield the rows of `results`. A run may be writing them, and is not delayed."""
    try:
        with closing(sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True, timeout=10)) as database:
            cursor = database.execute("SELECT * FROM results ORDER BY rowid")
            names = [column[0] for column in cursor.description]
            for row in cursor:
                record = dict(zip(names, row))
                record["ok"] = bool(record.get("ok"))
                yield _nested(record)
    except sqlite3.Error as error:
        raise InputError(f"{path} holds no table of records that can be read: {error}.") from error


def _rows_of_parquet(path: str) -> Iterator[Record]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(f"{needed(path, 'parquet')}.") from None
    from fetcher.model import rfc3339

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS):
                for record in batch.to_pylist():
                    if record.get("timestamp") is not None:
                        record["timestamp"] = rfc3339(record["timestamp"].timestamp())
                    yield _nested(record)
    except (pyarrow.ArrowException, ValueError) as error:
        raise InputError(f"{path} is not a whole Parquet file: {error}.") from error


def _nested(record: Record) -> Record:
    """Decode the JSON in cells of `record`, in place, and return it."""
    for name in _NESTED:
        text = record.get(name)
        if type(text) is str:
            record[name] = verbatim.loads(text)
    return record
