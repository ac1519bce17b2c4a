"""Masks, second passes, refiners, tiling and VAEs through the studio and the real loop, on tiny checkpoints."""

import hashlib
import io
import itertools

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from inference.api.errors import FailureCode
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
    attachments_of,
)
from inference.api.wire import EngineSettings, Event, Failed, Finished, Progress, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from tests.checkpoints import tiny_weights, write_tiny_checkpoint

PREFIX = "first_stage_model."


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio with two tiny checkpoints, one for inpainting, a VAE beside the first, one in VAE/, and no upscaler."""
    root = tmp_path_factory.mktemp("models")
    folder = root / "Stable-diffusion"
    write_tiny_checkpoint(folder / "tiny.safetensors")
    write_tiny_checkpoint(folder / "other.safetensors", seed=3)
    write_tiny_checkpoint(folder / "hole.safetensors", inpainting=True)
    write_tiny_checkpoint(folder / "wide.safetensors", family="sdxl")
    (root / "VAE").mkdir()
    torch.save({"state_dict": _vae(7)}, folder / "tiny.vae.pt")
    torch.save(_vae(8), root / "VAE" / "soft.ckpt")
    save_file({key.removeprefix(PREFIX): value for key, value in _vae(8).items()}, root / "VAE" / "same.safetensors")
    cache = tmp_path_factory.mktemp("cache")
    return Studio(EngineSettings(roots=(str(root),), cache=str(cache), device="cpu"))


def _vae(seed: int) -> dict[str, torch.Tensor]:
    return {key: value for key, value in tiny_weights(seed=seed).items() if key.startswith(PREFIX)}


BARE = GenerationRequest(
    prompt=Prompt("a fox"),
    canvas=Canvas(64, 64),
    seeds=Seeds(7),
    model=ModelRef("tiny", vae="None"),
    sampling=Sampling(sampler="euler_a", steps=4),
    guidance=Guidance(cfg_scale=3.0),
)


def run(studio: Studio, *requests: GenerationRequest, attachments: dict[str, bytes] | None = None) -> list[Event]:
    """All events of jobs that were asked for at once."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    for job, request in enumerate(requests):
        engine.submit(Submit(job, request, attachments=attachments or {}))
    while engine.running:
        engine.turn()
    return events


def finished(
    studio: Studio, *requests: GenerationRequest, attachments: dict[str, bytes] | None = None
) -> list[Finished]:
    """The results, in the order of `requests`; the count of calls that was promised was kept."""
    events = run(studio, *requests, attachments=attachments)
    last = {event.job: event for event in events if isinstance(event, Finished | Failed)}
    for job in range(len(requests)):
        progress = [event for event in events if isinstance(event, Progress) and event.job == job]
        assert progress[-1].done == progress[-1].total
    found = [last[job] for job in range(len(requests))]
    assert all(isinstance(event, Finished) for event in found), found
    return [event for event in found if isinstance(event, Finished)]


def pixels(event: Finished) -> np.ndarray:
    """The first picture of a job, (H, W, 3)."""
    with Image.open(io.BytesIO(event.images[0].data)) as image:
        return np.asarray(image).astype(np.int16)


def paint(studio: Studio, request: GenerationRequest, attachments: dict[str, bytes] | None = None) -> np.ndarray:
    """The picture of `request`, painted alone."""
    return pixels(finished(studio, request, attachments=attachments)[0])


def apart(one: np.ndarray, other: np.ndarray) -> int:
    """The largest difference of two pictures."""
    return int(np.abs(one - other).max())


def sent(*pictures: Image.Image) -> dict[str, bytes]:
    """Pictures as they travel beside a request."""
    found: dict[str, bytes] = {}
    for picture in pictures:
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        found[hashlib.sha256(buffer.getvalue()).hexdigest()] = buffer.getvalue()
    return found


def scene(size: tuple[int, int] = (64, 64)) -> tuple[Image.Image, Image.Image]:
    """A source of noise, and a mask with a white box in its middle."""
    levels = np.random.default_rng(4).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rectangle((size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4), fill=255)
    return Image.fromarray(levels), mask


