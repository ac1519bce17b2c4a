"""Whole jobs with controls through the studio and the real loop: passes, schedules, company, maps, refusals, residency."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from msgspec.structs import replace
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file
from torch import Tensor

from inference.api.control import ControlUnit, Preprocessor
from inference.api.errors import FailureCode
from inference.api.redraw import UltimateUpscale
from inference.api.request import (
    Canvas,
    GenerationRequest,
    Guidance,
    Hires,
    Inpaint,
    ModelRef,
    Prompt,
    Refiner,
    Sampling,
    Seeds,
    SourcePicture,
)
from inference.api.wire import EngineSettings, Event, Failed, Finished, Progress, Submit
from inference.engine.control.units import Control
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from tests.checkpoints import tiny_config, write_tiny_checkpoint
from tests.controls import tiny_adapter, tiny_controlnet, write_controlnet


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder: three checkpoints, a plain ControlNet, one of differences, a pooled one, an adapter, one for SDXL."""
    folder = tmp_path_factory.mktemp("models")
    first = write_tiny_checkpoint(folder / "Stable-diffusion" / "tiny.safetensors")
    write_tiny_checkpoint(folder / "Stable-diffusion" / "other.safetensors", seed=3)
    write_tiny_checkpoint(folder / "Stable-diffusion" / "large.safetensors", family="sdxl")
    nets = folder / "ControlNet"
    write_controlnet(nets / "lines.safetensors", tiny_controlnet())
    write_controlnet(nets / "second.pth", tiny_controlnet(seed=1), kind="bare")
    write_controlnet(nets / "change.safetensors", tiny_controlnet(seed=2), kind="difference", base=load_file(first))
    write_controlnet(nets / "shuffle.safetensors", tiny_controlnet(seed=3))
    write_controlnet(
        nets / "wide" / "diffusion_pytorch_model.safetensors", tiny_controlnet(family="sdxl"), kind="diffusers"
    )
    save_file(tiny_adapter([16, 32]).state_dict(), nets / "adapter.safetensors")
    return folder


@pytest.fixture(scope="module")
def studio(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio over `root`."""
    return Studio(EngineSettings(roots=(str(root),), cache=str(tmp_path_factory.mktemp("cache")), device="cpu"))


def scene(size: tuple[int, int] = (96, 64), *, shift: int = 0) -> Image.Image:
    """A house-like drawing."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20 + shift, 24, 60 + shift, 56), fill="navy")
    draw.polygon([(16 + shift, 24), (64 + shift, 24), (40 + shift, 6)], fill="red")
    return picture


def png(picture: Image.Image) -> bytes:
    """Its bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def sent(*pictures: Image.Image) -> dict[str, bytes]:
    """Pictures as they travel beside a request."""
    return {hashlib.sha256(data).hexdigest(): data for data in map(png, pictures)}


HOUSE = sent(scene())
(NAME,) = HOUSE
CANNY = ControlUnit("lines", picture=NAME, preprocessor=Preprocessor("canny", resolution=64))
BARE = GenerationRequest(
    prompt=Prompt("a fox"),
    canvas=Canvas(64, 64),
    seeds=Seeds(7),
    model=ModelRef("tiny", vae="None"),
    sampling=Sampling(sampler="euler", steps=4),
    guidance=Guidance(cfg_scale=3.0),
)


class Witness(Forwards):
    """Forwards that write down the controls of each row of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[Row]] = []

    def evaluate(self, model: PaintingModel, rows: Sequence[Row]) -> Tensor:
        """Note, then run."""
        self.rows.append([*rows])
        return super().evaluate(model, rows)

    def acting(self) -> list[list[int]]:
        """How many controls each row of each call had."""
        return [[len(row.controls) for row in rows] for rows in self.rows]

    def controls(self) -> list[Control]:
        """All controls that acted, in the order of their first call."""
        return list(dict.fromkeys(control for rows in self.rows for row in rows for control in row.controls))


