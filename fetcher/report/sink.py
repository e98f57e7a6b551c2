"""Write a report instead of records, at the end of a run."""
from __future__ import annotations

from fetcher.files.output import Output
from fetcher.report import junit, markdown
from fetcher.report.counting import Report

FORMATS = ("md", "junit")


class Reported:
    """Counts results, and writes a report on them in `format`, one of FORMATS."""

    def __init__(self, output: Output, format: str) -> None:
        self._output = output
        self._format = format
        self._report = Report(keeps_passed=format == "junit")
        self.write = self._report.write

    def close(self) -> None:
        """Write the report. Raises OutputError."""
        self._report.close()
        text = junit.report(self._report) if self._format == "junit" else markdown.report(self._report, False)
        try:
            self._output.write(text.encode())
        finally:
            self._output.close()