def inpainting(size: tuple[int, int] = (64, 64), **part: object) -> tuple[GenerationRequest, dict[str, bytes]]:
    """A request that paints the box of `scene`, and what travels beside it."""
    attachments = sent(*scene(size))
    picture, mask = attachments
    source = SourcePicture(picture, inpaint=Inpaint(mask, blur=2, **part))  # type: ignore[arg-type]
    return replace(BARE, source=source), attachments


@pytest.mark.parametrize("model", ["tiny", "hole"])
@pytest.mark.parametrize("content", ["fill", "original", "latent noise", "latent nothing"])
def test_what_is_not_masked_stays(studio: Studio, content: str, model: str) -> None:
    """Away from the mask's soft edge each pixel is the source's own; under the mask it is not."""
    request, attachments = inpainting(content=content)
    picture = paint(studio, replace(request, model=ModelRef(model, vae="None")), attachments)
    source = np.asarray(scene()[0]).astype(np.int16)
    assert apart(picture[:8], source[:8]) == 0
    assert apart(picture[:, 58:], source[:, 58:]) == 0
    assert apart(picture[24:40, 24:40], source[24:40, 24:40]) > 20


def test_contents_begin_from_different_things(studio: Studio) -> None:
    """The four kinds of masked content give four pictures."""
    asked = [inpainting(content=content) for content in ("fill", "original", "latent noise", "latent nothing")]
    pictures = [paint(studio, *each) for each in asked]
    assert min(apart(pictures[i], pictures[j]) for i in range(4) for j in range(i)) > 0


def test_only_the_masked_part_is_painted(studio: Studio) -> None:
    """The result has the source's size, and outside the mask its pixels; the canvas only says how finely it is painted."""
    request, attachments = inpainting((120, 88), only_masked=True, padding=4)
    picture = paint(studio, request, attachments)
    source = np.asarray(scene((120, 88))[0]).astype(np.int16)
    assert picture.shape == source.shape
    assert apart(picture[:15], source[:15]) == 0
    assert apart(picture[30:60, 40:80], source[30:60, 40:80]) > 20


def test_an_inverted_mask_swaps_both(studio: Studio) -> None:
    """With an inverted mask the middle stays."""
    request, attachments = inpainting(invert=True)
    picture, source = paint(studio, request, attachments), np.asarray(scene()[0]).astype(np.int16)
    assert apart(picture[26:38, 26:38], source[26:38, 26:38]) == 0
    assert apart(picture[:8], source[:8]) > 20


def test_a_blank_mask_is_plain_img2img_and_said(studio: Studio) -> None:
    """Nothing masked and only that to be painted: the whole picture is painted, and the card says why."""
    attachments = sent(scene()[0], Image.new("L", (64, 64)))
    picture, mask = attachments
    plain = replace(BARE, source=SourcePicture(picture))
    (blank,) = finished(
        studio,
        replace(plain, source=SourcePicture(picture, inpaint=Inpaint(mask, only_masked=True))),
        attachments=attachments,
    )
    assert apart(pixels(blank), paint(studio, plain, attachments)) == 0
    assert blank.notes == (
        "The mask is blank, so the whole picture was painted anew; paint white over what shall change.",
    )


def test_the_mask_travels_with_the_request(studio: Studio) -> None:
    """Source and mask are both named; where one does not arrive, or is no picture, a sentence says so."""
    request, attachments = inpainting()
    assert attachments_of(request) == tuple(attachments)
    mask = attachments_of(request)[1]
    for data, word in ((None, "did not arrive"), (b"no picture", "The mask is not a whole")):
        broken = {key: value for key, value in attachments.items() if key != mask}
        event = run(studio, request, attachments=broken if data is None else broken | {mask: data})[-1]
        assert isinstance(event, Failed)
        assert event.code == FailureCode.BAD_SOURCE
        assert word in event.message


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_every_resize_mode_paints_at_the_canvas_size(studio: Studio, mode: int) -> None:
    """A source of another shape gives a picture of the canvas' size, each mode its own."""
    attachments = sent(scene((90, 50))[0])
    (name,) = attachments
    request = replace(BARE, source=SourcePicture(name, resize_mode=mode))  # type: ignore[arg-type]
    assert paint(studio, request, attachments).shape == (64, 64, 3)