def run(
    studio: Studio, *requests: GenerationRequest, sources: dict[str, bytes] = HOUSE, forwards: Forwards | None = None
) -> list[Event]:
    """All events of jobs that were asked for at once."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=forwards, free=studio.free, preview_every=0)
    for job, request in enumerate(requests):
        engine.submit(Submit(job, request, attachments=sources))
    while engine.running:
        engine.turn()
    return events


def finished(studio: Studio, *requests: GenerationRequest, **how: Any) -> list[Finished]:
    """The results in the order of `requests`; the calls that were promised were made."""
    events = run(studio, *requests, **how)
    last = {event.job: event for event in events if isinstance(event, Finished | Failed)}
    for job in range(len(requests)):
        assert isinstance(last[job], Finished), last[job]
        progress = [event for event in events if isinstance(event, Progress) and event.job == job]
        assert progress[-1].done == progress[-1].total
    return [event for job in range(len(requests)) if isinstance(event := last[job], Finished)]


def paint(studio: Studio, request: GenerationRequest, **how: Any) -> np.ndarray:
    """The picture of `request`, painted alone."""
    return picture_of(finished(studio, request, **how)[0])


def picture_of(event: Finished, index: int = 0) -> np.ndarray:
    """A picture of a job, (H, W, 3)."""
    with Image.open(io.BytesIO(event.images[index].data)) as image:
        return np.asarray(image).astype(np.int16)


def apart(one: np.ndarray, other: np.ndarray) -> int:
    """The largest difference of two pictures."""
    return int(np.abs(one - other).max())


def test_the_shelf_names_controls_and_their_families(studio: Studio) -> None:
    """Files of control are found by the extension's folders; those of the hub by their folder's name."""
    found = {info.name: info.family for info in studio.inventory.controls}
    assert found == {
        "adapter": "sd1",
        "change": "unknown",
        "lines": "unknown",
        "second": "unknown",
        "shuffle": "unknown",
        "wide": "sdxl",
    }


def test_controls_steer_and_leave_no_trace(studio: Studio) -> None:
    """Each kind of control changes the picture; without one it is the same bytes as before any was used."""
    before = paint(studio, BARE)
    pictures = [
        paint(studio, replace(BARE, control=(replace(CANNY, model=name),)))
        for name in ("lines", "second", "change", "shuffle", "adapter")
    ]
    assert all(apart(before, picture) > 2 for picture in pictures)
    assert all(apart(pictures[i], pictures[j]) > 0 for i in range(5) for j in range(i))
    assert apart(paint(studio, BARE), before) == 0
    assert apart(paint(studio, replace(BARE, control=(replace(CANNY, weight=0.0),))), before) == 0


def test_differences_come_with_any_dress(studio: Studio, root: Path) -> None:
    """A diff net is merged with the bare checkpoint, though a LoRA was on when it was first asked for."""
    plain = replace(BARE, control=(replace(CANNY, model="change"),))
    expected = paint(studio, plain)
    layer = "lora_unet_mid_block_attentions_0_proj_in"
    (root / "Lora").mkdir()
    weights = {f"{layer}.lora_up.weight": torch.ones(32, 2), f"{layer}.lora_down.weight": torch.ones(2, 32)}
    save_file(weights, root / "Lora" / "bold.safetensors")
    studio.refresh()
    dressed = replace(BARE, prompt=Prompt("a fox <lora:bold:0.5>"))
    assert apart(paint(studio, dressed), paint(studio, BARE)) > 0
    assert studio.free()
    both = replace(plain, prompt=dressed.prompt)
    events = finished(studio, dressed, both, plain)
    assert apart(picture_of(events[2]), expected) == 0
    assert apart(picture_of(events[1]), picture_of(events[0])) > 0


def test_a_picture_does_not_depend_on_its_company(studio: Studio) -> None:
    """Jobs with a control, with others, with two and with none share forwards, and paint what they paint alone."""
    requests = [
        replace(BARE, control=(CANNY,)),
        replace(BARE, seeds=Seeds(8)),
        replace(BARE, control=(replace(CANNY, model="second", mode="control"), replace(CANNY, model="adapter"))),
        replace(BARE, seeds=Seeds(9), control=(replace(CANNY, mode="prompt", start=0.5),)),
    ]
    witness = Witness()
    together = finished(studio, *requests, forwards=witness)
    assert max(len(rows) for rows in witness.rows) == 8
    assert any(len({len(row.controls) for row in rows}) == 3 for rows in witness.rows)
    for request, event in zip(requests, together, strict=True):
        assert apart(picture_of(event), paint(studio, request)) <= 1


def test_control_acts_on_the_wanted_alone(studio: Studio) -> None:
    """“ControlNet is more important” leaves the negative prompt's rows alone; so do shuffle models; the others do not."""
    for unit, acting in (
        (CANNY, [1, 1]),
        (replace(CANNY, mode="prompt"), [1, 1]),
        (replace(CANNY, mode="control"), [1, 0]),
        (replace(CANNY, model="shuffle"), [1, 0]),
    ):
        witness = Witness()
        finished(studio, replace(BARE, control=(unit,)), forwards=witness)
        assert witness.acting() == [acting] * 4
        (control,) = witness.controls()
        assert control.scales == pytest.approx(
            (1.0,) * 5 if unit.mode == "balanced" else tuple(0.825 ** (4 - i) for i in range(5))
        )


