"""Pages to look at, and records that would do harm in them."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fetcher.report.counting import Report
from fetcher.report.diff import Difference
from fetcher.report.page.gathering import Gathering
from fetcher.report.page.page import render

BEGAN = "2026-03-01T12:00:00.000Z"
HOSTILE = (
    "</script><script>harm()</script>", "</style><img src=x onerror=harm()>", "\"'><svg onload=harm()>",
    "javascript:harm()", "JaVaScRiPt:harm()//http://", "data:text/html,<script>harm()</script>",
    "http://a.example/\"onmouseover=\"harm()", "https://a.example/'onfocus='harm()' autofocus='",
    "http://user@a.example/", "http:\\\\a.example/", "\x00\x1b[31m\r\n\x85", "\u202egpj.exe\u2066\u200b",
    "\ud800", "{{ 7 * 7 }}{% raw %}", "<!--", "]]>", "&lt;b&gt;", "<plaintext>", "http://a.example/" + "x" * 2000,
)


def record(url: str = "http://a.example/", **more: Any) -> dict[str, Any]:
    """A record as it is read from a file."""
    return {"url": url, "line": 1, "ok": True, "status": 200, "error": None, "final_url": url, "attempts": 1,
            "time_namelookup": 0.01, "time_connect": 0.03, "time_appconnect": None, "time_starttransfer": 0.1,
            "time_total": 0.15, "timestamp": BEGAN, **more}


def failed(error: str = "timeout", url: str = "http://b.example/", **more: Any) -> dict[str, Any]:
    return record(url, **{"ok": False, "status": None, "error": error, "error_message": f"It was {error}.", **more})


def hostile() -> list[dict[str, Any]]:
    """Records with harmful text wherever a record has text."""
    return [failed(text, text, source=text, error_message=text, final_url=f"http://{text}/", input={text: text},
                   content_type=text, line=line,
                   tls={"not_after": "2026-03-02T00:00:00.000Z", "subject": text, "issuer": text})
            for line, text in enumerate(HOSTILE, 1)]


def gathered(records: Iterable[dict[str, Any]], by: str = "host") -> Gathering:
    """What there is to show of `records`."""
    gathering = Gathering(Report(by))
    for _ in gathering.counted(records):
        pass
    return gathering


def page(records: Iterable[dict[str, Any]], by: str | None = None, found: Difference | None = None) -> str:
    """The page on `records`, with their groups `by` a key."""
    return render(gathered(records, by or "host"), found, by is not None).decode()
