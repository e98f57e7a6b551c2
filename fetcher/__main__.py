"""The `fetcher` command; `python -m fetcher` is the same."""
import sys
from signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal


def main() -> None:
    """Ctrl-C just ends it until there is anything to end in order; where it is ignored, that stays so."""
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)
    if sys.argv[1:] == ["--version"] and _print_version():
        return
    from fetcher.cli import main

    main()


def _print_version() -> bool:
    """Answer before click and eventlet are loaded. What cannot be written is for the command to complain of."""
    from fetcher.versions import line

    try:
        print(line(), flush=True)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
