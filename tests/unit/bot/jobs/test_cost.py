"""What a job is predicted to cost, and how the prediction learns."""

from typing import Any

import pytest
from msgspec.structs import replace

from bot.jobs.cost import Speed, calls_of, predict, rows_of, work_of
from bot.jobs.meter import Meter
from inference.api.control import ControlUnit, Preprocessor, PreprocessRequest
from inference.api.enlarging import UpscaleRequest
from inference.api.faces import REPAINT, FaceRestoration
from inference.api.redraw import SdUpscale, SeamFix, UltimateUpscale
from inference.api.request import Canvas, Hires, SourcePicture
from tests.unit.bot.jobs.studio import request

SHA = "ab" * 32


def test_the_arithmetic_is_that_of_the_counted_operations() -> None:
    """SD 1.5 at 512²: 0.803 TFLOP a row and 2.5 for the VAE; SDXL at 1024²: 6.761 a row."""
    sd = work_of(request(steps=20, canvas=Canvas(512, 512)))
    assert sd == pytest.approx(20 * 2 * 0.803 + 2.515, rel=0.01)
    large = work_of(request(steps=20, canvas=Canvas(1024, 1024)))
    assert large == pytest.approx(20 * 2 * 4.674 + 10.06, rel=0.01)
    sdxl = work_of(request(steps=30, canvas=Canvas(1024, 1024)), family="sdxl")
    assert sdxl == pytest.approx(30 * 2 * 6.761 + 10.06, rel=0.01)


def test_every_picture_and_every_row_counts() -> None:
    """Four pictures cost four times one; without guidance a picture is one row; a Heun step is two calls."""
    one = request(steps=20)
    assert work_of(request(steps=20, count=4)) == pytest.approx(4 * work_of(one))
    assert (rows_of(one), rows_of(request(count=4)), rows_of(request(count=4, cfg=1.0))) == (2, 8, 4)
    assert work_of(request(steps=20, cfg=1.0)) < work_of(one)
    assert calls_of(request(steps=20, sampler="heun")) == 40


def test_a_source_runs_its_share_of_the_steps() -> None:
    """As in the webui: 20 steps at a strength of 0.75 are 16, unless exactly as many are asked for."""
    assert calls_of(request(steps=20, source=SourcePicture(SHA, 0.75))) == 16
    assert calls_of(request(steps=20, source=SourcePicture(SHA, 1.0))) == 20
    assert calls_of(request(steps=20, source=SourcePicture(SHA, 0.1, exact_steps=True))) == 20


def test_hires_fix_costs_its_second_pass() -> None:
    """Twice as wide and high is more than four times as much again."""
    plain = request(steps=20, canvas=Canvas(512, 512))
    assert work_of(request(steps=20, canvas=Canvas(512, 512), hires=Hires(scale=2.0))) > 5 * work_of(plain)


def test_merged_tokens_cost_less_attention() -> None:
    """Half of the tokens make SD 1's attention cheaper, in either pass, more in a larger picture; SDXL's stays as it is."""
    plain, large = request(canvas=Canvas(512, 512)), request(canvas=Canvas(1024, 1024))
    saved = [1 - work_of(replace(one, token_merging_ratio=0.5)) / work_of(one) for one in (plain, large)]
    assert 0 < saved[0] < saved[1] < 0.88
    assert work_of(replace(plain, token_merging_ratio=0.9)) == work_of(replace(plain, token_merging_ratio=0.75))
    assert work_of(replace(plain, token_merging_ratio=0.5), family="sdxl") == work_of(plain, family="sdxl")
    twice = replace(plain, hires=Hires(scale=2.0))
    second = replace(plain, hires=Hires(scale=2.0, token_merging_ratio=0.5))
    both = replace(twice, token_merging_ratio=0.5)
    assert work_of(both) < work_of(second) < work_of(twice)


