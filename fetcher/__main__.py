"""The `fetcher` command; `python -m fetcher` is the same."""
import sys
from signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal


def main() -> None:
    """Run the command. Until there is work to end in order, Ctrl-C kills the process, unless SIGINT is ignored."""
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)
    if sys.argv[1:] == ["--version"] and _print_version():
        return
    from fetcher.cli import main

    main()


def _print_version() -> bool:
    """Print the version without loading click and eventlet. Return whether stdout could be written."""
    from fetcher.versions import line

    try:
        print(line(), flush=True)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
