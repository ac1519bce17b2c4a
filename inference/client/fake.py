"""A painter without a model: the same request always gives the same gradient, at once, with every real event on the way.

For tests of everything above the wire, and for showing the studio on a machine that cannot paint. Owns no process and
needs no torch. A `Gate` can hold its jobs at any point; `die` and `fail` make the accidents of a real worker happen.
"""

import asyncio
import hashlib
import io
from collections.abc import AsyncGenerator, Mapping

from PIL import Image, ImageChops, ImageFilter
from PIL.PngImagePlugin import PngInfo

from inference.api.backend import BackendUnavailable
from inference.api.control import NO_PREPROCESSOR, PreprocessRequest
from inference.api.enlarging import UpscaleRequest, result_size
from inference.api.errors import Failure, FailureCode
from inference.api.infotext import facts_of, seed_in, write_infotext
from inference.api.preprocessors import described, row_of, unknown
from inference.api.request import GenerationRequest, Request, attachments_of
from inference.api.result import ControlMap, Device, ImageResult, Inventory, ModelFile, Timings
from inference.api.wire import Failed, Finished, JobEvent, Preview, Progress, Ready, Started
from inference.client.gates import Gate, OpenGate, Point

FAKE_INVENTORY = Inventory(
    checkpoints=(
        ModelFile("gradient", "models/Stable-diffusion/gradient.safetensors", "0123456789", "sd1", native=128),
        ModelFile("sunset", "models/Stable-diffusion/sunset.safetensors", "9876543210", "sd1", native=128),
    )
)
"""Two models, so that switching between models can be shown."""

_PREVIEW_SIDE = 64
_STAGES = {GenerationRequest: "painting", UpscaleRequest: "upscaling", PreprocessRequest: "mapping"}


