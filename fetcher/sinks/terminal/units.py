"""Format numbers for people: three digits and a unit, never wider than eight cells."""
from __future__ import annotations

_SIZE_UNITS = ("KB", "MB", "GB", "TB", "PB")


def size(count: float) -> str:
    """Format bytes: 512 B, 1.23 KB, 12.3 MB, 123 GB. A KB is 1,000 bytes."""
    if count < 999.5:
        return f"{count:.0f} B"
    for unit in _SIZE_UNITS:
        count /= 1000
        if count < 999.5:
            break
    return f"{_three_digits(count)} {unit}"


def duration(seconds: float) -> str:
    """Format a length of time: 1.2 ms, 120 ms, 1.23 s, 12.3 s, 2m03s, 1h02m."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{_three_digits(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    return f"{minutes // 60}h{minutes % 60:02}m"


def clock(seconds: float) -> str:
    """Format a running time: 0:07, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def rate(per_second: float) -> str:
    """Format requests per second: 0.42/s, 9.1/s, 806/s, 1,234/s."""
    decimals = 2 if per_second < 0.995 else 1 if per_second < 9.95 else 0
    return f"{per_second:,.{decimals}f}/s"


def _three_digits(number: float) -> str:
    decimals = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{decimals}f}"
