"""Runs that nobody watches."""

PAGE = r"""With -q nothing is printed if the exit status is 0, and one screen on stderr if it
is not. cron mails what a job prints: mail comes only after a failure.

Every night: two hours at most, never two at once, silent unless 5 % failed
    15 3 * * *  fetcher -q --lock links.lock --deadline 2h --fail-if '>5\%' -o links.jsonl links.txt

After a crash: only what the last run did not finish
    @reboot     fetcher -q --lock links.lock --lock-wait 10m --resume -o links.jsonl links.txt

Every hour: mail what is new, changed or gone since the last time
    5 * * * *   fetcher -q --state seen.db --only changed -f tsv links.txt

Tell a monitor, which raises an alarm if nothing comes
    @hourly     fetcher -q -f none --ping-url https://hc-ping.com/your-uuid links.txt

For Prometheus (the textfile collector of node_exporter)
    @hourly     fetcher -q -f none --metrics links.prom links.txt

In a crontab, a % must be written as \%. --summary FILE writes the totals as JSON.
A password belongs into FETCHER_USER or a file (-u @FILE), where no list of
processes shows it.
"""