def test_controls_cost_their_rows_while_they_act() -> None:
    """A third of a UNet row each (SDXL's more), for the share of the steps and in the passes in which they act."""
    unit = ControlUnit("net", picture=SHA)
    bare = work_of(request(steps=20))

    def more(*units: ControlUnit, family: str = "sd1", **how: Any) -> float:
        return work_of(request(steps=20, control=units, **how), family=family) - work_of(
            request(steps=20, **how), family=family
        )

    whole = more(unit)
    assert whole == pytest.approx(0.334 * (bare - 2.515 * request().canvas.pixels / 512**2), rel=0.01)
    assert more(unit, unit) == pytest.approx(2 * whole)
    assert more(replace(unit, start=0.25, end=0.75)) == pytest.approx(whole / 2)
    assert more(replace(unit, mode="control")) == pytest.approx(whole / 2)
    assert more(replace(unit, weight=0.0)) == 0
    hires = Hires(scale=2.0)
    both, first = more(unit, hires=hires), more(replace(unit, during="first pass"), hires=hires)
    assert first == pytest.approx(whole)
    assert both == pytest.approx(first + more(replace(unit, during="second pass"), hires=hires))


def test_an_enlargement_costs_by_the_picture() -> None:
    """A network much more than resampling."""
    network = UpscaleRequest(picture=SHA, upscaler="esrgan")
    assert work_of(network, source_pixels=1024 * 1024) == pytest.approx(4 * work_of(network))
    assert work_of(UpscaleRequest(picture=SHA, upscaler="lanczos")) < work_of(network) / 10
    assert rows_of(network) == 1


def test_an_enlargement_costs_what_its_kind_of_network_does() -> None:
    """RRDB much more than compact, LDSR a hundred times that; a factor beyond the network's own runs it again; two cost both."""
    one = UpscaleRequest(picture=SHA, upscaler="net", scale=4.0)
    works = [work_of(one, family=family) for family in ("compact", "unknown", "esrgan", "ldsr")]
    assert works == sorted(works)
    assert works[0] < works[2] / 10 < works[3] / 1000
    twice = UpscaleRequest(picture=SHA, upscaler="net", scale=8.0)
    assert work_of(twice, family="esrgan") == pytest.approx(17 * work_of(one, family="esrgan"))
    assert work_of(twice, family="ldsr") == pytest.approx(4 * work_of(one, family="ldsr"))
    both = UpscaleRequest(picture=SHA, upscaler="net", scale=4.0, second="other", second_visibility=0.5)
    assert work_of(both, family="compact", second="esrgan") == pytest.approx(works[0] + works[2])
    hidden = UpscaleRequest(picture=SHA, upscaler="net", scale=4.0, second="other")
    assert work_of(hidden, family="compact", second="esrgan") == works[0]
    canvas = Canvas(512, 512)
    latent, network = (request(canvas=canvas, hires=Hires(scale=2.0, upscaler=name)) for name in ("latent", "LDSR"))
    assert work_of(network) - work_of(latent) == pytest.approx(
        work_of(UpscaleRequest(picture=SHA, upscaler="x"), family="ldsr")
    )


def test_a_tiled_upscale_costs_its_tiles() -> None:
    """Nine tiles cost nine pictures of their size; seams count with their own strength, SD upscale's tiles as they overlap."""
    source = SourcePicture(SHA, 0.5)
    plain = UltimateUpscale((1536, 1536), tile=(512, 512), padding=64)
    tile = work_of(request(steps=20, canvas=Canvas(576, 576), source=source))
    nine = work_of(request(steps=20, source=source, redraw=plain))
    assert nine == pytest.approx(9 * tile, rel=0.02)
    mended = UltimateUpscale((1536, 1536), tile=(512, 512), padding=64, seams=SeamFix("intersections", 0.25))
    seams = (6 + 6 + 4) * work_of(request(steps=20, canvas=Canvas(512, 512), source=SourcePicture(SHA, 0.25)))
    assert work_of(request(steps=20, source=source, redraw=mended)) == pytest.approx(nine + seams, rel=0.02)
    older = request(steps=20, canvas=Canvas(512, 512), source=source, redraw=SdUpscale((960, 512), overlap=64))
    one = work_of(request(steps=20, canvas=Canvas(512, 512), source=source))
    assert work_of(older) == pytest.approx(2 * one, rel=0.02)
    network = UltimateUpscale((1536, 1536), upscaler="esrgan", tile=(512, 512), padding=64)
    assert work_of(request(steps=20, source=source, redraw=network)) > nine


