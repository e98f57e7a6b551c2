"""Who goes next: pure decisions, given what is waiting and what runs. No clock, no sleep, no socket."""
from fetcher.schedule.hosts import Schedule

__all__ = ["Schedule"]
