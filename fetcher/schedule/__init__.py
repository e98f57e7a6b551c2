"""What starts next: pure decisions, given what waits and what runs. No clock, no sleep, no socket."""
from fetcher.schedule.retry import RetryRules
from fetcher.schedule.schedule import Schedule

__all__ = ["RetryRules", "Schedule"]
