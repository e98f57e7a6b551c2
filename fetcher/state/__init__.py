"""What outlives a run.

    lock        only one run at a time
"""
