"""Continue where an earlier run ended: the NDJSON that it wrote is the journal.

Final records stay: answers, whatever their status, and what a rule of ours or the URL itself forbids. Everything else
is requested again, and its record is removed first, so that in the end each line of the list has exactly one record.
"""
from __future__ import annotations

import os
import stat
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import BinaryIO

import orjson

from fetcher.errors import InputError, OutputError
from fetcher.files.claims import claimed
from fetcher.options import RequestOptions
from fetcher.regex import regex
from fetcher.state.known import Hashes, KnownRequests

FINAL_ERRORS = frozenset({b"http", b"unexpected", b"invalid_url", b"blocked", b"robots", b"too_large",
                          b"too_many_redirects"})

_READ_BYTES = 1024 * 1024
# How a record of ours begins. One that does not, because another program has changed it, is parsed as a whole.
_HEAD = regex(rb'(\{"url":"([^"\\]*)","line":\d+,(?:"source":"(?:[^"\\]|\\.)*",)?(?:"request":"([^"\\]*)",)?)'
              rb'"ok":(?:true|false),"status":(?:\d+|null),"error":(?:null|"(\w+)")')
_IDENTITY = ("url", "line", "source", "request")


class Journal:
    """The records of an earlier run, at `path`; none if there is no such file. Reading them changes nothing.

    `done` are the requests with final records: `final` in number, of which `failed` are failures. The other records,
    `again` in number, are to be removed from the file (see `tidy`). So are torn lines, and all but the newest record of
    a line.
    """

    def __init__(self, path: str, options: RequestOptions) -> None:
        """`options` are those of this run's requests. Raises InputError if the file is not a journal."""
        self.path = path
        self._options = options
        self._place = os.path.realpath(path)    # a link to it remains a link
        self._claim = ExitStack()               # of the file that replaces this one
        doubled = self._read(Counter())
        if doubled:
            self._read(doubled)
        self.final = len(self.done)

    def tidy(self) -> None:
        """Leave only the final records in the file, each on a whole line. Raises OutputError."""
        copy = f"{self._place}.resumed"
        try:
            with suppress(FileNotFoundError):
                os.unlink(copy)         # of a run that was killed here
            if len(self._spans) == 2 and self._spans[1] == self._size:
                os.truncate(self._place, self._spans[0])
            elif self._spans:
                self._replace_by(copy)
        except OSError as error:
            raise OutputError(f"The records to be replaced cannot be removed from {self.path}: {error.strerror}. The "
                              "file is unchanged.") from error

    def close(self) -> None:
        """Release the file, so that another run can use it."""
        self._claim.close()

    def _read(self, older: Counter[int]) -> Counter[int]:
        """Read the records, but drop the `older` ones of each line. Return how many more than one each line has."""
        self.done = KnownRequests(self._options)
        self.failed = self.again = 0
        self._spans = array("q")                # what to remove from the file: start and end offsets, in turn
        lines, doubled = Hashes(), Counter[int]()
        start = 0
        for line in _lines(self.path):
            end = start + len(line)
            head = _HEAD.match(line)
            if head is None or line[-2:] != b"}\n" or b"\0" in line:
                identity, url, request, error = self._parsed(line, start)
            else:
                identity, url, request, error = head.groups()
            if url is None or (error is not None and error not in FINAL_ERRORS):
                self.again += url is not None
                self._drop(start, end)
            elif older and older[hash(identity)]:
                older[hash(identity)] -= 1
                self._drop(start, end)
            else:
                self.done.add(url, request or b"")
                self.failed += error is not None
                if not lines.add_new(identity):
                    doubled[hash(identity)] += 1
            start = end
        self._size = start
        return doubled

    def _drop(self, start: int, end: int) -> None:
        if self._spans and self._spans[-1] == start:
            self._spans[-1] = end
        else:
            self._spans.extend((start, end))

    def _parsed(self, line: bytes, start: int) -> tuple[bytes, bytes | None, bytes | None, bytes | None]:
        """Read a record that is not written as ours are. Return its line's identity, its URL, fingerprint and error.

        There is no URL if the record is torn, or blank.
        """
        nothing = (b"", None, None, None)
        try:
            if not line.endswith(b"\n"):
                return nothing
            record = orjson.loads(line)
            url, request, error = record["url"], record.get("request"), record["error"]
            identity = orjson.dumps({key: record[key] for key in _IDENTITY if record.get(key) is not None})
            return identity[:-1] + b",", url.encode(), request and request.encode(), error and error.encode()
        except (ValueError, LookupError, TypeError, AttributeError):
            if line.startswith(b'{"url":"') or b"\0" in line or not line.strip():
                return nothing
            raise InputError(f"{self.path} cannot be resumed: what begins at byte {start + 1:,} is not a record. The "
                             "file is unchanged.") from None

    def _replace_by(self, copy: str) -> None:
        """Replace the file with a copy without the dropped spans, with the same owner and mode."""
        try:
            with open(self._place, "rb") as old, open(copy, "xb", opener=_for_owner) as new:
                for start, end in self._kept_spans():
                    _copy(old, new, start, end)
                status = os.fstat(old.fileno())
                with suppress(PermissionError):
                    os.fchown(new.fileno(), status.st_uid, status.st_gid)
                os.fchmod(new.fileno(), stat.S_IMODE(status.st_mode))
                new.flush()
                os.fsync(new.fileno())
                self._claim.enter_context(claimed([copy]))
            os.replace(copy, self._place)
        except BaseException:
            with suppress(OSError):
                os.unlink(copy)
            raise
        _sync_directory(self._place)

    def _kept_spans(self) -> Iterator[tuple[int, int]]:
        """Yield the spans between the dropped ones."""
        spans, start = self._spans, 0
        for index in range(0, len(spans), 2):
            yield start, spans[index]
            start = spans[index + 1]
        yield start, self._size


def _lines(path: str) -> Iterator[bytes]:
    """Yield the lines of the file at `path`, with their ends; none if there is no file."""
    try:
        with open(path, "rb", _READ_BYTES) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(f"{path} is not a regular file, and cannot be resumed.")
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
