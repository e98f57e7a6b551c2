"""Fetch one list on many machines: it is cut into partitions, and workers take them from a broker, one at a time.

    submit    cut      ──▶ a list for each partition in the place for output, and a message for each to the broker
    worker    app      ──▶ partition, for each message: the same engine, writing into a file of its own
    status    overview ──▶ the states of all partitions, added up

    run       what to fetch, and how
    place     where the output goes, and its layout: folder, a directory; bucket, objects in a store
    claim     who works on a partition: one worker at a time, even if others die or sleep
    state     the progress of a partition, as its worker reports it
    data      options and targets as JSON, and back; paths: the files that options name
    orders    the content of the messages; key signs them, policy says which to follow
    app       Celery. intake accepts orders only; directory and redis are its brokers; keeper resends what Redis lost

The broker only proposes. The place that holds the records decides who has a partition. A message is acknowledged when
its partition is done, and is delivered again until then. So a broker may deliver twice, late or out of order, and a
worker may die at any point.
"""
