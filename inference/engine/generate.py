"""A picture as a generator: noise, (a source,) the sampler's steps, (a second pass,) pixels. Reads like the recipe it is.

Owns the order of things. Refuses to know about guidance, batches, files and the wire.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from PIL.Image import Image
from torch import Tensor

from inference.api.request import GenerationRequest, Sampling
from inference.api.sizes import HiresSize
from inference.engine.control.hints import Hints, Pass
from inference.engine.control.scales import Course, pace_of
from inference.engine.hires import LATENT_UPSCALERS, cropped, second_pass, size_of, stretched
from inference.engine.masks import latent_mask, pixel_mask
from inference.engine.noise import NoiseStream, initial_noise
from inference.engine.picture import to_picture, to_pixels
from inference.engine.sampling import ModelTable, guided_calls, sample
from inference.engine.sampling.course import Share, share_of
from inference.engine.start import LATENT_RESIZE, Start, begin, finish
from inference.engine.steering import Controls, Steered, Switch, steered, uncontrolled
from inference.engine.upscale import brought_to
from inference.engine.work import Borrow, Decode, Encode, Painting, TakeUp, Work

Step = Generator[Work | TakeUp | Borrow, Any, Tensor]


@dataclass(frozen=True, slots=True)
class Palette:
    """What there is to paint with beside the first pass's model: brushes for a second pass, and a refiner for each pass.

    `hints` are what the controls follow, shared by the pictures of a job. `mend` mends the faces of the painted picture.
    """

    second: TakeUp | None = None
    refiners: tuple[TakeUp | None, TakeUp | None] = (None, None)
    hints: Hints | None = None
    mend: Callable[[Image], Painting] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """An RGB picture to begin from, of any size, and its mask (grey)."""

    picture: Image
    mask: Image | None = None


@dataclass(frozen=True, slots=True)
class Easel:
    """Where one picture of a request stands: its number, and the device it is painted on."""

    request: GenerationRequest
    index: int
    device: torch.device
    palette: Palette

    def noise(self, latent: tuple[int, ...], sampling: Sampling) -> tuple[Tensor, NoiseStream]:
        """First noise of shape `latent` and the stream the sampler goes on with, begun anew for each pass."""
        return initial_noise(self.request.seeds, self.index, latent, ensd=sampling.ensd, device=self.device)

    def switch(self, number: int, calls: int, table: ModelTable) -> Switch | None:
        """When the refiner takes over in pass `number` (0 or 1), which has so many `calls`."""
        refiner, brushes = self.request.refiner, self.palette.refiners[number]
        if refiner is None or brushes is None:
            return None
        return Switch(brushes, refiner.switch_at, by_steps=refiner.by_steps, calls=calls, sigmas=table.sigmas)

    def controls(self, sampling: Sampling, share: Share, now: Pass) -> Controls:
        """What steers the pass `now`, of whose `sampling` a `share` runs."""
        hints = self.palette.hints
        if hints is None or not hints.followed:
            return uncontrolled
        course = Course(pace_of(sampling.sampler), share.counted)
        return lambda model: hints.controls(model, now, course)


def paint(
    request: GenerationRequest,
    index: int,
    *,
    model: Any,
    device: torch.device,
    palette: Palette = Palette(),
    source: Source | None = None,
) -> Painting:
    """Paint picture `index` of `request`, beginning with `model` (a PaintingModel)."""
    easel = Easel(request, index, device, palette)
    start: Start | None = None
    if source is not None and request.source is not None:
        size = request.canvas.width, request.canvas.height
        start = yield from begin(source.picture, source.mask, source=request.source, size=size)
    latent = yield from (from_words(easel, model) if start is None else from_picture(easel, model, start))
    if request.hires is not None:
        hires = request.hires
        latent = yield from enlarged(easel, latent, lambda step: size_of(request, hires, step=step))
    result = to_picture((yield Decode(latent)))
    if palette.mend is not None:
        result = yield from palette.mend(result)
    if start is None or request.source is None:
        return result
    return finish(result, start, corrected=request.source.color_correction)


def _size(request: GenerationRequest) -> tuple[int, int]:
    return request.canvas.width, request.canvas.height


def _shape(request: GenerationRequest, model: Any) -> tuple[int, int, int, int]:
    k = model.downsampling
    return 1, model.channels, request.canvas.height // k, request.canvas.width // k


def from_words(easel: Easel, model: Any) -> Steered:
    """txt2img: the first pass."""
    sampling = easel.request.sampling
    noise, stream = easel.noise(_shape(easel.request, model), sampling)
    table = model.table_of(sampling)
    walk = sample(sampling, table=table, noise=noise, stream=stream)
    hint = _Hint(easel, (easel.request.canvas.width, easel.request.canvas.height))
    switch = easel.switch(0, guided_calls(sampling), table)
    controls = easel.controls(sampling, share_of(sampling.steps, None), Pass(_size(easel.request)))
    return (yield from steered(walk, model, hint=hint, switch=switch, controls=controls))


def from_picture(easel: Easel, model: Any, start: Start) -> Step:
    """img2img, with or without a mask: the final latent, of the size of the request's canvas."""
    request, source, sampling = easel.request, easel.request.source, easel.request.sampling
    assert source is not None  # noqa: S101 - there is no start without one
    shape = _shape(request, model)
    latent = yield Encode(to_pixels(start.picture))
    if source.resize_mode == LATENT_RESIZE and latent.shape != shape:
        latent = F.interpolate(latent, size=shape[-2:], mode="bilinear")
    noise, stream = easel.noise(shape, sampling)
    painted: Tensor | None = None
    if start.mask is not None and source.inpaint is not None:
        painted = latent_mask(start.mask, (shape[3], shape[2]), rounded=source.inpaint.rounded).to(easel.device)
        latent = _content(easel, latent, painted)
    table, share = model.table_of(sampling), (source.denoising_strength, source.exact_steps)
    walk = sample(
        sampling,
        table=table,
        noise=noise * source.noise_multiplier if source.noise_multiplier != 1 else noise,
        stream=stream,
        latent=latent,
        denoising_strength=share[0],
        exact_steps=share[1],
        extra_noise=request.extra_noise,
        mask=painted,
    )
    hint = _Hint(easel, start.picture.size, start)
    switch = easel.switch(0, guided_calls(sampling, share[0], exact_steps=share[1]), table)
    runs = share_of(sampling.steps, share[0], exact_steps=share[1])
    controls = easel.controls(sampling, runs, Pass(_size(request), place=start.place))
    return (yield from steered(walk, model, hint=hint, switch=switch, controls=controls))