def test_units_start_and_end(studio: Studio) -> None:
    """A unit acts while start ≤ progress ≤ end, a call late; of img2img in shares of the steps that run; else nothing is paid."""
    unit = replace(CANNY, start=0.25, end=0.5)
    witness = Witness()
    finished(studio, replace(BARE, control=(unit,)), forwards=witness)
    assert witness.acting() == [[0, 0], [0, 0], [1, 1], [1, 1]]
    source = SourcePicture(NAME, denoising_strength=0.5)
    witness = Witness()
    finished(
        studio,
        replace(BARE, source=source, sampling=Sampling(sampler="heun", steps=6), control=(replace(unit, start=0.0),)),
        forwards=witness,
    )
    # 4 of 6 steps run, two calls a step but the last; call i knows of max(i - 1, 0) // 2 steps
    assert witness.acting() == [[1, 1]] * 7
    witness = Witness()
    finished(
        studio,
        replace(
            BARE,
            source=source,
            sampling=Sampling(sampler="heun", steps=6),
            control=(replace(unit, start=0.0, end=0.3),),
        ),
        forwards=witness,
    )
    assert witness.acting() == [[1, 1]] * 5 + [[0, 0]] * 2


def test_hires_fix_fits_the_map_twice(studio: Studio) -> None:
    """Both passes follow one map, fitted to each canvas; lines are soft in the second; units name their passes."""
    request = replace(BARE, hires=Hires(scale=1.5, steps=3, denoising_strength=0.6))
    witness = Witness()
    (event,) = finished(studio, replace(request, control=(replace(CANNY, resize_mode=0),)), forwards=witness)
    first, second = witness.controls()
    assert (first.hint.shape, second.hint.shape) == ((1, 3, 64, 64), (1, 3, 96, 96))
    assert first.scales == (1.0,) * 5
    assert second.scales == pytest.approx(tuple(0.825 ** (4 - i) for i in range(5)))
    assert len(event.maps) == 1
    for during, acting in (("first pass", [1] * 4 + [0] * 3), ("second pass", [0] * 4 + [1] * 3)):
        witness = Witness()
        finished(studio, replace(request, control=(replace(CANNY, during=during),)), forwards=witness)
        assert [rows[0] for rows in witness.acting()] == acting


def test_maps_are_results_that_can_be_followed_again(studio: Studio) -> None:
    """A map comes back once however many pictures follow it; given as it is, it paints the same pictures."""
    (event,) = finished(studio, replace(BARE, count=2, control=(CANNY, replace(CANNY, model="adapter"))))
    (found,) = event.maps
    assert found.unit == 0
    with Image.open(io.BytesIO(found.data)) as image:
        edges = np.asarray(image.convert("RGB"))
    assert edges.shape == (64, 96, 3)
    assert (edges == cv2.Canny(np.asarray(scene()), 100, 200)[..., None]).all()
    sources = {hashlib.sha256(found.data).hexdigest(): found.data}
    (name,) = sources
    again = (ControlUnit("lines", picture=name), ControlUnit("adapter", picture=name))
    (repeated,) = finished(studio, replace(BARE, count=2, control=again), sources=sources)
    assert repeated.maps == ()
    for index in range(2):
        assert apart(picture_of(repeated, index), picture_of(event, index)) == 0


def test_without_a_picture_the_source_is_followed(studio: Studio) -> None:
    """A unit without a picture follows the source, brought to size as the source is, whatever the unit says."""
    source = SourcePicture(NAME, denoising_strength=0.6, resize_mode=2)
    hints: list[Tensor] = []
    for unit in (replace(CANNY, picture="", resize_mode=0), replace(CANNY, resize_mode=2)):
        witness = Witness()
        finished(studio, replace(BARE, source=source, control=(unit,)), forwards=witness)
        hints.append(witness.controls()[0].hint)
    assert torch.equal(*hints)


