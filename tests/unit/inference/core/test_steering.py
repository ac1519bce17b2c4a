"""Between sampler and loop: refiners, what inpainting models see, wrapped edges, colours, upscalers' contract."""

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.api.request import Canvas, GenerationRequest, Inpaint, ModelRef, Prompt, Seeds, SourcePicture
from inference.engine.bad_file import BrokenModel
from inference.engine.colors import recolored
from inference.engine.forward import Forwards, Row
from inference.engine.generate import Source, paint
from inference.engine.noise_table import ModelTable, default_alphas
from inference.engine.steering import Switch, nearest_timestep, steered
from inference.engine.tiling import wrap_edges
from inference.engine.upscale import brought_to, enlarge, tile_count
from inference.engine.upscalers.network import Traits, Upscaler
from inference.engine.upscalers.tiles import Tiling
from inference.engine.work import Borrow, Decode, Encode, Evaluate, Sampling, TakeUp
from tests.unit.inference.core.paintings import conditions, tiny_model

SIGMAS = ModelTable(default_alphas()).sigmas


def falling(timesteps: list[int]) -> Sampling:
    """A sampler that asks once at each of `timesteps` and returns the last answer."""
    answer = torch.zeros(1)
    for timestep in timesteps:
        answer = yield Evaluate(torch.zeros(1), float(SIGMAS[timestep]))
    return answer


def nothing(_: Any) -> Generator[Encode, Any, None]:
    """No model here sees more than x."""
    return
    yield  # pragma: no cover - makes it a generator


@pytest.mark.parametrize(
    ("share", "by_steps", "expected"), [(0.0, False, 0), (0.5, False, 2), (0.5, True, 1), (1.0, False, None)]
)
def test_the_refiner_comes_in_time(share: float, *, by_steps: bool, expected: int | None) -> None:
    """It is taken up before the first call with that share of the timesteps (or of the calls) behind it, and only once."""
    switch = Switch(TakeUp(lambda: None), share, by_steps=by_steps, calls=2, sigmas=SIGMAS)
    walk, calls, taken, answer = (
        steered(falling([999, 600, 400, 100]), "base", hint=nothing, switch=switch),
        0,
        [],
        None,
    )
    while True:
        try:
            wanted = walk.send(answer)
        except StopIteration:
            break
        if isinstance(wanted, TakeUp):
            taken.append(calls)
            answer = "refiner"
        else:
            calls, answer = calls + 1, torch.ones(1)
    assert taken == ([] if expected is None else [expected])
    assert calls == 4


def test_timesteps_are_counted_as_the_webui_counts_them() -> None:
    """By the nearest sigma; of a sampler that walks in time by its own timestep, cut off."""
    between = float(SIGMAS[500] + SIGMAS[501]) / 2
    assert nearest_timestep(SIGMAS, Evaluate(torch.zeros(1), between - 1e-4)) == 500
    assert nearest_timestep(SIGMAS, Evaluate(torch.zeros(1), between + 1e-4)) == 501
    assert nearest_timestep(SIGMAS, Evaluate(torch.zeros(1), 1.0, timestep=500.9, walks_in_time=True)) == 500


class Seeing:
    """What `paint` must know of a model that was made for inpainting."""

    sees_mask, channels, downsampling = True, 4, 8

    def table_of(self, _: object) -> ModelTable:
        """Stable Diffusion's own noise levels."""
        return ModelTable(default_alphas())


