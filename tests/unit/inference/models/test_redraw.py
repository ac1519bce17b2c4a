"""Tiled upscales through the real loop: the same bits as an inpaint a tile by hand, told and shown as they grow."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageOps

from inference.api.errors import FailureCode
from inference.api.infotext import infotext_in, read_infotext, resolve
from inference.api.redraw import SdUpscale, SeamFix, UltimateUpscale
from inference.api.request import (
    Canvas,
    GenerationRequest,
    Inpaint,
    ModelRef,
    Prompt,
    Refiner,
    SourcePicture,
)
from inference.api.sampling import Sampling, Seeds
from inference.api.tiles import Spot, Stage, stages_of, tile_origins
from inference.api.wire import EngineSettings, Event, Failed, Finished, Preview, Progress, Submit
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.loop import Engine
from inference.engine.picture import to_unit
from inference.engine.redraw.growing import growing_calls, grown
from inference.engine.redraw.patches import patch_of
from inference.engine.start import Place as PlaceOf
from inference.engine.start import begin, begin_patch, finish
from inference.engine.studio import Studio
from inference.engine.upscalers.loading import load_upscaler
from inference.engine.work import Borrow, UpscaleTile
from tests.checkpoints import write_tiny_checkpoint

WEIGHTS = Path(__file__).parents[4] / "models/RealESRGAN/realesr-animevideov3-x4.fp16.safetensors"
SOURCE, MASK = "ab" * 32, "cd" * 32


class Counted(Forwards):
    """Forwards that write down how many rows each UNet call had."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def evaluate(self, model: PaintingModel, rows: Sequence[Row]) -> Any:
        """Note, then run."""
        self.batches.append(len(rows))
        return super().evaluate(model, rows)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio with two tiny checkpoints."""
    folder = tmp_path_factory.mktemp("studio")
    root = folder / "models"
    write_tiny_checkpoint(root / "Stable-diffusion" / "tiny.safetensors")
    write_tiny_checkpoint(root / "Stable-diffusion" / "other.safetensors", seed=1)
    return Studio(EngineSettings(roots=(str(root),), cache=str(folder / "cache"), device="cpu"))


def scene(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture in which every place looks different."""
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    levels = np.stack((across * 3 % 256, down * 5 % 256, (across * down) % 256), axis=-1)
    return Image.fromarray(levels.astype(np.uint8))


