"""Files, as every room needs them.

    output       whole lines to stdout or a file, in batches
    compressed   the same, through gzip or zstd
    parts        files that are being written, under temporary names until they are whole
    replacing    a file replaced as a whole
    spool        bytes stored for later: in memory while they are few, then in a file
    claims       files that only this process writes
    lock         a lock file that one run at a time can acquire
    database     SQLite, written in the background
    descriptors  paths that name a descriptor
    identity     which paths are one file
"""