def test_only_the_masked_part_of_the_map_is_followed(studio: Studio) -> None:
    """With “only masked” a control picture is cut like the source, and the part alone becomes a map."""
    mask = Image.new("L", (96, 64))
    ImageDraw.Draw(mask).rectangle((24, 8, 55, 39), fill=255)
    sources = sent(scene(), mask)
    name, hole = sources
    part = Inpaint(hole, blur=0, only_masked=True, padding=0)
    witness = Witness()
    unit = ControlUnit("lines", picture=name)
    request = replace(BARE, source=SourcePicture(name, inpaint=part), control=(unit,))
    finished(studio, request, sources=sources, forwards=witness)
    (control,) = witness.controls()
    expected = scene().crop((24, 8, 56, 40)).resize((64, 64), Image.Resampling.LANCZOS)
    found = (control.hint[0].permute(1, 2, 0).numpy() * 255).round()
    assert np.abs(found - np.asarray(expected)).max() <= 1


def test_each_tile_follows_its_own_piece(studio: Studio) -> None:
    """In a tiled upscale every tile sees the piece of the control picture that lies under it; no map is shown."""
    source = SourcePicture(NAME, denoising_strength=0.5)
    redraw = UltimateUpscale((192, 128), tile=(64, 64), padding=0, mask_blur=0)
    unit = ControlUnit("lines", picture=NAME)
    witness = Witness()
    request = replace(BARE, source=source, redraw=redraw, control=(unit, replace(CANNY, weight=0.5)))
    (event,) = finished(studio, request, forwards=witness)
    assert event.maps == ()
    plain = [control for control in witness.controls() if control.scales[0] == 1.0]
    assert len(plain) == 6
    large = np.asarray(scene().resize((192, 128), Image.Resampling.LANCZOS)).astype(np.int16)
    first = (plain[0].hint[0].permute(1, 2, 0).numpy() * 255).round()
    # a tile's box has one pixel more (as the script draws it), so its piece is a little smaller than the tile
    assert np.abs(first[:40, :40] - large[:40, :40]).mean() < 12
    assert len({control.hint.sum().item() for control in plain}) > 2


def test_inpainting_maps_hide_what_is_masked(studio: Studio) -> None:
    """For a ControlNet of inpainting the hint is -1 under the source's mask and the picture elsewhere."""
    mask = Image.new("L", (64, 64))
    ImageDraw.Draw(mask).rectangle((16, 16, 47, 47), fill=255)
    square = scene((64, 64))
    sources = sent(square, mask)
    name, hole = sources
    unit = ControlUnit("lines", preprocessor=Preprocessor("inpaint_global_harmonious"))
    request = replace(BARE, source=SourcePicture(name, inpaint=Inpaint(hole, blur=0)), control=(unit,))
    witness = Witness()
    finished(studio, request, sources=sources, forwards=witness)
    (control,) = witness.controls()
    hint = control.hint[0]
    assert (hint[:, 20:44, 20:44] == -1).all()
    assert torch.allclose(hint[:, :12].permute(1, 2, 0), torch.from_numpy(np.asarray(square) / 255).float()[:12])


def test_regions_are_brought_to_the_canvas(studio: Studio) -> None:
    """A region's grey levels are weights on the canvas; black everywhere is no control at all."""
    region, black = Image.new("L", (64, 64)), Image.new("L", (64, 64), 0)
    region.paste(128, (0, 0, 32, 64))
    sources = HOUSE | sent(region, black)
    _, grey, nothing = sources
    witness = Witness()
    half = paint(studio, replace(BARE, control=(replace(CANNY, region=grey),)), sources=sources, forwards=witness)
    found = witness.controls()[0].region
    assert found is not None
    assert found.shape == (1, 1, 64, 64)
    assert found[0, 0, 0, 0] == pytest.approx(128 / 255)
    assert found[0, 0, 0, 63] == 0
    without = paint(studio, replace(BARE, control=(replace(CANNY, region=nothing),)), sources=sources)
    assert apart(without, paint(studio, BARE)) <= 1
    assert apart(half, without) > 0


