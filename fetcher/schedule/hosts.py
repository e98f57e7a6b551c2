"""Two caps: so many requests at once in all, and so many for each host."""
from __future__ import annotations

from collections import deque

from fetcher.model import Target
from fetcher.options import Limits


class Schedule:
    """The targets that wait, and which of them goes next.

    A host has `per_host` slots. Its targets take one each in the order of the list, and line up for their turn; the
    others of that host are held back until one of its slots is free. So a host with a long queue has no more than
    its slots' worth in the line, the hosts take turns, and where no cap binds the list's order is kept.

    `len()` is the number of targets that wait, `running` the number of those that were handed out and are not done.
    """

    def __init__(self, limits: Limits) -> None:
        self.running = 0
        self._limits = limits
        self._window = max(1000, 10 * limits.concurrency)
        self._slots_taken: dict[str, int] = {}
        self._line: deque[Target] = deque()
        self._held_back: dict[str, deque[Target]] = {}
        self._held_back_count = 0

    def __len__(self) -> int:
        return len(self._line) + self._held_back_count

    @property
    def full(self) -> bool:
        """Enough targets wait: reading on would only fill memory."""
        return len(self._line) + self._held_back_count >= self._window

    def add(self, target: Target) -> None:
        """Let `target` wait for its turn. One without a host takes nobody's slot, so it is never held back."""
        host = target.host
        taken = self._slots_taken.get(host, 0)
        if taken < self._limits.per_host or not host:
            self._slots_taken[host] = taken + 1
            self._line.append(target)
        else:
            self._held_back.setdefault(host, deque()).append(target)
            self._held_back_count += 1

    def next(self) -> Target | None:
        """The target to fetch now, or None where nothing may go before another is done."""
        if not self._line or self.running >= self._limits.concurrency:
            return None
        self.running += 1
        return self._line.popleft()

    def done(self, target: Target) -> None:
        """`target`, which `next` handed out, is finished: its slot passes on to the next of its host."""
        self.running -= 1
        host = target.host
        queue = self._held_back.get(host)
        if queue:
            self._held_back_count -= 1
            self._line.append(queue.popleft())
            if not queue:
                del self._held_back[host]
        elif self._slots_taken[host] > 1:
            self._slots_taken[host] -= 1
        else:
            del self._slots_taken[host]
