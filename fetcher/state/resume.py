"""Going on where an earlier run ended: the NDJSON that it wrote is the journal.

What is final stays: the answers, whatever their status, and what a rule of ours or the URL itself forbids. All else is
asked for again, and its record leaves the file first, so that in the end each line of the list has exactly one.
"""
from __future__ import annotations

import os
import re
import stat
from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import orjson

from fetcher.errors import InputError, OutputError
from fetcher.options import RequestOptions
from fetcher.state.known import KnownRequests

FINAL_ERRORS = frozenset({b"http", b"invalid_url", b"blocked", b"robots", b"too_large", b"too_many_redirects"})

_READ_BYTES = 1024 * 1024
# How a record of ours begins. One that does not, having been through another program, is parsed as a whole.
_HEAD = re.compile(rb'\{"url":"([^"\\]*)","line":\d+,(?:"source":"(?:[^"\\]|\\.)*",)?(?:"request":"([^"\\]*)",)?'
                   rb'"ok":(?:true|false),"status":(?:\d+|null),"error":(?:null|"(\w+)")')


class Journal:
    """The records of an earlier run, at `path`; none where there is no such file. Reading them changes nothing.

    `done` are the requests whose records are final: `final` in number, `failed` of them failures. Others, `again` in
    number, and lines that are torn, are to leave the file: see `tidy`.
    """

    def __init__(self, path: str, options: RequestOptions) -> None:
        """`options` are those of this run's requests. Raises InputError where the file is no journal."""
        self.done = KnownRequests(options)
        self.failed = self.again = 0
        self.path = path
        self._place = os.path.realpath(path)    # a link to it stays one
        self._spans = array("q")                # what is to leave the file: offsets, from and to, in turn
        self._size = 0
        self._read()
        self.final = len(self.done)

    def tidy(self) -> None:
        """Have the file hold the final records alone, each on a whole line. Raises OutputError."""
        copy = f"{self._place}.resumed"
        try:
            with suppress(FileNotFoundError):
                os.unlink(copy)         # of a run that was killed here
            if len(self._spans) == 2 and self._spans[1] == self._size:
                os.truncate(self._place, self._spans[0])
            elif self._spans:
                self._replace_by(copy)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be rid of the records that are to be replaced: {error.strerror}; "
                              "it is as it was.") from error

    def _read(self) -> None:
        known, start = self.done.add, 0
        for line in _lines(self.path):
            end = start + len(line)
            head = _HEAD.match(line)
            if head is None or line[-2:] != b"}\n" or b"\0" in line:
                url, request, error = self._parsed(line, start)
            else:
                url, request, error = head.groups()
            if url is not None and (error is None or error in FINAL_ERRORS):
                known(url, request or b"")
                self.failed += error is not None
            else:
                self.again += url is not None
                self._drop(start, end)
            start = end
        self._size = start

    def _drop(self, start: int, end: int) -> None:
        if self._spans and self._spans[-1] == start:
            self._spans[-1] = end
        else:
            self._spans.extend((start, end))

    def _parsed(self, line: bytes, start: int) -> tuple[bytes | None, bytes | None, bytes | None]:
        """URL, fingerprint and error of a record that is not spelled as ours are; no URL where it is torn, or blank."""
        try:
            if not line.endswith(b"\n"):
                return None, None, None
            record = orjson.loads(line)
            url, request, error = record["url"], record.get("request"), record["error"]
            return url.encode(), request and request.encode(), error and error.encode()
        except (ValueError, LookupError, TypeError, AttributeError):
            if line.startswith(b'{"url":"') or b"\0" in line or not line.strip():
                return None, None, None
            raise InputError(f"{self.path} is no list of records that can be resumed: something else stands at byte "
                             f"{start + 1:,}. It is as it was.") from None

    def _replace_by(self, copy: str) -> None:
        """Put a copy without the dropped spans in the file's place, with the same owner and rights."""
        try:
            with open(self._place, "rb") as old, open(copy, "xb", opener=_for_owner) as new:
                for start, end in self._kept():
                    _copy(old, new, start, end)
                status = os.fstat(old.fileno())
                with suppress(PermissionError):
                    os.fchown(new.fileno(), status.st_uid, status.st_gid)
                os.fchmod(new.fileno(), stat.S_IMODE(status.st_mode))
                new.flush()
                os.fsync(new.fileno())
            os.replace(copy, self._place)
        except BaseException:
            with suppress(OSError):
                os.unlink(copy)
            raise
        _sync_directory(self._place)

    def _kept(self) -> Iterator[tuple[int, int]]:
        """The spans between the dropped ones."""
        spans, start = self._spans, 0
        for index in range(0, len(spans), 2):
            yield start, spans[index]
            start = spans[index + 1]
        yield start, self._size


def _lines(path: str) -> Iterator[bytes]:
    """The lines of the file at `path`, ends included; none where there is no file."""
    try:
        with open(path, "rb", _READ_BYTES) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(f"{path} is no file, and cannot be resumed.")
            yield from file
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path} cannot be resumed: {error.strerror}.") from error


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _copy(source: BinaryIO, target: BinaryIO, start: int, end: int) -> None:
    source.seek(start)
    while start < end:
        block = source.read(min(end - start, _READ_BYTES))
        target.write(block)
        start += len(block)


def _sync_directory(path: str) -> None:
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
