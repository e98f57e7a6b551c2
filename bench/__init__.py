"""fetcher beside other programs that fetch a list: one run, one machine, the same list from the same local server.

    scenarios  what is fetched: a table          peers    who fetches: a command line each
    servers    nginx and dnsmasq, for the run    meter    one command, and what it cost
    measure    interleaved rounds, checked       report   medians, as tables and as JSON
    simulate   the scheduler alone, a million lines under a virtual clock
"""