def png(picture: Image.Image) -> bytes:
    """`picture` as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def events_of(
    studio: Studio, request: GenerationRequest, pictures: dict[str, bytes], *, forwards: Forwards | None = None
) -> list[Event]:
    """All that the real loop says of `request`."""
    events: list[Event] = []
    engine = Engine(
        prepare=studio.prepare,
        send=events.append,
        forwards=forwards or studio.forwards,
        free=studio.free,
        preview_every=1,
    )
    engine.submit(Submit(1, request, pictures))
    while engine.running:
        engine.turn()
    return events


def painted(studio: Studio, request: GenerationRequest, pictures: dict[str, bytes]) -> Image.Image:
    """The picture that the real loop makes of `request`."""
    (last,) = [event for event in events_of(studio, request, pictures) if isinstance(event, Finished | Failed)]
    assert isinstance(last, Finished), last
    return Image.open(io.BytesIO(last.images[0].data)).convert("RGB")


def request(**more: Any) -> GenerationRequest:
    """img2img of a small scene."""
    fields: dict[str, Any] = {
        "prompt": Prompt("a fox [in:out:1]", "fog"),
        "canvas": Canvas(64, 64),
        "seeds": Seeds(7),
        "model": ModelRef("tiny"),
        "sampling": Sampling(sampler="euler_a", steps=4),
        "source": SourcePicture(SOURCE, 0.5),
    }
    return GenerationRequest(**(fields | more))


# -- masks ------------------------------------------------------------------------------------------------------------


def whole_mask(spot: Spot, size: tuple[int, int]) -> Image.Image:
    """The mask of the whole picture, drawn as the extension draws it."""
    mask = Image.new("L", size)
    left, top, right, bottom = spot.box
    width, height = right - left, bottom - top
    rising = Image.linear_gradient("L")
    if spot.shape == "solid":
        ImageDraw.Draw(mask).rectangle((left, top, right - 1, bottom - 1), fill="white")
        return mask
    if spot.shape == "round":
        mask.paste(
            ImageOps.invert(Image.radial_gradient("L").resize((width, height), Image.Resampling.BICUBIC)), (left, top)
        )
        return mask
    bicubic = Image.Resampling.BICUBIC
    if spot.shape in ("row band", "column band"):
        both = Image.new("L", (256, 256))
        both.paste(rising.resize((256, 128), bicubic), (0, 0))
        both.paste(rising.rotate(180).resize((256, 128), bicubic), (0, 128))
        turned = both if spot.shape == "row band" else both.rotate(90)
        mask.paste(turned.resize((width, height), bicubic), (left, top))
        return mask
    tile = Image.new("L", (width, height))
    if spot.shape == "rows":
        tile.paste(rising.resize((width, height // 2), bicubic), (0, 0))
        tile.paste(rising.rotate(180).resize((width, height // 2), bicubic), (0, height // 2))
    else:
        tile.paste(rising.rotate(90).resize((width // 2, height), bicubic), (0, 0))
        tile.paste(rising.rotate(270).resize((width // 2, height), bicubic), (width // 2, 0))
    mask.paste(tile, (left, top))
    return mask


def drive(generator: Any) -> Any:
    """What a generator returns that asks for nothing."""
    with pytest.raises(StopIteration) as end:
        next(generator)
    return end.value.value


PLACES = (
    Spot((0, 0, 65, 65)),
    Spot((128, 64, 193, 129)),
    Spot((64, 64, 129, 129)),
    Spot((64, 32, 128, 96), "rows"),
    Spot((96, 64, 160, 128), "columns"),
    Spot((161, 33, 225, 97), "round"),
    Spot((112, 0, 144, 100), "column band"),
    Spot((0, 50, 180, 80), "row band"),
    Spot((30, 20, 95, 85), "rows"),
)


@pytest.mark.parametrize("blur", [0, 3, 8])
@pytest.mark.parametrize("spot", PLACES, ids=str)
def test_a_patch_is_what_the_whole_mask_gives(spot: Spot, blur: int) -> None:
    """Pixel by pixel, the part that is encoded, its mask and what is laid back agree with masks of the picture's size."""
    picture, stage = scene((180, 100)), Stage((spot,), (96, 64), 12, blur)
    part = Inpaint(MASK, blur=blur, only_masked=True, padding=stage.padding)
    source = SourcePicture(SOURCE, inpaint=part)
    whole = drive(begin(picture, whole_mask(spot, picture.size), source=source, size=stage.process))
    patch = patch_of(spot, stage, picture.size)
    assert patch is not None
    place = PlaceOf(patch.box, picture.size)
    start = drive(begin_patch(picture.crop(patch.box), patch.mask, place, source=source, size=stage.process))
    assert whole.place == start.place
    assert start.picture.tobytes() == whole.picture.tobytes()
    assert start.mask.tobytes() == whole.mask.tobytes()
    result = ImageOps.invert(start.picture)
    back = picture.copy()
    back.paste(finish(result, start), patch.box[:2])
    assert back.tobytes() == finish(result, whole).tobytes()


def test_what_is_black_all_over_is_no_patch() -> None:
    """A gradient one pixel high says nothing, and nothing is painted for it."""
    assert patch_of(Spot((0, 0, 64, 1), "rows"), Stage((), (64, 64), 8, 0), (64, 64)) is None


# -- the enlargement ------------------------------------------------------------------------------------------------


def test_without_an_upscaler_lanczos_does_it_all() -> None:
    """In one step, to exactly the size."""
    result = drive(grown(scene(), (200, 130), upscaler="none"))
    assert result.tobytes() == scene().resize((200, 130), Image.Resampling.LANCZOS).tobytes()


