"""A report as JUnit's XML, which CI servers show: a test case for each record.

https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
A bad answer is a failure, no answer is an error, and a request that was not begun or not finished is skipped.
"""
from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from fetcher.errors import HTTP, DeadlinePassed, Interrupted, Unexpected
from fetcher.model import rfc3339
from fetcher.record import escaped
from fetcher.regex import regex
from fetcher.report.counting import Entry, Report
from fetcher.report.diff import KINDS, WORSE, Difference

_FAILURE, _ERROR, _SKIPPED = "failure", "error", "skipped"
_NO_CHARACTER = regex("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")    # XML 1.0, 2.2; C1


def report(counts: Report) -> str:
    """Return the report as XML. Records that were kept are test cases, and a property counts the others."""
    suite = Element("testsuite", name="fetcher", time=f"{counts.tally.elapsed:.3f}")
    if counts.began is not None:
        suite.set("timestamp", rfc3339(counts.began)[:19])
    cases = [*counts.failures, *counts.passed]
    hidden = counts.tally.done - len(cases)
    if hidden:
        SubElement(SubElement(suite, "properties"), "property", name="records_not_listed", value=str(hidden))
    for entry in cases:
        case = _case(suite, entry.url, entry.host or "-", entry.seconds)
        if not entry.ok:
            verdict = SubElement(case, _verdict(entry), message=_clean(entry.message), type=_clean(entry.outcome))
            verdict.text = _clean(f"{entry.source or 'list'}:{entry.line}")    # the schema allows no `file` in a case
    return _document([suite])


def difference(found: Difference) -> str:
    """Return the differences as XML: what got worse is a failure, and any other change is a passed test case."""
    suites = []
    for kind, title in KINDS.items():
        suite = Element("testsuite", name=title, time="0")
        for change in found.changes[kind]:
            case = _case(suite, f"{change.request} {change.url}".strip(), kind, None)
            told = _clean(f"{change.old or '-'} -> {change.new or '-'}")
            if kind in WORSE:
                SubElement(case, _FAILURE, message=told, type=kind)
            else:
                SubElement(case, "system-out").text = told
        if len(suite):
            suites.append(suite)
    return _document(suites)


def _case(suite: Element, name: str, group: str, seconds: float | None) -> Element:
    return SubElement(suite, "testcase", name=_clean(name), classname=_clean(group), time=f"{seconds or 0.0:.6f}")


def _verdict(entry: Entry) -> str:
    if entry.error in (HTTP, Unexpected.word):
        return _FAILURE
    return _SKIPPED if entry.error in (Interrupted.word, DeadlinePassed.word) else _ERROR


def _document(suites: Iterable[Element]) -> str:
    root = Element("testsuites", name="fetcher")
    for suite in suites:
        for element in suite, root:
            for name, tag in ("tests", "testcase"), ("failures", _FAILURE), ("errors", _ERROR), ("skipped", _SKIPPED):
                if element is suite or tag != _SKIPPED:     # the schema only allows that one in a suite
                    element.set(name, str(int(element.get(name, "0")) + sum(1 for _ in suite.iter(tag))))
        root.append(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    """Return `text` with escapes for characters that XML does not allow."""
    return _NO_CHARACTER.sub(lambda match: escaped(match[0]), text)
