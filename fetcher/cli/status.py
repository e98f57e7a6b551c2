"""`fetcher status`: a run on a cluster, seen as a whole."""
from __future__ import annotations


def follow(place, run):
    return 0