def test_a_chain_of_lanczos() -> None:
    """Seven times is four times and twice, then down."""
    result = drive(grown(scene(), (448, 336), upscaler="lanczos"))
    bicubic = scene().resize((256, 192), Image.Resampling.LANCZOS).resize((512, 384), Image.Resampling.LANCZOS)
    assert result.tobytes() == bicubic.resize((448, 336), Image.Resampling.LANCZOS).tobytes()


@pytest.mark.parametrize("times", [2, 4])
def test_pieces_of_the_enlargement_join_without_seams(times: int) -> None:
    """The shipped network over pieces gives the picture that it gives over the whole."""
    network = load_upscaler(WEIGHTS, device=torch.device("cpu"), dtype=torch.float32)
    across, down = np.meshgrid(np.linspace(0, 9, 300), np.linspace(0, 7, 260))
    waves = np.stack((np.sin(across * down), np.sin(across**2), np.cos(down * 3)), axis=-1)
    picture = Image.fromarray(((waves + 1) * 127).astype(np.uint8))
    growing, answer, calls = grown(picture, (300 * times, 260 * times), upscaler="net"), None, 0
    with torch.inference_mode():
        while True:
            try:
                wanted = growing.send(answer)
            except StopIteration as end:
                result = end.value
                break
            calls += isinstance(wanted, UpscaleTile)
            answer = network if isinstance(wanted, Borrow) else network(wanted.tile)
        levels = (network(to_unit(picture))[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        whole = Image.fromarray(levels).resize(result.size, Image.Resampling.LANCZOS)
    assert calls == growing_calls(picture.size, result.size, network=network) == 4
    inside = np.abs(np.asarray(result).astype(int) - np.asarray(whole).astype(int))
    assert inside.max() <= 6
    assert inside.mean() < 0.05


# -- Ultimate SD Upscale ----------------------------------------------------------------------------------------------

WAYS: dict[str, UltimateUpscale] = {
    "linear": UltimateUpscale((192, 128), upscaler="lanczos", tile=(64, 0), padding=16, mask_blur=4),
    "chess": UltimateUpscale((192, 128), tile=(64, 64), padding=32, mask_blur=0, order="chess"),
    "bands": UltimateUpscale(
        (192, 128), tile=(96, 64), padding=8, mask_blur=2, seams=SeamFix("band", 0.6, width=32, padding=16)
    ),
    "half tiles": UltimateUpscale(
        (128, 128), tile=(64, 0), padding=8, order="none", seams=SeamFix("half tile", 0.5, mask_blur=3, padding=8)
    ),
    "intersections": UltimateUpscale(
        (192, 128), tile=(64, 0), padding=8, mask_blur=3, seams=SeamFix("intersections", 0.7, mask_blur=2)
    ),
}


def by_hand(studio: Studio, wanted: GenerationRequest, redraw: UltimateUpscale) -> Image.Image:
    """The same by inpainting the whole picture once a tile, each result the source of the next."""
    picture = drive(grown(scene(), redraw.size, upscaler=redraw.upscaler))
    for stage in stages_of(redraw):
        for spot in stage.spots:
            part = Inpaint(MASK, blur=stage.blur, only_masked=True, padding=stage.padding)
            source = msgspec.structs.replace(wanted.source, inpaint=part)
            if stage.strength is not None:
                source = msgspec.structs.replace(source, denoising_strength=stage.strength)
            tile = msgspec.structs.replace(wanted, canvas=Canvas(*stage.process), source=source)
            files = {SOURCE: png(picture), MASK: png(whole_mask(spot, picture.size))}
            picture = painted(studio, tile, files)
    return picture


@pytest.mark.parametrize("way", WAYS)
def test_a_redraw_is_one_inpaint_a_tile(studio: Studio, way: str) -> None:
    """Orders and all four ways with seams: the same bits, the prompt's schedule and the seed begun anew for each tile."""
    redraw, wanted = WAYS[way], request()
    whole = painted(studio, msgspec.structs.replace(wanted, redraw=redraw), {SOURCE: png(scene())})
    assert whole.size == redraw.size
    expected = by_hand(studio, wanted, redraw)
    assert whole.tobytes() == expected.tobytes()
    assert whole.tobytes() != scene().resize(redraw.size, Image.Resampling.LANCZOS).tobytes()


def test_a_refiner_takes_over_in_each_tile(studio: Studio) -> None:
    """And the first model begins the next one."""
    redraw = UltimateUpscale((128, 64), tile=(64, 0), padding=8, mask_blur=2)
    wanted = request(refiner=Refiner(ModelRef("other"), switch_at=0.7))
    whole = painted(studio, msgspec.structs.replace(wanted, redraw=redraw), {SOURCE: png(scene())})
    assert whole.tobytes() == by_hand(studio, wanted, redraw).tobytes()
    plain = painted(studio, request(redraw=redraw), {SOURCE: png(scene())})
    assert whole.tobytes() != plain.tobytes()


def test_progress_and_preview_grow_with_the_tiles(studio: Studio) -> None:
    """Every model call of every tile is counted; after each tile the small whole picture is shown, and no latent."""
    redraw = WAYS["intersections"]
    events = events_of(studio, request(redraw=redraw), {SOURCE: png(scene())})
    told = [event for event in events if isinstance(event, Progress)]
    tiles = sum(len(stage.spots) for stage in stages_of(redraw))
    assert {event.total for event in told} == {told[-1].done}
    assert [event.done for event in told] == list(range(1, told[-1].total + 1))
    shown = [Image.open(io.BytesIO(event.data)) for event in events if isinstance(event, Preview)]
    assert len(shown) == tiles + 1
    assert {picture.size for picture in shown} == {(192, 128)}
    first, second = (np.asarray(picture).astype(int) for picture in shown[:2])
    changed = np.abs(first - second).max(axis=-1) > 40
    assert changed[:60, :60].any()
    assert not changed[:, 100:].any(), "only the first tile has changed by then"


def test_a_large_picture_is_shown_small(studio: Studio) -> None:
    """256 pixels are enough for a queue card."""
    redraw = UltimateUpscale((512, 320), tile=(512, 320), padding=0, mask_blur=0)
    plain = request(redraw=redraw, sampling=Sampling(sampler="euler", steps=1))
    events = events_of(studio, plain, {SOURCE: png(scene())})
    assert {(event.width, event.height) for event in events if isinstance(event, Preview)} == {(256, 160)}


def test_cancelling_between_tiles(studio: Studio) -> None:
    """The job ends at once, and nothing of it stays on the shelf's list of users."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    engine.submit(Submit(1, request(redraw=WAYS["linear"]), {SOURCE: png(scene())}))
    while not any(isinstance(event, Progress) and event.done > 4 for event in events):
        engine.turn()
    engine.cancel(1)
    assert engine.running == 0
    assert isinstance(events[-1], Failed)
    assert events[-1].code is FailureCode.CANCELLED
    assert not any(studio._shelf._users.values())


def test_an_unknown_upscaler_is_refused_before_anything_is_painted(studio: Studio) -> None:
    """A network that was deleted since is named."""
    redraw = UltimateUpscale((128, 128), upscaler="gone", tile=(64, 0))
    (*_, last) = events_of(studio, request(redraw=redraw), {SOURCE: png(scene())})
    assert isinstance(last, Failed)
    assert "There is no upscaler called “gone” here" in last.message
    assert not any(studio._shelf._users.values())


def test_its_text_paints_it_again(studio: Studio) -> None:
    """Everything that a text says of a tiled upscale is read back, and gives the same bytes."""
    for redraw in (WAYS["intersections"], SdUpscale((128, 96), overlap=16)):
        wanted = request(redraw=redraw)
        (*_, last) = events_of(studio, wanted, {SOURCE: png(scene())})
        assert isinstance(last, Finished)
        data = last.images[0].data
        base = GenerationRequest(prompt=Prompt(""), canvas=Canvas(64, 64), seeds=Seeds(1), model=ModelRef("other"))
        resolved = resolve(read_infotext(infotext_in(data)), studio.inventory, base=base)
        assert resolved.notes == ()
        (*_, again) = events_of(studio, resolved.request, {SOURCE: png(scene())})
        assert isinstance(again, Finished)
        assert again.images[0].data == data


# -- SD upscale -------------------------------------------------------------------------------------------------------


def sewn(
    tiles: list[list[Image.Image]], lefts: list[int], tops: list[int], size: tuple[int, int], overlap: int
) -> Image.Image:
    """Tiles joined as the webui joins them, written out."""
    rising = (np.arange(overlap, dtype=np.float32) * 255 / overlap).astype(np.uint8)
    result = Image.new("RGB", size)
    for top, row in zip(tops, tiles, strict=True):
        height = row[0].height
        strip = Image.new("RGB", (size[0], height))
        for left, tile in zip(lefts, row, strict=True):
            if left:
                mask = Image.fromarray(np.repeat(rising[None], height, axis=0))
                strip.paste(tile.crop((0, 0, overlap, height)), (left, 0), mask)
                strip.paste(tile.crop((overlap, 0, tile.width, height)), (left + overlap, 0))
            else:
                strip.paste(tile, (0, 0))
        if top:
            mask = Image.fromarray(np.repeat(rising[:, None], size[0], axis=1))
            result.paste(strip.crop((0, 0, size[0], overlap)), (0, top), mask)
            result.paste(strip.crop((0, overlap, size[0], height)), (0, top + overlap))
        else:
            result.paste(strip, (0, 0))
    return result


def test_sd_upscale_is_tiles_of_their_own_sewn_together(studio: Studio) -> None:
    """Tile k is img2img with seed + k; what they share fades from one to the next; they are painted in one batch."""
    redraw = SdUpscale((160, 112), upscaler="lanczos", overlap=16)
    wanted, forwards = request(redraw=redraw), Counted()
    (*_, last) = events_of(studio, wanted, {SOURCE: png(scene())}, forwards=forwards)
    assert isinstance(last, Finished), last
    assert max(forwards.batches) == 12, "six tiles with two rows each"
    large = drive(grown(scene(), redraw.size, upscaler="lanczos"))
    tops, lefts = tile_origins(112, 64, 16), tile_origins(160, 64, 16)
    number, tiles = 0, list[list[Image.Image]]()
    for top in tops:
        tiles.append([])
        for left in lefts:
            files = {SOURCE: png(large.crop((left, top, left + 64, top + 64)))}
            tiles[-1].append(painted(studio, request(seeds=Seeds(7 + number)), files))
            number += 1
    expected = np.asarray(sewn(tiles, lefts, tops, redraw.size, 16)).astype(int)
    result = np.asarray(Image.open(io.BytesIO(last.images[0].data))).astype(int)
    assert np.abs(result - expected).max() <= 2, "a batch of several rounds differently from one alone"
    assert last.images[0].seed == 7


def test_sd_upscale_of_a_picture_smaller_than_a_tile(studio: Studio) -> None:
    """The tile is as large as the picture then: nothing black is painted in."""
    redraw = SdUpscale((64, 64), overlap=64)
    one = painted(studio, request(canvas=Canvas(128, 128), redraw=redraw), {SOURCE: png(scene())})
    small = {SOURCE: png(scene().resize((64, 64), Image.Resampling.LANCZOS))}
    assert one.tobytes() == painted(studio, request(), small).tobytes()


def test_progress_of_sd_upscale_counts_all_tiles(studio: Studio) -> None:
    """And a preview is sent as each tile comes."""
    redraw = SdUpscale((128, 64), overlap=16)
    events = events_of(studio, request(redraw=redraw), {SOURCE: png(scene())})
    told = [event for event in events if isinstance(event, Progress)]
    assert told[-1].done == told[-1].total == 3 * 3
    assert len([event for event in events if isinstance(event, Preview)]) == 1 + 3
