"""The worker program: `python -m inference.engine CHANNEL`. Reads no settings and no environment; all comes with Hello."""

import logging
import signal
import sys


def main() -> int:
    """Serve the parent at the other end of the socket that the argument names; returns the exit status."""
    # A Ctrl-C in the terminal reaches this process too: the parent decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    from inference.engine.channel import inherited_socket

    try:
        sock = inherited_socket(sys.argv[1])
    except (IndexError, ValueError, OSError):
        print("ERROR This program is started by Easel; start Easel with python run.py.", file=sys.stderr)  # noqa: T201
        return 2
    from inference.engine.server import serve

    return serve(sock)


if __name__ == "__main__":
    sys.exit(main())
