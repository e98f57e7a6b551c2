"""What people see: the live screen, the summary, plain rows, and a log.

    live ──▶ screen    the terminal while the run lasts, and its layout
    summary            what stays on the screen at the end
    rows               the table if stdout is not a terminal
    log, heartbeat     lines on stderr: one for each result, one from time to time
    messages           stderr itself; a slow reader does not delay the run
    spans, printable, units    styled text, text that is safe to show, numbers as people read them
"""
