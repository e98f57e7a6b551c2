"""Results to write to sinks, and the rows of the database that contains them."""
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from fetcher.model import Result, Timings


def good(url: str = "http://a.example/", seconds: float = 0.01, **more: Any) -> Result:
    return Result(url, 1, **{"ok": True, "status": 200, "timings": Timings(total=seconds), "final_url": url, **more})


def bad(error: str = "timeout", url: str = "http://b.example/", line: int = 1, **more: Any) -> Result:
    return Result(url, line, **{"error": error, "error_message": f"It was {error}.", "final_url": url, **more})


def rows(path: str | Path, query: str = "SELECT * FROM results ORDER BY line, rowid") -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(query)]