REFUSALS: dict[str, tuple[dict[str, Any], FailureCode, str]] = {
    "unknown": ({"model": "nowhere"}, FailureCode.UNKNOWN_MODEL, "no ControlNet called “nowhere”"),
    "other family": (
        {"model": "wide"},
        FailureCode.BAD_REQUEST,
        "“wide” is made for Stable Diffusion XL and cannot steer “tiny”, a Stable Diffusion 1 model",
    ),
    "preprocessor": (
        {"preprocessor": Preprocessor("magic")},
        FailureCode.BAD_REQUEST,
        "There is no preprocessor called “magic”",
    ),
    "picture": ({"picture": "ab" * 32}, FailureCode.BAD_SOURCE, "A control's picture did not arrive"),
    "mask": ({"mask": "cd" * 32}, FailureCode.BAD_SOURCE, "A control's picture did not arrive"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_followed_is_refused(studio: Studio, case: str) -> None:
    """Each bad unit ends its job with a sentence before anything is painted, and nothing stays lent."""
    change, code, said = REFUSALS[case]
    (event,) = [
        event for event in run(studio, replace(BARE, control=(replace(CANNY, **change),))) if isinstance(event, Failed)
    ]
    assert event.code == code
    assert said in event.message
    assert not studio._shelf._residency.pinned


def test_broken_pictures_and_files_are_named(studio: Studio, root: Path) -> None:
    """A picture that is none, and a net whose weights do not fit, end the job with a sentence."""
    (event,) = [
        e for e in run(studio, replace(BARE, control=(CANNY,)), sources={NAME: b"none"}) if isinstance(e, Failed)
    ]
    assert event.message.startswith("The control picture is not a whole PNG")
    odd = tiny_controlnet(config=tiny_config()["unet"] | {"block_out_channels": [24, 32]})
    write_controlnet(root / "ControlNet" / "odd.safetensors", odd)
    studio.refresh()
    unit = replace(CANNY, model="odd")
    (event,) = [e for e in run(studio, replace(BARE, control=(unit,))) if isinstance(e, Failed)]
    assert event.code == FailureCode.BROKEN_MODEL
    assert event.message.startswith("“odd” cannot steer “tiny”: it holds")
    assert not studio._shelf._residency.pinned


def test_another_checkpoint_goes_on_without_what_does_not_fit(studio: Studio) -> None:
    """A refiner of the same structure is steered too, differences from its own weights; a second pass by SDXL is not."""
    refined = replace(
        BARE, refiner=Refiner(ModelRef("other", vae="None"), 0.5), control=(replace(CANNY, model="change"),)
    )
    witness = Witness()
    finished(studio, refined, forwards=witness)
    first, second = witness.controls()
    assert first.net is not second.net
    assert [rows[0] for rows in witness.acting()] == [1] * 4
    crossed = replace(
        BARE, hires=Hires(scale=1.5, upscaler="lanczos", model=ModelRef("large", vae="None")), control=(CANNY,)
    )
    (event,) = finished(studio, crossed)
    assert any("“large” went on without a control" in note for note in event.notes)


def test_a_second_pass_that_never_comes_is_said(studio: Studio) -> None:
    """A unit for the second pass alone does nothing without hires fix, and the card says so."""
    (event,) = finished(studio, replace(BARE, control=(replace(CANNY, during="second pass"),)))
    assert event.notes == ("A control acts in the second pass alone, and there is no hires fix, so it did nothing.",)
    assert event.maps == ()


def test_a_cancelled_job_gives_its_nets_back(studio: Studio) -> None:
    """Cancelled in the middle, a job leaves nothing pinned, and the memory can be had back."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=Witness(), free=studio.free, preview_every=0)
    engine.submit(Submit(1, replace(BARE, control=(CANNY,)), attachments=HOUSE))
    engine.turn()
    residency = studio._shelf._residency
    assert len(residency.pinned) == 2
    engine.cancel(1)
    assert not residency.pinned
    assert isinstance(events[-1], Failed)
    assert events[-1].code == FailureCode.CANCELLED
    assert studio.free()
    assert residency.bytes == 0


def test_nets_make_room_for_one_another(root: Path, tmp_path: Path) -> None:
    """With memory for little, the nets that were used longest ago are forgotten first, and the checkpoint that paints stays."""
    studio = Studio(EngineSettings(roots=(str(root),), cache=str(tmp_path), device="cpu"))
    finished(studio, BARE)
    residency = studio._shelf._residency
    alone = residency.bytes
    finished(studio, replace(BARE, control=(CANNY,)))
    net = residency.bytes - alone
    residency._limit = alone + net + net // 2
    finished(studio, replace(BARE, control=(replace(CANNY, model="second"),)))
    assert residency.bytes == alone + net
    finished(studio, replace(BARE, control=(replace(CANNY, model="second"),)))
    keys = [key for key in residency._held if isinstance(key, tuple)]
    assert [Path(key[0]).stem for key in keys] == ["second"]