def seen(source: SourcePicture | None, mask: Image.Image | None = None) -> tuple[list[Tensor], Tensor]:
    """The pictures that were encoded, and what the first call saw beside x. Encodings are the mean of each 8×8 block."""
    request = GenerationRequest(
        prompt=Prompt("x"), canvas=Canvas(64, 64), seeds=Seeds(1), model=ModelRef("m"), source=source
    )
    picture = None if source is None else Source(Image.new("RGB", (64, 64), (255, 255, 255)), mask)
    painting = paint(request, 0, model=Seeing(), device=torch.device("cpu"), source=picture)
    encoded: list[Tensor] = []
    answer: Tensor | None = None
    while True:
        wanted = painting.send(answer)
        if isinstance(wanted, Encode):
            encoded.append(wanted.pixels)
            small = torch.nn.functional.avg_pool2d(wanted.pixels, 8)
            answer = torch.cat((small, small[:, :1]), dim=1)
        else:
            assert isinstance(wanted, Evaluate)
            assert wanted.hint is not None
            return encoded, wanted.hint


def test_an_inpainting_model_sees_the_mask() -> None:
    """Nine channels: beside x the mask, and the encoding of the source with grey where it is masked."""
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 32, 64))
    encoded, hint = seen(SourcePicture("p", inpaint=Inpaint("m", blur=0)), mask)
    assert hint.shape == (1, 5, 8, 8)
    assert hint[0, 0, :, :4].eq(1).all()
    assert hint[0, 0, :, 4:].eq(0).all()
    assert encoded[1][..., :32].eq(0).all()
    assert encoded[1][..., 32:].eq(1).all()
    assert hint[0, 1:, :, :4].eq(0).all()


def test_the_conditioning_mask_weight_lets_the_source_through() -> None:
    """At half the weight half of the source is seen under the mask."""
    mask = Image.new("L", (64, 64), 255)
    encoded, _ = seen(SourcePicture("p", inpaint=Inpaint("m", blur=0), conditioning_mask_weight=0.5), mask)
    assert encoded[1].allclose(torch.tensor(0.5))


def test_without_a_mask_an_inpainting_model_sees_grey() -> None:
    """From words, and from a picture without a mask, everything is masked and nothing is left to see."""
    for source in (None, SourcePicture("p")):
        encoded, hint = seen(source)
        assert encoded[-1].eq(0).all()
        assert hint[:, 0].eq(1).all()


def test_wrapped_edges_do_not_know_where_the_picture_begins() -> None:
    """Tiled, a shifted latent gives the same picture, shifted; plain, it does not; and afterwards plain is plain again."""
    model = tiny_model()
    tiled = type(model)(model.unet, model.vae, model.vae_scale, model.prediction, model.levels, tiling=True)
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    shifted = latent.roll((2, 4), (-2, -1))
    forwards = Forwards()

    def both(x: Tensor, which: Any) -> tuple[Tensor, Tensor]:
        return forwards.decode(which, [x]), forwards.evaluate(which, [Row(x.clone(), 2.0, conditions(1))])

    with torch.inference_mode():
        before = both(latent, model)
        for scale, one, other in zip((8, 1), both(latent, tiled), both(shifted, tiled), strict=True):
            assert (one.roll((2 * scale, 4 * scale), (-2, -1)) - other).abs().max() < 1e-3
        after, moved = both(latent, model), both(shifted, model)
    for scale, one, again, other in zip((8, 1), before, after, moved, strict=True):
        assert torch.equal(one, again)
        assert (one.roll((2 * scale, 4 * scale), (-2, -1)) - other).abs().max() > 1e-2


def test_wrapping_costs_nothing_where_nothing_changes() -> None:
    """A network that is as wanted is not walked through again."""

    class Counting(torch.nn.Conv2d):
        walks = 0

        def modules(self) -> Any:
            """Count who asks."""
            self.walks += 1
            return super().modules()

    network = Counting(1, 1, 3, padding=1)
    for on in (False, True, True, False):
        wrap_edges(network, on=on)
    assert network.walks == 2
    assert network.padding_mode == "zeros"


def test_no_numbers_are_an_error_with_words() -> None:
    """A VAE that answers NaN even in single precision ends in a sentence, not in a black picture."""
    model = tiny_model()
    with pytest.raises(BrokenModel, match="no picture"):
        Forwards().decode(model, [torch.full((1, 4, 2, 2), float("nan"))])


