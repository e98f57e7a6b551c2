"""What outlives a run.

    lock        only one run at a time
    resume      the records of an earlier run as the journal of this one
    retry       those of failures as a list
    known       which requests those were
    history     what runs learnt of each request: validators, hashes
    change      new, changed, unchanged or gone: what that says of an answer
    learning    what writes to it
"""
