"""What a job will cost on this painter: the arithmetic of `cost`, the families that were found, and the speed that was seen."""

from bot.jobs.cost import AREA, SECONDS_PER_TFLOP, Speed, predict, work_of, worker_of
from inference.api.backend import Backend
from inference.api.lookup import find_checkpoint
from inference.api.request import GenerationRequest, Request


class Pricing:
    """Learns the speed of each model on `backend`. Owns nothing that a restart would miss for long."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._speed = Speed()

    def seconds_of(self, request: Request, *, pixels: int = AREA) -> float:
        """Predicted seconds of the machine; `pixels` is the size of a picture that is enlarged."""
        return predict(request, speed=self._supposing(), family=self._family_of(request), source_pixels=pixels)

    def tflop_of(self, request: Request, *, pixels: int = AREA) -> float:
        """Predicted work."""
        return work_of(request, family=self._family_of(request), source_pixels=pixels)

    def learn(self, request: Request, *, tflop: float, seconds: float) -> None:
        """A job of `tflop` took `seconds` of the machine."""
        self._speed = self._speed.learned(worker_of(request), tflop=tflop, seconds=seconds)

    def _supposing(self) -> Speed:
        """What was learned, and for models that were not seen yet the guess for this kind of machine."""
        ready = self._backend.ready
        kind = "cpu" if ready is None else ready.device.kind
        return Speed(SECONDS_PER_TFLOP.get(kind, SECONDS_PER_TFLOP["cpu"]), self._speed.known)

    def _family_of(self, request: Request) -> str:
        ready = self._backend.ready
        if ready is None or not isinstance(request, GenerationRequest):
            return "unknown"
        found = find_checkpoint(ready.inventory, request.model.hash or request.model.name)
        return "unknown" if found is None else found.family