def test_colours_are_taken_and_lightness_is_kept() -> None:
    """A grey-green picture corrected by a red one turns red; a picture corrected by itself stays."""
    generator = np.random.default_rng(1)
    levels = generator.integers(60, 200, (32, 32, 1)).repeat(3, 2).astype(np.uint8)
    picture = Image.fromarray(levels)
    red = Image.fromarray((levels * np.array((1.0, 0.3, 0.3))).astype(np.uint8))
    corrected = np.asarray(recolored(picture, red)).astype(int)
    assert (corrected[..., 0] > corrected[..., 1] + 10).mean() > 0.9
    luma = np.array((0.3, 0.59, 0.11))
    assert np.abs(corrected @ luma - levels @ luma).max() <= 2
    assert np.abs(np.asarray(recolored(red, red)).astype(int) - np.asarray(red)).max() <= 3


def ended(work: Generator[Any, Any, Image.Image]) -> Image.Image:
    """The picture of an enlargement that needs no network."""
    with pytest.raises(StopIteration) as end:
        next(work)
    return end.value.value


def test_the_upscalers_contract() -> None:
    """Targets are multiples of 8, reached by one pass and a Lanczos step; "none" leaves all to that; then the exact size."""
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 256, (33, 50, 3), dtype=np.uint8))
    lanczos, nearest = Image.Resampling.LANCZOS, Image.Resampling.NEAREST
    assert ended(enlarge(picture, upscaler="nearest", scale=1.5)) == picture.resize((75, 49), nearest).resize(
        (72, 48), lanczos
    )
    assert ended(enlarge(picture, upscaler="none", scale=1.5)) == picture.resize((72, 48), lanczos)
    assert ended(brought_to(picture, (75, 49), upscaler="none")) == picture.resize((75, 49), lanczos)
    assert ended(brought_to(picture, (25, 20), upscaler="nearest")) == picture.resize((25, 20), lanczos)
    twice = picture.resize((100, 66), nearest).resize((96, 64), lanczos).resize((100, 60), lanczos)
    assert ended(brought_to(picture, (100, 60), upscaler="nearest")) == twice


@pytest.mark.parametrize(
    ("factor", "scale", "passes"), [(1, 2.0, 1), (2, 2.0, 1), (2, 4.0, 2), (2, 16.0, 3), (4, 1.0, 1)]
)
def test_networks_run_until_the_target_is_reached(factor: int, scale: float, passes: int) -> None:
    """At most three times, once for a scale of 1, and never again when a pass changes nothing."""
    picture, asked, answer = Image.new("RGB", (16, 16), "teal"), 0, None
    work = enlarge(picture, upscaler="net", scale=scale)
    network = Upscaler(torch.nn.Identity(), Traits("repeat", factor, Tiling(192, 32)))
    while True:
        try:
            wanted = work.send(answer)
        except StopIteration as end:
            result = end.value
            break
        if isinstance(wanted, Borrow):
            answer = network
            continue
        asked, answer = asked + 1, wanted.tile.repeat_interleave(factor, -1).repeat_interleave(factor, -2)
    assert result.size == (int(16 * scale), int(16 * scale))
    assert asked == passes == tile_count((16, 16), network=network, scale=scale)


def test_a_picture_ends_with_its_decoding() -> None:
    """The last thing that a picture asks for is to be decoded; what comes back is cut to 8 bits."""
    request = GenerationRequest(prompt=Prompt("x"), canvas=Canvas(64, 64), seeds=Seeds(1), model=ModelRef("m"))
    painting, answer, last = paint(request, 0, model=tiny_model(), device=torch.device("cpu")), None, None
    while True:
        try:
            last = painting.send(answer)
        except StopIteration as end:
            picture = end.value
            break
        answer = torch.zeros(1, 3, 64, 64) if isinstance(last, Decode) else last.x * 0
    assert isinstance(last, Decode)
    assert picture.getpixel((3, 3)) == (127, 127, 127)
