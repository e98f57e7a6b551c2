"""Who goes next: pure decisions, given what is waiting and what runs. No clock, no sleep, no socket."""
from fetcher.schedule.hosts import Schedule
from fetcher.schedule.retry import RetryRules

__all__ = ["RetryRules", "Schedule"]