def test_noise_over_a_source_counts(studio: Studio) -> None:
    """Exact steps, the noise multiplier, extra noise and colour correction each change the picture."""
    attachments = sent(scene()[0])
    (name,) = attachments
    plain = replace(BARE, source=SourcePicture(name, denoising_strength=0.5))
    assert plain.source is not None
    others = [
        replace(plain, source=replace(plain.source, exact_steps=True)),
        replace(plain, source=replace(plain.source, noise_multiplier=0.5)),
        replace(plain, source=replace(plain.source, color_correction=True)),
        replace(plain, extra_noise=0.3),
    ]
    pictures = [paint(studio, request, attachments) for request in (plain, *others)]
    assert min(apart(pictures[0], other) for other in pictures[1:]) > 0


@pytest.mark.parametrize("upscaler", ["latent", "latent_bicubic_antialiased", "lanczos", "nearest", "none"])
def test_hires_fix_paints_larger(studio: Studio, upscaler: str) -> None:
    """Latent and picture upscalers give the second pass's size; steps and sampler of its own are run."""
    hires = Hires(scale=1.5, upscaler=upscaler, steps=2, sampler="ddim", denoising_strength=0.6)
    assert paint(studio, replace(BARE, hires=hires)).shape == (96, 96, 3)


def test_hires_fix_crops_to_both_sides(studio: Studio) -> None:
    """A size out of proportion is covered and cropped."""
    request = replace(BARE, hires=Hires(resize=(128, 96)))
    assert paint(studio, request).shape == (96, 128, 3)
    assert request.size == (128, 96)


def test_the_second_pass_has_words_and_a_checkpoint_of_its_own(studio: Studio) -> None:
    """Prompt, negative prompt, CFG scale and checkpoint of hires fix each change the picture."""
    plain = Hires(scale=1.5)
    changes = [
        {"prompt": "a red house"},
        {"negative": "a red house"},
        {"cfg_scale": 9.0},
        {"model": ModelRef("other", vae="None")},
    ]
    pictures = [paint(studio, replace(BARE, hires=replace(plain, **change))) for change in ({}, *changes)]
    assert min(apart(pictures[0], other) for other in pictures[1:]) > 0


def test_a_refiner_takes_over(studio: Studio) -> None:
    """From the start it paints the whole picture, at the end nothing; in between it makes a picture of its own."""
    other = ModelRef("other", vae="None")
    base, alone = paint(studio, BARE), paint(studio, replace(BARE, model=other))
    assert apart(paint(studio, replace(BARE, refiner=Refiner(other, 0.0))), alone) == 0
    assert apart(paint(studio, replace(BARE, refiner=Refiner(other, 1.0))), base) == 0
    for refiner in (Refiner(other, 0.5), Refiner(other, 0.5, by_steps=True)):
        between = paint(studio, replace(BARE, refiner=refiner))
        assert min(apart(between, base), apart(between, alone)) > 4


def test_a_refiner_keeps_to_its_pass(studio: Studio) -> None:
    """With hires fix it works in the second pass, in the first, or in both, as asked; then the first checkpoint returns."""
    other = ModelRef("other", vae="None")
    plain = replace(BARE, hires=Hires(scale=1.5, upscaler="latent"))
    in_second = paint(studio, replace(plain, refiner=Refiner(other, 0.0)))
    wanted = paint(studio, replace(plain, hires=Hires(scale=1.5, upscaler="latent", model=other)))
    assert apart(in_second, wanted) == 0
    in_first = paint(studio, replace(plain, refiner=Refiner(other, 0.0, during="first pass")))
    swapped = replace(plain, model=other, hires=Hires(scale=1.5, upscaler="latent", model=BARE.model))
    assert apart(in_first, paint(studio, swapped)) == 0
    in_both = paint(studio, replace(plain, refiner=Refiner(other, 0.0, during="both passes")))
    assert apart(in_both, paint(studio, replace(plain, model=other))) == 0


def test_a_refiner_of_another_family_is_refused(studio: Studio) -> None:
    """A checkpoint whose latents mean something else cannot take over: a sentence says so before anything is painted."""
    event = run(studio, replace(BARE, refiner=Refiner(ModelRef("wide"))))[-1]
    assert isinstance(event, Failed)
    assert event.code == FailureCode.BAD_REQUEST
    assert event.message == (
        "The refiner “wide” is a Stable Diffusion XL model and cannot go on with a picture of the Stable Diffusion 1 "
        "model “tiny”; choose one of the same family."
    )


