"""The `fetcher` command; `python -m fetcher` is the same."""
from signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal


def main() -> None:
    """Ctrl-C just ends it until there is anything to end in order; where it is ignored, that stays so."""
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)
    from fetcher.cli import main

    main()


if __name__ == "__main__":
    main()
