"""What a job will cost on this painter: the arithmetic of `cost`, the families that were found, and the speed that was seen."""

from bot.jobs.cost import AREA, SECONDS_PER_TFLOP, Speed, predict, work_of, worker_of
from inference.api.backend import Backend
from inference.api.enlarging import UpscaleRequest
from inference.api.lookup import find_checkpoint, find_upscaler
from inference.api.request import GenerationRequest, Request


class Pricing:
    """Learns the speed of each model on `backend`. Owns nothing that a restart would miss for long."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._speed = Speed()

    def seconds_of(self, request: Request, *, pixels: int = AREA) -> float:
        """Predicted seconds of the machine; `pixels` is the size of a picture that is enlarged."""
        family, second = self._families_of(request)
        return predict(request, speed=self._supposing(), family=family, second=second, source_pixels=pixels)

    def tflop_of(self, request: Request, *, pixels: int = AREA) -> float:
        """Predicted work."""
        family, second = self._families_of(request)
        return work_of(request, family=family, second=second, source_pixels=pixels)

    def learn(self, request: Request, *, tflop: float, seconds: float) -> None:
        """A job of `tflop` took `seconds` of the machine."""
        self._speed = self._speed.learned(worker_of(request), tflop=tflop, seconds=seconds)

    def _supposing(self) -> Speed:
        """What was learned, and for models that were not seen yet the guess for this kind of machine."""
        ready = self._backend.ready
        kind = "cpu" if ready is None else ready.device.kind
        return Speed(SECONDS_PER_TFLOP.get(kind, SECONDS_PER_TFLOP["cpu"]), self._speed.known)

    def _families_of(self, request: Request) -> tuple[str, str]:
        """What paints or enlarges, by the kind that the engine found in the file, and the second upscaler's kind."""
        ready = self._backend.ready
        if ready is None:
            return "unknown", "unknown"
        match request:
            case GenerationRequest(model=model):
                found = (find_checkpoint(ready.inventory, model.hash or model.name), None)
            case UpscaleRequest(upscaler=first, second=second):
                found = (find_upscaler(ready.inventory, first), find_upscaler(ready.inventory, second))
            case _:
                found = (None, None)
        families = ["unknown" if file is None else file.family for file in found]
        return families[0], families[1]