class FakeBackend:
    """Paints gradients. `gate` is passed before each thing a job does; `preview_every` is in steps, 0 for never."""

    def __init__(
        self, *, inventory: Inventory = FAKE_INVENTORY, gate: Gate | None = None, preview_every: int = 4
    ) -> None:
        self.inventory = inventory
        self._gate: Gate = gate or OpenGate()
        self._preview_every = preview_every
        self._ready: Ready | None = None
        self._closed = False
        self._running: dict[int, asyncio.Future[Failure]] = {}

    @property
    def ready(self) -> Ready | None:
        """What `start` or `refresh` last answered; None before the first and after `aclose`."""
        return self._ready

    @property
    def running(self) -> tuple[int, ...]:
        """Jobs that are being painted, oldest first."""
        return tuple(self._running)

    async def start(self) -> Ready:
        """Be up. Raises BackendUnavailable after `aclose`."""
        if self._closed:
            raise BackendUnavailable("The painter has been closed; make a new one.")
        self._ready = Ready(Device("No model: gradients only", "fake", 0, "none"), self.inventory)
        return self._ready

    async def refresh(self) -> Ready:
        """Answer with `inventory` as it is now."""
        return await self.start()

    async def aclose(self) -> None:
        """End every job with `worker_died` and stay closed."""
        self.die()
        self._ready = None
        self._closed = True

    async def cancel(self, job: int) -> None:
        """End `job` with `cancelled`; unknown jobs are ignored."""
        self.fail(job, Failure(FailureCode.CANCELLED, "The job was cancelled."))

    def fail(self, job: int, failure: Failure) -> None:
        """Make `job` end with `failure` wherever it stands; unknown jobs are ignored."""
        ending = self._running.get(job)
        if ending is not None and not ending.done():
            ending.set_result(failure)

    def die(self) -> None:
        """Make every running job end the way it does when a worker process dies. The backend is up again at once."""
        for job in self.running:
            self.fail(job, Failure(FailureCode.WORKER_DIED, "The painter stopped in the middle of this picture."))

    async def generate(
        self, job: int, request: Request, *, attachments: Mapping[str, bytes], lane: str = ""
    ) -> AsyncGenerator[JobEvent, None]:
        """Yield Started, Progress (one a step), Preview and Finished; or Failed. `lane` changes nothing here."""
        del lane
        if self._ready is None:
            raise BackendUnavailable("The painter is not running; start it first.")
        refusal = self._refusal(request, attachments)
        if refusal is not None:
            yield Failed(job, refusal.code, refusal.message)
            return
        ending: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()
        self._running[job] = ending
        try:
            for point, event in self._script(job, request, attachments):
                failure = await self._held_at(point, ending)
                if failure is not None:
                    yield Failed(job, failure.code, failure.message)
                    return
                yield event
        finally:
            del self._running[job]

    async def _held_at(self, point: Point, ending: asyncio.Future[Failure]) -> Failure | None:
        passing = asyncio.ensure_future(self._gate.passed(point))
        try:
            await asyncio.wait((passing, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not passing.done():
                passing.cancel()
        return ending.result() if ending.done() else None

    def _refusal(self, request: Request, attachments: Mapping[str, bytes]) -> Failure | None:
        for picture in attachments_of(request):
            if picture not in attachments:
                return Failure(FailureCode.BAD_SOURCE, "The source picture did not arrive; send it again.")
            try:
                Image.open(io.BytesIO(attachments[picture]), formats=("PNG", "JPEG", "WEBP")).close()
            except (OSError, Image.DecompressionBombError):
                return Failure(
                    FailureCode.BAD_SOURCE, "The source is not a PNG, JPEG or WebP picture; send one of those."
                )
        if isinstance(request, PreprocessRequest) and row_of(request.preprocessor) is None:
            return Failure(FailureCode.BAD_REQUEST, unknown(request.preprocessor))
        if isinstance(request, GenerationRequest):
            known = {file.name for file in self.inventory.controls}
            gone = [unit.model for unit in request.control if unit.model not in known]
            if self._model(request) is None or gone:
                name = gone[0] if gone else request.model.name
                return Failure(
                    FailureCode.UNKNOWN_MODEL, f"There is no model called “{name}”; choose one from the list."
                )
        return None

    def _model(self, request: GenerationRequest) -> ModelFile | None:
        return next((file for file in self.inventory.checkpoints if file.name == request.model.name), None)

    def _script(self, job: int, request: Request, attachments: Mapping[str, bytes]) -> list[tuple[Point, JobEvent]]:
        """Everything that happens in a job, each with the point at which it waits."""
        images = self._images(request, attachments)
        total = request.sampling.steps * len(images) if isinstance(request, GenerationRequest) else 1
        stage = _STAGES[type(request)]
        script: list[tuple[Point, JobEvent]] = [(Point(job, "queued", 0), Started(job))]
        for done in range(1, total + 1):
            script.append((Point(job, "painting", done - 1), Progress(job, done, total, stage)))
            if self._preview_every and done % self._preview_every == 0 and done < total:
                index = (done - 1) * len(images) // total
                script.append((Point(job, "painting", done), _preview(job, index, images[index])))
        script.append((Point(job, "decoding", total), Progress(job, total, total, "decoding")))
        script.append(
            (
                Point(job, "finishing", total),
                Finished(job, images, Timings(0.0, total), maps=_maps(request, attachments)),
            )
        )
        return script

    def _images(self, request: Request, attachments: Mapping[str, bytes]) -> tuple[ImageResult, ...]:
        if isinstance(request, UpscaleRequest):
            return (_enlarged(request, attachments[request.picture]),)
        if isinstance(request, PreprocessRequest):
            edges, chosen = _edges(attachments[request.picture]), request.preprocessor
            return (_result(edges, chosen.seed, described(chosen, edges.size)),)
        model = self._model(request)
        assert model is not None  # noqa: S101 - a request for an unknown model was refused before
        return tuple(_painted(request, index, model) for index in range(request.count))


def _painted(request: GenerationRequest, index: int, model: ModelFile) -> ImageResult:
    facts = facts_of(request, index, model=model)
    size = (request.canvas.width, request.canvas.height) if request.redraw is None else request.redraw.size
    digest = hashlib.sha256(f"{facts.prompt}\n{model.hash}\n{facts.seed}\n{index}".encode()).digest()
    ramp = Image.linear_gradient("L").rotate(90 * (digest[0] % 4)).resize(size)
    glow = ImageChops.invert(Image.radial_gradient("L")).resize(size)
    planes = [ImageChops.add(_dimmed(ramp, digest[i]), _dimmed(glow, digest[i + 3] // 2)) for i in (1, 2, 3)]
    return _result(Image.merge("RGB", planes), facts.seed, write_infotext(facts))


def _dimmed(plane: Image.Image, level: int) -> Image.Image:
    """`plane` (mode L) with 255 brought down to `level`."""
    return plane.point([value * level // 255 for value in range(256)])


def _enlarged(request: UpscaleRequest, data: bytes) -> ImageResult:
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
        large = picture.convert("RGB").resize(result_size(request, picture.size))
        return _result(large, seed_in(request.infotext), request.infotext)


def _maps(request: Request, attachments: Mapping[str, bytes]) -> tuple[ControlMap, ...]:
    """A map for each unit whose preprocessor makes one, each only once."""
    if not isinstance(request, GenerationRequest):
        return ()
    made: dict[tuple[str, str], ControlMap] = {}
    for number, unit in enumerate(request.control):
        picture = unit.picture or (request.source.picture if request.source is not None else "")
        key = (picture, unit.preprocessor.id)
        if unit.preprocessor.id != NO_PREPROCESSOR and key not in made:
            made[key] = ControlMap(number, _result(_edges(attachments[picture]), 0, "").data)
    return tuple(made.values())


def _edges(data: bytes) -> Image.Image:
    """What stands for any map: where the picture changes, white on black."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
        edges = picture.convert("L").filter(ImageFilter.FIND_EDGES)
        return edges.point([0 if level < 32 else 255 for level in range(256)]).convert("RGB")


def _result(picture: Image.Image, seed: int, infotext: str) -> ImageResult:
    chunk = PngInfo()
    chunk.add_text("parameters", infotext)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1, pnginfo=chunk)
    return ImageResult(buffer.getvalue(), picture.width, picture.height, seed, infotext)


def _preview(job: int, index: int, image: ImageResult) -> Preview:
    with Image.open(io.BytesIO(image.data)) as picture:
        picture.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=80)
        return Preview(job, index, buffer.getvalue(), picture.width, picture.height)
