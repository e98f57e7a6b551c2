"""fetcher beside other programs that fetch a list: one run, one machine, the same list from the same local server.

    scenarios  what is fetched: a table          peers    who fetches: a command line each
    servers    nginx and dnsmasq, for the run    meter    one command, and what it cost
    measure    interleaved rounds, checked       report   medians, as tables and as JSON
    simulate   the scheduler alone, a million lines under a virtual clock

and a list that is too long for any of that, `python -m bench.scale`:

    sizes      how many lines each host has     plan     what workers make of them, partition by partition
    scale      tables by workers and partitions, held against the scheduler
"""
