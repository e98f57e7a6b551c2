"""Results to feed sinks with."""
from typing import Any

from fetcher.model import Result, Timings


def good(url: str = "http://a.example/", seconds: float = 0.01, **more: Any) -> Result:
    return Result(url, 1, **{"ok": True, "status": 200, "timings": Timings(total=seconds), "final_url": url, **more})


def bad(error: str = "timeout", url: str = "http://b.example/", **more: Any) -> Result:
    return Result(url, 1, **{"error": error, "error_message": f"It was {error}.", "final_url": url, **more})
