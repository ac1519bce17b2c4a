"""A worker without a painter: speaks the protocol, and has the accident that a job's prompt names."""

import os
import sys
import threading

from inference.api.result import Device, ImageResult, Inventory, Timings
from inference.api.wire import (
    HEADER,
    Alive,
    Cancel,
    Event,
    Failed,
    FailureCode,
    Finished,
    Hello,
    Ready,
    Refresh,
    Shutdown,
    Started,
    Submit,
    decode_command,
    frame,
    length_of,
)
from inference.engine.channel import inherited_socket


def main() -> None:
    """Serve until the socket ends."""
    sys.stdout.write("INFO small worker: hello\n")
    sys.stdout.flush()
    sys.stderr.write("a line that is no log record\n")
    if "broken" in sys.argv:
        sys.stdout.write("ERROR the card has left the building\n")
        sys.stdout.flush()
        sys.exit(5)
    sock = inherited_socket(sys.argv[-1])
    stream = sock.makefile("rb")
    lock = threading.Lock()

    def send(event: Event) -> None:
        with lock:
            sock.sendall(frame(event))

    while len(header := stream.read(HEADER.size)) == HEADER.size:
        match decode_command(stream.read(length_of(header))):
            case Hello() | Refresh():
                send(Ready(Device("none", "cpu", 0, "none"), Inventory()))
            case Submit(job=job, request=request):
                send(Started(job))
                match request.prompt.positive:
                    case "die":
                        os.abort()
                    case "garbage":
                        with lock:
                            sock.sendall(b"\0\0\0\3abc")
                    case "huge":
                        with lock:
                            sock.sendall(b"\xff\xff\xff\xff")
                    case "stuck":
                        send(Alive(5, 1))
                    case "wait":
                        pass
                    case text:
                        image = ImageResult(b"", 1, 1, 0, text)
                        send(Finished(job, (image,), Timings(0, 0)))
            case Cancel(job=job):
                send(Failed(job, FailureCode.CANCELLED, "Cancelled."))
            case Shutdown():
                return


main()