def _content(easel: Easel, latent: Tensor, painted: Tensor) -> Tensor:
    """`latent` with what the painted part begins from, where that is not in the picture already."""
    seeds, source = easel.request.seeds, easel.request.source
    assert source is not None and source.inpaint is not None  # noqa: S101, PT018 - a painted part comes from there
    match source.inpaint.content:
        case "latent noise":
            seed = seeds.seed if seeds.variation_strength > 0 else seeds.seed + easel.index
            noise = NoiseStream(seed, seeds.source, device=easel.device).next(tuple(latent.shape))
            return latent * (1 - painted) + noise * painted
        case "latent nothing":
            return latent * (1 - painted)
        case _:
            return latent


def enlarged(easel: Easel, latent: Tensor, size_for: Callable[[int], HiresSize]) -> Step:
    """The second pass of hires fix, over the first one's `latent`. `size_for` knows its size by the VAE's step."""
    request, hires = easel.request, easel.request.hires
    assert hires is not None and easel.palette.second is not None  # noqa: S101, PT018 - they come together
    changes = second_pass(request, hires)
    first: Image | None = None
    if hires.upscaler not in LATENT_UPSCALERS:
        first = to_picture((yield Decode(latent)))
    model = yield easel.palette.second
    size = size_for(model.downsampling)
    if first is None:
        grown = stretched(latent, hires.upscaler, size)
    else:
        picture = yield from brought_to(first, size.target, upscaler=hires.upscaler)
        grown = yield Encode(to_pixels(picture))
    grown = cropped(grown, size)
    noise, stream = easel.noise(tuple(grown.shape), changes.sampling)
    table, strength = model.table_of(changes.sampling), hires.denoising_strength
    walk = sample(
        changes.sampling,
        table=table,
        noise=noise,
        stream=stream,
        latent=grown,
        denoising_strength=strength,
        exact_steps=True,
        extra_noise=request.extra_noise,
    )
    switch = easel.switch(1, guided_calls(changes.sampling, strength, exact_steps=True), table)
    runs = share_of(changes.sampling.steps, strength, exact_steps=True)
    controls = easel.controls(changes.sampling, runs, Pass(size.final, second=True))
    return (yield from steered(walk, model, hint=_Hint(easel, size.final), switch=switch, controls=controls))


@dataclass(frozen=True, slots=True)
class _Hint:
    """What a model made for inpainting sees of a picture of `size`: the mask, and the encoding of what the mask leaves.

    Without a mask all is masked; without a source there is only grey.
    """

    easel: Easel
    size: tuple[int, int]
    start: Start | None = None

    def __call__(self, model: Any) -> Generator[Encode, Any, Tensor | None]:
        if not model.sees_mask:
            return None
        source = self.easel.request.source
        width, height = self.size
        mask = torch.ones(1, 1, height, width)
        pixels = torch.zeros(1, 3, height, width)
        if self.start is not None and source is not None:
            pixels = to_pixels(self.start.picture)
            if self.start.mask is not None and source.inpaint is not None:
                mask = pixel_mask(self.start.mask, rounded=source.inpaint.rounded)
            pixels = torch.lerp(pixels, pixels * (1 - mask), source.conditioning_mask_weight)
        left = yield Encode(pixels)
        wanted = _shape(self.easel.request, model)[-2:] if self.start is not None else left.shape[-2:]
        if left.shape[-2:] != wanted:
            left = F.interpolate(left, size=wanted, mode="bilinear")
        return torch.cat((F.interpolate(mask, size=wanted).to(left.device), left), dim=1)