def test_speed_is_learned_model_by_model() -> None:
    """The first measurement is believed, later ones move it; nonsense is left out."""
    speed = Speed(supposed=1.0)
    assert predict(request(), speed=speed) == pytest.approx(work_of(request()))
    learned = speed.learned("gradient", tflop=2.0, seconds=1.0)
    assert (learned.of("gradient"), learned.of("other")) == (0.5, 1.0)
    assert learned.learned("gradient", tflop=1.0, seconds=1.5).of("gradient") == pytest.approx(0.8)
    assert learned.learned("gradient", tflop=0.0, seconds=1.0) is learned
    assert learned.learned("gradient", tflop=1.0, seconds=0.0) is learned
    assert predict(request(), speed=Speed(supposed=0.0)) == 0.001


def test_jobs_that_run_together_share_the_time() -> None:
    """Two for ten seconds have five each; what one has alone is its own."""
    meter: Meter[str] = Meter()
    meter.begin("a", now=100.0)
    meter.begin("b", now=104.0)
    assert meter.end("a", now=114.0) == pytest.approx(9.0)
    assert meter.end("b", now=120.0) == pytest.approx(11.0)
    assert meter.end("never", now=130.0) == 0.0


def test_parts_of_an_and_prompt_cost_a_row_each() -> None:
    """Parts that say the same share one, whether they have places or not."""
    one = request(steps=20)
    three = replace(one, prompt=replace(one.prompt, positive="a cat AND a dog AND a cat"))
    assert (rows_of(one), rows_of(three)) == (2, 3)
    assert work_of(three) > 1.4 * work_of(one)


def test_mending_faces_costs_one_face() -> None:
    """A restorer is a square, painting over some steps at the model's size; alone it costs no enlargement."""
    plain = request(steps=20, canvas=Canvas(512, 512))
    restored, painted = (
        work_of(replace(plain, faces=FaceRestoration(*way))) - work_of(plain)
        for way in (("GFPGANv1.4",), (REPAINT, 0.4))
    )
    assert 0 < restored < 1
    assert painted == pytest.approx(9 * 2 * 0.803 + 2.515 + 1.117, rel=0.02)
    alone = UpscaleRequest(picture=SHA, upscaler="none", scale=1.0, faces=FaceRestoration("GFPGANv1.4"))
    assert work_of(alone) == pytest.approx(restored)
    both = UpscaleRequest(picture=SHA, upscaler="lanczos", faces=FaceRestoration("GFPGANv1.4"))
    assert work_of(both) == pytest.approx(restored + work_of(UpscaleRequest(picture=SHA, upscaler="lanczos")))


def test_a_map_costs_what_its_network_does() -> None:
    """Next to nothing without one; with one by its pixels; nothing where the picture is taken as it is."""

    def cost(id: str, **how: int) -> float:  # noqa: A002
        return work_of(PreprocessRequest(picture=SHA, preprocessor=Preprocessor(id, **how)))

    assert cost("none") == 0
    assert 0 < cost("canny") < cost("softedge_hed") / 10
    assert cost("softedge_hed", resolution=1024) == 4 * cost("softedge_hed") == 4 * cost("softedge_hed", resolution=512)
    assert predict(PreprocessRequest(picture=SHA, preprocessor=Preprocessor()), speed=Speed()) > 0
