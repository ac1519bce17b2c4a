"""How a request for a tiled upscale becomes a job: a bench for each kind of tile, and the calls counted beforehand.

Owns what a tile's request is. Refuses to know where tiles lie and how they are painted.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from PIL.Image import Image

from inference.api.infotext import facts_of, write_infotext
from inference.api.redraw import SdUpscale, UltimateUpscale
from inference.api.request import SEED_LIMIT, Canvas, GenerationRequest, Inpaint, Prompt, SourcePicture
from inference.api.result import ImageResult
from inference.api.tiles import Size, Stage, latent_size, sd_boxes, sd_tile_of, stages_of
from inference.engine.control.ordering import hints_of, map_calls
from inference.engine.faces.preparing import Mend
from inference.engine.generate import Easel
from inference.engine.job import Prepared, Track
from inference.engine.picture import encode_png
from inference.engine.preparation import Attachments, Bench, face_calls, mend_of, palette_of, source_of, told_by
from inference.engine.redraw.growing import growing_calls
from inference.engine.redraw.pieces import Hand
from inference.engine.redraw.sd_upscale import sd_upscale
from inference.engine.redraw.ultimate import ultimate
from inference.engine.sampling import model_calls
from inference.engine.shelf import Shelf
from inference.engine.upscale import RESAMPLERS
from inference.engine.upscalers.loading import Enlarger
from inference.engine.work import Painting

_TILES_MASK = "tile"
"""Stands for the mask that each tile has of its own."""


def prepare_redraw(request: GenerationRequest, attachments: Attachments, shelf: Shelf) -> Prepared:
    """Load, encode and lay out the tiled upscale that `request` asks for. Raises Refused; then nothing stays lent."""
    redraw, notes = request.redraw, list[str]()
    assert redraw is not None  # noqa: S101 - whoever prepares has looked
    info = shelf.find(request.model)
    vae = shelf.find_vae(request.model, info)
    bare = replace(request, prompt=request.prompt_of(0), drawn=None, redraw=None)
    hints = hints_of(bare, info, attachments, shelf=shelf, notes=notes)
    benches = [Bench(each, shelf, notes, hints) for each in _tile_requests(bare, redraw)]

    over: dict[Prompt, Bench] = {}

    def release() -> None:
        for bench in (*benches, *over.values()):
            bench.give_back()

    try:
        source = source_of(request, attachments, notes)
        assert source is not None  # noqa: S101 - a redraw without a source is no valid request
        network = None if redraw.upscaler in RESAMPLERS else shelf.upscaler(redraw.upscaler)
        first = benches[0].brushes(info, vae)
        hands = [_hand(bench, shelf) for bench in benches]
        painting = _painting(source.picture, request, redraw, hands)
        mend = mend_of(bare, 0, info, shelf=shelf, notes=notes, over=over)
        painting = painting if mend is None else _mended(painting, mend)
        calls = face_calls(bare, redraw.size) + _calls(
            source.picture.size, request, redraw, [bench.request for bench in benches], network
        )
    except BaseException:
        release()
        raise

    def results(pictures: Sequence[Image]) -> tuple[ImageResult, ...]:
        fact = facts_of(request, 0, model=info, extra=told_by(benches[0], vae))
        return tuple(encode_png(picture, seed=fact.seed, infotext=write_infotext(fact)) for picture in pictures)

    track = Track(painting, model=first.model, guide=first.guide, lend=shelf.upscaler)
    return Prepared([track], max(1, calls), "painting", results, notes, release=release)  # maps of tiles are not shown


def _mended(painting: Painting, mend: Mend) -> Painting:
    return (yield from mend((yield from painting)))


def _tile_requests(request: GenerationRequest, redraw: UltimateUpscale | SdUpscale) -> list[GenerationRequest]:
    """One request for each kind of tile: its size, its strength, and that it is inpainted."""
    source = request.source
    assert source is not None  # noqa: S101 - a redraw without a source is no valid request
    if isinstance(redraw, SdUpscale):
        process = _process_of(redraw, request)
        return [replace(request, canvas=Canvas(*process), source=replace(source, resize_mode=0))]
    return [
        replace(request, canvas=Canvas(*stage.process), source=_stage_source(source, stage))
        for stage in stages_of(redraw)
    ]


def _stage_source(source: SourcePicture, stage: Stage) -> SourcePicture:
    strength = source.denoising_strength if stage.strength is None else stage.strength
    part = Inpaint(_TILES_MASK, blur=stage.blur, only_masked=True, padding=0)  # the patch has its padding already
    return replace(source, denoising_strength=strength, inpaint=part, resize_mode=0)


def _process_of(redraw: SdUpscale, request: GenerationRequest) -> Size:
    return latent_size(sd_tile_of(redraw, (request.canvas.width, request.canvas.height)))


def _hand(bench: Bench, shelf: Shelf) -> Hand:
    easel = Easel(bench.request, 0, shelf.device, palette_of(bench.request, bench))
    return Hand(easel, bench.order(None, fresh=True, second=False))


def _painting(
    picture: Image, request: GenerationRequest, redraw: UltimateUpscale | SdUpscale, hands: Sequence[Hand]
) -> Painting:
    if isinstance(redraw, UltimateUpscale):
        return ultimate(picture, redraw, hands)
    canvas = request.canvas.width, request.canvas.height
    return sd_upscale(picture, redraw, _seeded(hands[0]), canvas=canvas, process=_process_of(redraw, request))


def _seeded(hand: Hand) -> Callable[[int], Hand]:
    """The hand that paints tile k: with its seed + k."""
    easel = hand.easel
    seeds = easel.request.seeds

    def hand_of(number: int) -> Hand:
        own = replace(easel.request, seeds=replace(seeds, seed=(seeds.seed + number) % SEED_LIMIT))
        return Hand(Easel(own, easel.index, easel.device, easel.palette), hand.brushes)

    return hand_of


def _calls(
    size: Size,
    request: GenerationRequest,
    redraw: UltimateUpscale | SdUpscale,
    tile_requests: Sequence[GenerationRequest],
    network: Enlarger | None,
) -> int:
    """Model calls of all tiles, and the tiles of the enlargement before them."""
    canvas = request.canvas.width, request.canvas.height
    calls = growing_calls(size, redraw.size, network=network)
    if isinstance(redraw, UltimateUpscale):
        counts = [len(stage.spots) for stage in stages_of(redraw)]
    else:
        counts = [len(sd_boxes(redraw, canvas))]
    for count, each in zip(counts, tile_requests, strict=True):
        source = each.source
        assert source is not None  # noqa: S101 - made above
        painted = model_calls(each.sampling, source.denoising_strength, exact_steps=source.exact_steps)
        calls += count * (painted + map_calls(each))
    return calls
