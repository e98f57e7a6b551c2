"""What outlives a run.

    resume      the records of an earlier run, which are the journal of this one
    retry       the failures among such records, as a list
    known       the requests on record, in memory
    history     what runs learnt about each request: validators, hashes
    change      new, changed, unchanged or gone: what an answer means
    learning    writes the history
"""