def test_unknown_names_are_refused_before_painting(studio: Studio) -> None:
    """A hires checkpoint, refiner, VAE or upscaler that is not there fails the job at once, by name."""
    nowhere = ModelRef("nowhere")
    for request in (
        replace(BARE, hires=Hires(model=nowhere)),
        replace(BARE, refiner=Refiner(nowhere)),
        replace(BARE, model=ModelRef("tiny", vae="nowhere")),
        replace(BARE, hires=Hires(upscaler="nowhere")),
    ):
        events = run(studio, request)
        assert isinstance(events[-1], Failed)
        assert events[-1].code == FailureCode.UNKNOWN_MODEL
        assert "nowhere" in events[-1].message
        assert not any(isinstance(event, Progress) for event in events)


def test_tiled_and_plain_jobs_do_not_colour_each_other(studio: Studio) -> None:
    """Painted together, a tiled and a plain picture equal the same painted alone."""
    tiled = replace(BARE, tiling=True)
    alone = [paint(studio, request) for request in (tiled, BARE)]
    together = [pixels(event) for event in finished(studio, tiled, BARE)]
    assert max(apart(one, other) for one, other in zip(together, alone, strict=True)) <= 1
    assert apart(*alone) > 4


def test_merged_and_plain_jobs_do_not_colour_each_other(studio: Studio) -> None:
    """Painted together, jobs of different token merging ratios equal the same painted alone, and without one the same bits."""
    some, more = (replace(BARE, token_merging_ratio=ratio) for ratio in (0.3, 0.75))
    before = paint(studio, BARE)
    alone = [paint(studio, request) for request in (some, more, BARE)]
    together = [pixels(event) for event in finished(studio, some, more, BARE)]
    assert max(apart(one, other) for one, other in zip(together, alone, strict=True)) <= 1
    assert min(apart(alone[0], before), apart(alone[1], before), apart(alone[0], alone[1])) > 0
    assert apart(alone[2], before) == 0


def test_the_second_pass_merges_as_it_is_told(studio: Studio) -> None:
    """Its own ratio wins, none is the first pass's, and one for the second pass alone leaves the first as it was."""
    hires = Hires(scale=1.5, upscaler="lanczos")
    plain = replace(BARE, hires=hires)
    second = replace(BARE, hires=replace(hires, token_merging_ratio=0.5))
    both = replace(BARE, hires=hires, token_merging_ratio=0.5)
    same = replace(BARE, hires=replace(hires, token_merging_ratio=0.5), token_merging_ratio=0.5)
    pictures = [paint(studio, request) for request in (plain, second, both, same)]
    assert apart(pictures[2], pictures[3]) == 0
    assert min(apart(one, other) for one, other in itertools.combinations(pictures[:3], 2)) > 0
    (event,) = finished(studio, second)
    assert "Token merging ratio hr: 0.5" in event.images[0].infotext
    assert "Token merging ratio: " not in event.images[0].infotext


def test_vaes_by_the_webuis_rules(studio: Studio) -> None:
    """Automatic takes the one beside the checkpoint, None the checkpoint's own, a name that one, whatever its format."""
    automatic, none, soft, same = (
        paint(studio, replace(BARE, model=ModelRef("tiny", vae=vae)))
        for vae in ("Automatic", "None", "soft", "same.safetensors")
    )
    assert apart(soft, same) == 0
    assert min(apart(automatic, none), apart(automatic, soft), apart(none, soft)) > 0


def test_a_picture_of_many_equals_the_same_alone(studio: Studio) -> None:
    """The second picture of a job is the first of a job with the next seed, in two passes too."""
    request = replace(BARE, hires=Hires(scale=1.5), count=2)
    (both,) = finished(studio, request)
    alone = paint(studio, replace(request, count=1, seeds=Seeds(8)))
    with Image.open(io.BytesIO(both.images[1].data)) as image:
        assert apart(np.asarray(image).astype(np.int16), alone) <= 1
