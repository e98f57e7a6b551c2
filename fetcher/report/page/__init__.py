"""A report as one HTML page, which needs no network and no scripts.

    gathering       counts the records of a run for the page: a report and what follows
    course          the records over time
    phases          the parts of the time that requests took, by host
    slowest         the slowest requests, and their phases
    certificates    the certificates that hosts showed, and when they expire
    charts          the shapes of the plots: places and lengths, but no colours
    text            what may be shown, what may be a link, how much fits
    page            puts all of that into page.html, which plots.html, page.css and page.js belong to
    file            is the file of the page

Memory does not grow with the number of records.
"""
