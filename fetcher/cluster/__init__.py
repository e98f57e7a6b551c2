"""One run on many machines: its list in partitions, which workers take from a broker, one at a time.

    submit    cut      ──▶ lists of partitions in the place for output, and a message for each to the broker
    worker    app      ──▶ partition, for each message: the same engine, into a part of its own
    status    overview ──▶ what the parts' states say, together

    run       what is to be done, as data: the workers' orders
    place     where output goes, and what stands where in it: folder, a directory; bucket, an object store
    part      who is at work on a partition: one worker at a time, whatever dies or sleeps meanwhile
    state     what a partition has come to, from one beat to the next
    data      options and targets as JSON, and back
    orders    what the messages say
    app       Celery, over directory: a directory as a broker; keeper: orders that Redis has lost

The broker only proposes. Who has a partition is decided where its records are; a message is acknowledged when its
partition is done, and comes again until then. So a broker may deliver twice, late or out of order, and a worker may
die anywhere.
"""
