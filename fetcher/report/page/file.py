"""The file of the page, which is there as a whole or not at all."""
from __future__ import annotations

from collections.abc import Iterable, Iterator

from fetcher.errors import OutputError
from fetcher.files.replacing import Replacement
from fetcher.report.counting import Report
from fetcher.report.diff import Difference
from fetcher.report.page.gathering import Gathering
from fetcher.report.page.page import render
from fetcher.report.reading import Record


class PageFile:
    """Counts records, and writes the page. What is not written leaves an earlier file as it was."""

    def __init__(self, path: str, report: Report, grouped: bool, private: bool) -> None:
        """Count into `report`, and show its groups if it is `grouped`. `private`: only the owner can read the file.

        Raises OutputError, and LockHeld if another run writes the file.
        """
        self._path = path
        self._grouped = grouped
        self._gathering = Gathering(report)
        try:
            self._new = Replacement(path, private=private, claimed=True)
        except OSError as error:
            raise self._explained(error) from error

    def __enter__(self) -> PageFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._new.discard()

    def counted(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield `records`, each of them counted."""
        return self._gathering.counted(records)

    def write(self, found: Difference | None) -> None:
        """Write the page, with these differences from another run. All records must be counted. Raises OutputError."""
        page = render(self._gathering, found, self._grouped)
        try:
            self._new.file.write(page)
            self._new.commit(sync=True)
        except OSError as error:
            raise self._explained(error) from error

    def _explained(self, error: OSError) -> OutputError:
        return OutputError(f"{self._path} cannot be written: {error.strerror or error}.")
