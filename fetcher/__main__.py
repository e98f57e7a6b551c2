"""`python -m fetcher` is the `fetcher` command."""
from fetcher.cli import main

main()
