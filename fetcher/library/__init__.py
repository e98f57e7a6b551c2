"""What a script uses: URLs in, results out. `fetcher` itself has all names of it.

    calls           fetch, fetch_all, records: in the thread that calls them
    asynchronous    afetch, afetch_all: in a thread of their own, for asyncio
    keywords        the names of the command's options, each with the field that it fills; values: how each is read
    progress        how far a run has come

Each function takes `Options`, or keywords, or both: then the keywords change the options.
"""
