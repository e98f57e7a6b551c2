"""What people see: the live screen, the summary, plain rows, and a log.

    live ──▶ screen    the terminal while the run lasts, and its layout of header and panes, which show a view;
                       frame makes text of it that a terminal obeys
    keys ──▶ controls  what is typed meanwhile, and what it does
    summary            what stays on the screen at the end; tables are the parts that a report shows, too
    rows               the table if stdout is not a terminal
    log, heartbeat     lines on stderr: one for each result, one from time to time
    messages           stderr itself; a slow reader does not delay the run
    spans, printable, units    styled text, text that is safe to show, numbers as people read them
"""
