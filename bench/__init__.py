"""Compare fetcher with other programs that fetch a list: in one run, on one machine, from the same local server.

    scenarios  what to fetch: a table            peers    who fetches: a command line each
    servers    nginx and dnsmasq                 meter    runs one command and measures it
    measure    interleaved rounds, checked       report   medians, as tables and as JSON
    simulate   only the scheduler, with a million lines and a virtual clock

`python -m bench.scale` plans lists that are too long for that:

    sizes      how many lines each host has      plan     how long workers take, partition by partition
    scale      tables by workers and partitions, compared with the scheduler
"""
