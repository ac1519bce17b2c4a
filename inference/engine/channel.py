"""The worker's end of the socket that it was started with.

POSIX: the argument is the number of an inherited descriptor. Windows has no such thing: there the argument is the word
`share`; the worker prints its process id, and reads back the socket that was duplicated for that process.
"""

import os
import socket
import struct
import sys


def inherited_socket(argument: str) -> socket.socket:
    """The socket that `argument` (the only one on the command line) stands for. Raises ValueError or OSError."""
    if sys.platform == "win32":
        if argument != "share":
            raise ValueError("on Windows the argument is the word share")
        sys.stdout.buffer.write(f"{os.getpid()}\n".encode())
        sys.stdout.buffer.flush()
        (length,) = struct.unpack(">I", sys.stdin.buffer.read(4))
        return socket.fromshare(sys.stdin.buffer.read(length))
    return socket.socket(fileno=int(argument))
