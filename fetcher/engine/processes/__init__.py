"""Fetch many URLs at once on several cores.

    parent ──▶ process ══▶ child       one parent; a child is a process of its own, and `process` is what the parent
       │                    │          sees of it: `messages` on a `channel`, targets and results packed by `wire`
       │                    └ run      as in one process; its outbox leads to the parent, and remote_slots are those
       │                               that it borrows from other children, or lends to them
       └ shares, deaths, loans         what each may do, what becomes of a dead one's tickets, who borrows whose slots
"""
from fetcher.engine.processes.parent import Processes

__all__ = ["Processes"]
