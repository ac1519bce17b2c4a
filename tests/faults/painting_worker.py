"""A worker that paints plain squares and needs no torch: a real process behind the real protocol, for tests that kill.

While the file named first exists, jobs begin and do not end. `python -m tests.faults.painting_worker HOLD CHANNEL`.
"""

import io
import sys
import threading
import time
from pathlib import Path

from PIL import Image

from inference.api.infotext import facts_of, write_infotext
from inference.api.request import GenerationRequest, Request
from inference.api.result import Device, ImageResult, Inventory, ModelFile, Timings
from inference.api.wire import (
    HEADER,
    Alive,
    Cancel,
    Event,
    Failed,
    FailureCode,
    Finished,
    Hello,
    Progress,
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

MODEL = ModelFile("square", "models/Stable-diffusion/square.safetensors", "0123456789", "sd1", native=64)


def paint(request: Request) -> tuple[ImageResult, ...]:
    """A square a picture, its colour from the seed."""
    assert isinstance(request, GenerationRequest)
    results: list[ImageResult] = []
    for index in range(request.count):
        facts = facts_of(request, index, model=MODEL)
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (facts.seed % 256, 90, 160)).save(buffer, "PNG")
        results.append(ImageResult(buffer.getvalue(), 64, 64, facts.seed, write_infotext(facts)))
    return tuple(results)


def main() -> None:
    """Serve until the socket ends."""
    hold, sock = Path(sys.argv[1]), inherited_socket(sys.argv[2])
    stream, lock = sock.makefile("rb"), threading.Lock()

    def send(event: Event) -> None:
        with lock:
            sock.sendall(frame(event))

    def beat() -> None:
        while True:
            send(Alive(0, 0))
            time.sleep(1)

    threading.Thread(target=beat, daemon=True).start()
    while len(header := stream.read(HEADER.size)) == HEADER.size:
        match decode_command(stream.read(length_of(header))):
            case Hello() | Refresh():
                send(Ready(Device("squares", "cpu", 0, "none"), Inventory(checkpoints=(MODEL,))))
            case Submit(job=job, request=request):
                send(Started(job))
                send(Progress(job, 1, 8))
                if not hold.exists():
                    send(Finished(job, paint(request), Timings(0.1, 8)))
            case Cancel(job=job):
                send(Failed(job, FailureCode.CANCELLED, "Cancelled."))
            case Shutdown():
                return


main()
