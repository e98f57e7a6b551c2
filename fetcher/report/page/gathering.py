"""Count the records of a run for the page."""
from __future__ import annotations

from collections.abc import Iterable, Iterator

from fetcher.record import outcome, status_class
from fetcher.report.counting import Report, result_of
from fetcher.report.page.certificates import Certificates
from fetcher.report.page.course import Course
from fetcher.report.page.phases import Phases, parts
from fetcher.report.page.slowest import Slowest
from fetcher.report.reading import Record
from fetcher.sinks.groups import NONE

_MAX_HOST = 500


class Gathering:
    """Counts records: `report` has what other formats show, the rest is for the page alone."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.course = Course()
        self.phases = Phases()
        self.slowest = Slowest()
        self.certificates = Certificates()

    def counted(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield `records`, each of them counted. The last step closes the report."""
        for record in records:
            self._add(record)
            yield record
        self.report.close()

    def _add(self, record: Record) -> None:
        result = result_of(record)
        self.report.write(result)
        word = outcome(result)
        if result.timestamp:
            self.course.add(result.timestamp, status_class(word))
        host = result.host[:_MAX_HOST] or NONE
        seconds = result.timings.total
        if seconds is not None:
            url = result.final_url or result.url
            of_request = parts(result.timings, url[:5].lower() == "https")
            self.phases.add(host, of_request)
            self.slowest.add(result, seconds, word, self.report.tally.done, of_request)
        if "tls" in record:
            self.certificates.add(host, record["tls"])
