"""How a request becomes running generators: models lent, words ready, sources opened, calls counted.

Owns what is refused before anything is painted, and which pass paints with what. Refuses to know about batches and the wire.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import torch
from PIL.Image import Image

from inference.api.control import ControlUnit
from inference.api.errors import FailureCode
from inference.api.faces import REPAINT
from inference.api.infotext import Value, control_facts, facts_of, write_infotext
from inference.api.request import GenerationRequest, ModelRef, Prompt
from inference.api.result import ControlMap, ImageResult, ModelFile
from inference.engine.checkpoint import Checkpoint
from inference.engine.conditions import encode_prompt
from inference.engine.control.hints import Hints
from inference.engine.control.nets import SteeringNet
from inference.engine.control.ordering import check_family, hints_of, map_calls
from inference.engine.control.scales import is_in_pass
from inference.engine.faces.preparing import Mend, mend_with, mending_calls
from inference.engine.faces.repainting import face_request
from inference.engine.families import FAMILIES, share_latents
from inference.engine.forward import PaintingModel
from inference.engine.generate import Easel, Palette, Source, paint
from inference.engine.guidance import NoiseLevels
from inference.engine.hires import LATENT_UPSCALERS, second_pass, size_of
from inference.engine.job import Brushes, Prepared, Refused, Track
from inference.engine.networks.activation import lora_hashes
from inference.engine.networks.merge import AdapterSet
from inference.engine.picture import encode_png
from inference.engine.prompt.comments import strip_comments
from inference.engine.prompt.networks import NetworkTag, strip_networks
from inference.engine.redraw.pieces import Hand
from inference.engine.regions import regions_of
from inference.engine.sampling import guided_calls, model_calls
from inference.engine.shelf import Shelf, wear
from inference.engine.source import BadSource, open_mask, open_source
from inference.engine.start import is_blank
from inference.engine.upscale import RESAMPLERS, tile_count
from inference.engine.work import TakeUp

Attachments = Mapping[str, bytes]


@dataclass(slots=True, eq=False)
class Bench:
    """The brushes of one painting job, made when they are first taken up, and given back together."""

    request: GenerationRequest
    shelf: Shelf
    notes: list[str] = field(default_factory=list[str])
    hints: Hints | None = None
    adapters: list[AdapterSet] = field(default_factory=list[AdapterSet])
    learned: dict[str, str] = field(default_factory=dict[str, str])
    _lent: list[Hashable] = field(default_factory=list[Hashable])
    _made: dict[Any, Brushes] = field(default_factory=dict[Any, Brushes])

    def order(self, wanted: ModelRef | None, *, fresh: bool, second: bool) -> TakeUp:
        """Brushes with the checkpoint `wanted` (None: the request's own), in the words of the first or the second pass.

        Raises Refused now where a name is unknown; what a file holds shows when it is taken up.
        """
        ref = wanted or self.request.model
        info = self.shelf.find(ref)
        vae = self.shelf.find_vae(ref, info, otherwise=self.request.model.vae)
        return TakeUp(lambda: self.brushes(info, vae, second=second), fresh)

    def brushes(self, info: ModelFile, vae: ModelFile | None, *, second: bool = False) -> Brushes:
        """The checkpoint in `info` with the words of a pass. Raises Refused."""
        key = second, info.path, vae
        if key not in self._made:
            self._made[key] = self._make(info, vae, second=second)
        return self._made[key]

    def _make(self, info: ModelFile, vae: ModelFile | None, *, second: bool) -> Brushes:
        request, shelf = self.request, self.shelf
        checkpoint = shelf.lend(info, vae)
        self._lent.append(info.path)
        positive, negative = request.prompt.positive, request.prompt.negative
        extra: dict[str, Any] = {}
        if second and request.hires is not None:
            changes = second_pass(request, request.hires)
            positive, negative = changes.positive, changes.negative
            size = size_of(request, request.hires, step=downsampling(checkpoint.vae)).target
            extra |= {"calls": changes.calls, "before": changes.before, "size": size, "guidance": changes.guidance}
        text, tags = strip_networks(strip_comments(positive))
        adapters, notes = self._dress(checkpoint, tags)
        words = shelf.words(checkpoint, adapters)
        spoken = f"{text}\n{strip_comments(negative)}"
        self.adapters.append(adapters)
        self.learned |= words.hashes_in(spoken)
        self.notes += [note for note in (*notes, *words.notes(spoken)) if note not in self.notes]
        model = PaintingModel(
            unet=checkpoint.unet,
            vae=checkpoint.vae,
            vae_scale=checkpoint.vae_scale,
            prediction=checkpoint.prediction,
            levels=NoiseLevels(checkpoint.alphas_cumprod),
            adapters=adapters,
            wear=lambda: wear(checkpoint, adapters),
            tiling=request.tiling,
            merging=_merging(request, second=second),
            alphas_cumprod=checkpoint.alphas_cumprod,
            xl=checkpoint.family.xl,
            controls=tuple(self._control(unit, checkpoint, second=second) for unit in request.control),
        )
        with torch.inference_mode():
            guide = encode_prompt(
                request,
                checkpoint,
                text=text,
                negative=negative,
                dtype=checkpoint.unet.dtype,
                device=shelf.device,
                adapters=adapters,
                words=words,
                **extra,
            )
        sampler = request.sampling.sampler if not second or request.hires is None else request.hires.sampler
        regions = regions_of(request, sampler=sampler or request.sampling.sampler)
        return Brushes(model, replace(guide, calls=_guided(request, second=second), regions=regions))

    def _dress(self, checkpoint: Checkpoint, tags: Sequence[NetworkTag]) -> tuple[AdapterSet, tuple[str, ...]]:
        """LoRAs that do not fit end the job, but not where another checkpoint takes over: that one paints without (webui)."""
        try:
            return self.shelf.dress(checkpoint, tags)
        except Refused as refusal:
            if not self._made:
                raise
            return (), (f"“{checkpoint.info.name}” went on without LoRAs: {refusal}",)

    def _control(self, unit: ControlUnit, checkpoint: Checkpoint, *, second: bool) -> SteeringNet | None:
        """The net of `unit`, where it acts. It must fit the request's own checkpoint; others go on without it, and say so."""
        if not unit.weight or not is_in_pass(unit, second=second):
            return None
        info = self.shelf.find_control(unit.model)
        try:
            check_family(info, checkpoint.info)
            net, key = self.shelf.lend_control(info, checkpoint)
        except Refused as refusal:
            if checkpoint.info.path == self.shelf.find(self.request.model).path:
                raise
            note = f"“{checkpoint.info.name}” went on without a control: {refusal}"
            self.notes += [note] if note not in self.notes else []
            return None
        self._lent.append(key)
        return net

    def give_back(self) -> None:
        """The job is over."""
        for key in self._lent:
            self.shelf.give_back(key)
        self._lent.clear()
        self._made.clear()


def _guided(request: GenerationRequest, *, second: bool) -> int:
    """Model calls of a pass as guidance counts them, which is not as prompts do where a source is painted over (webui)."""
    if second and request.hires is not None:
        sampling = second_pass(request, request.hires).sampling
        return guided_calls(sampling, request.hires.denoising_strength, exact_steps=True)
    if request.source is not None:
        strength, exact = request.source.denoising_strength, request.source.exact_steps
        return guided_calls(request.sampling, strength, exact_steps=exact)
    return guided_calls(request.sampling)


def _merging(request: GenerationRequest, *, second: bool) -> float:
    """Share of tokens that merge in a pass; hires fix may have one of its own."""
    own = request.hires.token_merging_ratio if second and request.hires is not None else 0.0
    return own or request.token_merging_ratio


def downsampling(vae: Any) -> int:
    """Pixels along a side of one latent pixel of `vae`."""
    return 2 ** (len(vae.config.block_out_channels) - 1)


def prepare_painting(request: GenerationRequest, attachments: Attachments, shelf: Shelf) -> Prepared:
    """Load, encode and lay out what `request` asks for. Raises Refused; then nothing stays lent."""
    info = shelf.find(request.model)
    vae = shelf.find_vae(request.model, info)
    benches: dict[Prompt, Bench] = {}
    notes: list[str] = []

    def bench_of(index: int) -> Bench:
        """Pictures with the same words share their brushes."""
        words = request.prompt_of(index)
        if words not in benches:
            benches[words] = Bench(msgspec.structs.replace(request, prompt=words, drawn=None), shelf, notes, hints)
        return benches[words]

    over: dict[Prompt, Bench] = {}

    def release() -> None:
        for bench in (*benches.values(), *over.values()):
            bench.give_back()

    hints = hints_of(request, info, attachments, shelf=shelf, notes=notes)
    try:
        source = source_of(request, attachments, notes)
        network = _network(request, shelf)
        tracks: list[Track] = []
        for index in range(request.count):
            bench = bench_of(index)
            mend = mend_of(bench.request, index, info, shelf=shelf, notes=notes, over=over)
            palette = replace(palette_of(bench.request, bench), mend=mend)
            first = bench.brushes(info, vae)
            painting = paint(
                bench.request, index, model=first.model, device=shelf.device, palette=palette, source=source
            )
            tracks.append(Track(painting, index=index, model=first.model, guide=first.guide, lend=shelf.upscaler))
        step = bench_of(0).brushes(info, vae).model.downsampling
        calls = _calls(request, source, network, step=step) + map_calls(request) + face_calls(request, request.size)
        calls *= request.count
    except BaseException:
        release()
        raise

    def results(pictures: Sequence[Image]) -> tuple[ImageResult, ...]:
        facts = [
            facts_of(request, index, model=info, extra=told_by(bench_of(index), vae)) for index in range(request.count)
        ]
        return tuple(
            encode_png(picture, seed=fact.seed, infotext=write_infotext(fact))
            for picture, fact in zip(pictures, facts, strict=True)
        )

    return Prepared(tracks, calls, "painting", results, notes, release=release, maps=lambda: _maps(hints))


def mend_of(
    request: GenerationRequest,
    index: int,
    info: ModelFile,
    *,
    shelf: Shelf,
    notes: list[str],
    over: dict[Prompt, Bench],
) -> Mend | None:
    """How the faces of picture `index` of `request` are mended; None where they are not. Raises Refused.

    Where they are painted over, the bench for it is in `over`, by its words, to be given back with the job's own.
    """
    faces = request.faces
    if faces is None:
        return None

    def hand() -> Hand:
        if request.prompt not in over:
            over[request.prompt] = Bench(face_request(request, faces, info.native), shelf, notes)
        bench = over[request.prompt]
        return Hand(Easel(bench.request, index, shelf.device, Palette()), bench.order(None, fresh=True, second=False))

    return mend_with(faces, shelf, seed=request.seeds.seed + index, notes=notes, hand=hand)


def face_calls(request: GenerationRequest, size: tuple[int, int]) -> int:
    """Calls to mend one face in a picture of `size`, where faces are mended."""
    if request.faces is None:
        return 0
    painted = model_calls(request.sampling, request.faces.weight) if request.faces.model == REPAINT else 1
    return mending_calls(size, each=painted)


def _maps(hints: Hints) -> tuple[ControlMap, ...]:
    """The maps that were followed, as PNGs without a text."""
    return tuple(ControlMap(unit, encode_png(picture, seed=0, infotext="").data) for unit, picture in hints.maps())


def told_by(bench: Bench, vae: ModelFile | None) -> dict[str, Value]:
    """What only the engine knows of how a picture was painted: the VAE, LoRAs and learned words by their hashes."""
    extra: dict[str, Value] = {} if vae is None else {"VAE hash": vae.hash, "VAE": Path(vae.path).name}
    worn = tuple(dict.fromkeys(adapter for adapters in bench.adapters for adapter in adapters))
    if hashes := lora_hashes(worn, bench.shelf.inventory):
        extra["Lora hashes"] = hashes
    if bench.request.control:
        hashes = {info.name: info.hash for info in bench.shelf.inventory.controls}
        extra |= control_facts(bench.request.control, hashes)
    if bench.learned:
        extra["TI hashes"] = ", ".join(f"{name}: {digits}" for name, digits in bench.learned.items())
    return extra


def palette_of(request: GenerationRequest, bench: Bench) -> Palette:
    """Brushes for the second pass and for the refiner, in the pass (or passes) in which it is wanted."""
    hires, refiner = request.hires, request.refiner
    second = None if hires is None else bench.order(hires.model, fresh=True, second=True)
    if hires is not None and hires.model is not None and hires.upscaler in LATENT_UPSCALERS:
        _check_latents(bench.shelf.find(request.model), bench.shelf.find(hires.model), "hires checkpoint")
    if refiner is None:
        return Palette(second, hints=bench.hints)
    base = hires.model if hires is not None and hires.model is not None and refiner.during != "first pass" else None
    _check_latents(bench.shelf.find(base or request.model), bench.shelf.find(refiner.model), "refiner")
    in_first = hires is None or refiner.during != "second pass"
    in_second = hires is not None and refiner.during != "first pass"
    return Palette(
        second,
        (
            bench.order(refiner.model, fresh=False, second=False) if in_first else None,
            bench.order(refiner.model, fresh=False, second=True) if in_second else None,
        ),
        hints=bench.hints,
    )


def _check_latents(before: ModelFile, after: ModelFile, what: str) -> None:
    """Raise Refused when `after` cannot go on with a latent of `before`: SDXL's mean something else than SD 1's and 2's."""
    if not share_latents(before.family, after.family):
        labels = [FAMILIES[file.family].label if file.family in FAMILIES else "unknown" for file in (after, before)]
        raise Refused(
            FailureCode.BAD_REQUEST,
            f"The {what} “{after.name}” is a {labels[0]} model and cannot go on with a picture of the {labels[1]} "
            f"model “{before.name}”; choose one of the same family.",
        )


def _network(request: GenerationRequest, shelf: Shelf) -> Any:
    """The upscaling network that the pictures of `request` need; None where none is."""
    name = request.hires.upscaler if request.hires is not None else request.source.upscaler if request.source else ""
    return None if name in ("", *RESAMPLERS, *LATENT_UPSCALERS) else shelf.upscaler(name)


def _calls(request: GenerationRequest, source: Source | None, network: Any, *, step: int) -> int:
    """Model calls and tiles of one picture, as far as they are known before it begins."""
    sampling, size = request.sampling, (request.canvas.width, request.canvas.height)
    if request.source is not None and source is not None:
        calls = model_calls(sampling, request.source.denoising_strength, exact_steps=request.source.exact_steps)
        return calls + _tiles(source.picture.size, size, network)
    calls = model_calls(sampling)
    if request.hires is not None:
        changes = second_pass(request, request.hires)
        calls += model_calls(changes.sampling, request.hires.denoising_strength, exact_steps=True)
        calls += _tiles(size, size_of(request, request.hires, step=step).target, network)
    return calls


def _tiles(size: tuple[int, int], target: tuple[int, int], network: Any) -> int:
    scale = max(target[0] / size[0], target[1] / size[1])
    if network is None or scale <= 1:
        return 0
    return tile_count(size, network=network, scale=scale)


def source_of(request: GenerationRequest, attachments: Attachments, notes: list[str]) -> Source | None:
    """The picture that `request` begins from, and its mask, opened; what is strange about it goes to `notes`. Raises Refused."""
    if request.source is None:
        return None
    picture, part = opened(request.source.picture, attachments, open_source), request.source.inpaint
    if part is None:
        return Source(picture)
    mask = opened(part.mask, attachments, lambda data: open_mask(data, rounded=part.rounded, invert=part.invert))
    if is_blank(mask, part):
        notes.append("The mask is blank, so the whole picture was painted anew; paint white over what shall change.")
    return Source(picture, mask)


def opened(picture: str, attachments: Attachments, read: Callable[[bytes], Image]) -> Image:
    """The picture with this sha256 that came with the request. Raises Refused."""
    if picture not in attachments:
        raise Refused(FailureCode.BAD_SOURCE, "The source picture did not arrive; send it again.")
    try:
        return read(attachments[picture])
    except BadSource as error:
        raise Refused(FailureCode.BAD_SOURCE, str(error)) from error
