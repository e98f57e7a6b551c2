"""What outlives a run.

    lock        only one run at a time
    resume      the records of an earlier run as the journal of this one
    retry       those of failures as a list
    known       which requests those were
"""
