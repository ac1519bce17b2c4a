"""Extras: sizes and crops, a second upscaler over the first, transparency, faces last; and jobs of them in the engine's loop."""

import io
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from inference.api.enlarging import UpscaleRequest, result_size
from inference.api.errors import FailureCode
from inference.api.faces import FaceRestoration
from inference.api.infotext import postprocessing_in
from inference.api.request import Request
from inference.api.result import Inventory
from inference.api.wire import Event, Failed, Finished, Progress, Submit
from inference.engine.discovery import discover
from inference.engine.extras import calls_of, run_extras
from inference.engine.forward import Forwards
from inference.engine.loop import Engine
from inference.engine.postprocessing import prepare_upscale
from inference.engine.shelf import Shelf
from inference.engine.upscalers.network import Traits, Upscaler
from inference.engine.upscalers.tiles import Tiling
from tests.unit.inference.upscalers.files import CPU, named, noise, rrdb, run, saved

KEY = "0" * 64


def asking(upscaler: str = "net", **more: Any) -> UpscaleRequest:
    """A request for a picture called `KEY`."""
    return UpscaleRequest(picture=KEY, upscaler=upscaler, **more)


class Plain(nn.Module):
    """A network that answers with one level, twice as large."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(level))

    def forward(self, x: Tensor) -> Tensor:
        """The level, everywhere."""
        return torch.ones(x.shape[0], 3, 2 * x.shape[2], 2 * x.shape[3]) * self.level


def plain(level: float) -> Upscaler:
    """It, as a shelf lends it."""
    return Upscaler(Plain(level), Traits("plain", 2, Tiling(64, 16)))


@pytest.mark.parametrize(
    ("size", "crop", "expected"),
    [
        ((120, 120), True, (120, 120)),
        ((120, 120), False, (200, 120)),
        ((50, 31), True, (50, 31)),
        ((300, 200), True, (300, 200)),
    ],
)
def test_a_size_is_covered_and_its_middle_kept(size: tuple[int, int], crop: bool, expected: tuple[int, int]) -> None:
    """The picture grows (or shrinks) by its larger ratio; with crop exactly the size is left, without all of the picture."""
    request = asking("nearest", size=size, crop=crop)
    picture = Image.new("RGB", (100, 60), "red")
    picture.paste("blue", (50, 0, 100, 60))
    result, _ = run(run_extras(request, picture))
    assert result.size == expected == result_size(request, picture.size)
    edges = [result.getpixel((x, expected[1] // 2)) for x in (0, expected[0] - 1)]
    assert edges == [(255, 0, 0), (0, 0, 255)]


def test_the_second_upscaler_lies_over_the_first() -> None:
    """Both enlarge the original; the second is seen as much as its visibility says, and not asked where it is not seen."""
    networks = {"a": plain(0.0), "b": plain(1.0)}
    for visibility, level, calls in ((0.25, 64, 2), (1.0, 255, 2), (0.0, 0, 1)):
        request = asking("a", second="b", second_visibility=visibility)
        result, asked = run(run_extras(request, noise(40, 24)), **networks)
        assert abs(result.getpixel((5, 5))[0] - level) <= 1
        assert asked == calls == calls_of(request, noise(40, 24), networks.__getitem__)
    alone, _ = run(run_extras(asking("none", second="b", second_visibility=1.0), Image.new("RGB", (40, 24))))
    assert alone.getpixel((0, 0)) == (0, 0, 0)


def test_transparency_is_enlarged_by_itself() -> None:
    """What was clear stays clear at the same place, what was solid stays so; colours are not mixed with any ground."""
    network = Upscaler(
        nn.Identity(),
        Traits("twice", 2, Tiling(64, 16)),
        call=lambda x: x.repeat_interleave(2, -1).repeat_interleave(2, -2),
    )
    picture = Image.new("RGBA", (40, 32), (255, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (20, 0, 40, 32))
    result, calls = run(run_extras(asking(), picture), net=network)
    assert (result.mode, result.size) == ("RGBA", (80, 64))
    assert calls == 2 == calls_of(asking(), picture, lambda _: network)
    alpha = np.asarray(result)[..., 3]
    assert (alpha[:, :40] == 0).all()
    assert (alpha[:, 40:] == 255).all()
    assert np.asarray(result)[..., :3].reshape(-1, 3).tolist() == [[255, 0, 0]] * (80 * 64)


def test_faces_are_mended_last_and_alone_where_nothing_grows() -> None:
    """Whoever mends sees the finished enlargement in RGB; with None at once its size that is the picture as it came."""
    seen: list[tuple[str, tuple[int, int]]] = []

    def mend(picture: Image.Image) -> Generator[Any, Any, Image.Image]:
        seen.append((picture.mode, picture.size))
        return Image.new("RGB", picture.size, "lime")
        yield

    mended, _ = run(run_extras(asking("lanczos", scale=2.0, faces=FaceRestoration()), noise(40, 24), mend=mend))
    assert mended.getpixel((0, 0)) == (0, 255, 0)
    odd = noise(41, 23).convert("RGBA")
    odd.putalpha(100)
    same, _ = run(run_extras(asking("none", scale=1.0, faces=FaceRestoration()), odd, mend=mend))
    assert seen == [("RGB", (80, 48)), ("RGB", (41, 23))]
    assert same.getchannel("A").getextrema() == (100, 100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks, one of which is a face restorer by its names, and one that hides code."""
    root = tmp_path_factory.mktemp("models")
    saved(named(rrdb().state_dict(), "old"), root / "ESRGAN" / "4x_Old.pth")
    saved(named(rrdb(fold=2).state_dict(), "new"), root / "RealESRGAN" / "2x_New.safetensors")
    restorer = {"toRGB.0.weight": torch.ones(1), "stylegan_decoder.style_mlp.1.weight": torch.ones(1)}
    saved(restorer, root / "ESRGAN" / "GFPGANv1.4.pth")
    saved({"params": {}, "run": Path("/")}, root / "SwinIR" / "evil.pth")
    return root


@pytest.fixture
def shelf(folder: Path, tmp_path: Path) -> Shelf:
    """A shelf with what lies in `folder`."""
    return Shelf(device=CPU, dtype=torch.float32, memory_limit=1 << 30, look=lambda: discover([folder], tmp_path))


def test_upscalers_are_found_by_kind_and_the_rest_is_told_of(shelf: Shelf) -> None:
    """Each file's architecture is its family; what is no upscaler is on the list of problems with its reason."""
    inventory: Inventory = shelf.inventory
    assert [(file.name, file.family) for file in inventory.upscalers] == [("2x_New", "esrgan"), ("4x_Old", "esrgan")]
    problems = {Path(problem.path).name: problem.sentence for problem in inventory.problems}
    assert "restores faces" in problems["GFPGANv1.4.pth"]
    assert "opening it would run" in problems["evil.pth"]


class Counted(Forwards):
    """Forwards that write down how many tiles each call had."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def upscale(self, network: nn.Module, tiles: Any) -> Tensor:
        """Note, then run."""
        self.batches.append(len(tiles))
        return super().upscale(network, tiles)


class AsOnACard(Counted):
    """The same, of a device to which several tiles at once are cheaper."""

    def tiles_at_once(self, network: nn.Module, most: int) -> int:
        """As many as there are."""
        del network
        return most


def png(picture: Image.Image) -> bytes:
    """`picture` as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def jobs(
    shelf: Shelf, *requests: tuple[Request, bytes], until: int = 0, card: bool = False
) -> tuple[list[Event], Counted]:
    """Submit all at once and turn to the end, or `until` so many turns and then cancel them all."""
    events: list[Event] = []
    forwards = AsOnACard() if card else Counted()

    def prepare(command: Submit) -> Any:
        assert isinstance(command.request, UpscaleRequest)
        return prepare_upscale(command.request, command.attachments, shelf)

    engine = Engine(prepare=prepare, send=events.append, forwards=forwards)
    for number, (request, data) in enumerate(requests, 1):
        engine.submit(Submit(number, request, {KEY: data}))
    turns = 0
    while engine.running:
        engine.turn()
        turns += 1
        if until and turns == until:
            for number in range(1, len(requests) + 1):
                engine.cancel(number)
    return events, forwards


def finished(events: list[Event], job: int) -> Finished:
    """The end of `job`."""
    return next(event for event in events if isinstance(event, Finished) and event.job == job)


def test_tiles_of_two_people_share_batches_and_change_nothing(shelf: Shelf) -> None:
    """Two pictures at once take as many calls as one alone on a card, and each is what it is alone, to the rounding."""
    first, second = png(noise(300, 100, seed=1)), png(noise(300, 100, seed=2))
    request = asking("4x_Old", scale=4.0, infotext="a cat\nSteps: 20, Seed: 7, Size: 8x8")
    alone, one = jobs(shelf, (request, first))
    both, two = jobs(shelf, (request, first), (request, second), card=True)
    assert one.batches == [1, 1]
    assert two.batches == [2, 2]
    _, one_by_one = jobs(shelf, (request, first), (request, second))
    assert one_by_one.batches == [1, 1, 1, 1], "a processor is faster so"
    pictures = [Image.open(io.BytesIO(finished(events, 1).images[0].data)) for events in (alone, both)]
    assert np.abs(np.subtract(*(np.asarray(picture).astype(int) for picture in pictures))).max() <= 1
    assert finished(both, 2).images[0].width == 1200
    assert finished(both, 2).images[0].seed == 7


def test_progress_counts_tiles_to_its_end(shelf: Shelf) -> None:
    """As many calls as were foreseen, with two upscalers and a factor beyond the first one's own."""
    request = asking("2x_New", scale=4.0, second="4x_Old", second_visibility=0.5)
    events, _ = jobs(shelf, (request, png(noise(200, 30))))
    told = [event for event in events if isinstance(event, Progress)]
    assert told[0].total == 2 + 3 + 2
    assert [event.done for event in told] == list(range(1, told[0].total))  # with the last one the job is finished
    assert told[0].stage == "upscaling"
    result = finished(events, 1).images[0]
    assert postprocessing_in(result.data) == (
        "Postprocess upscale by: 4, Postprocess upscaler: 2x_New, Postprocess upscaler 2: 4x_Old, "
        "Postprocess upscaler 2 visibility: 0.5"
    )


def test_a_cancelled_enlargement_ends_at_once(shelf: Shelf) -> None:
    """Between two tiles."""
    events, forwards = jobs(shelf, (asking("4x_Old", scale=4.0), png(noise(900, 40))), until=2)
    assert len(forwards.batches) <= 2
    assert isinstance(events[-1], Failed)
    assert events[-1].code is FailureCode.CANCELLED


@pytest.mark.parametrize(
    ("request_", "data", "code", "said"),
    [
        (asking("gone"), png(Image.new("RGB", (8, 8))), FailureCode.UNKNOWN_MODEL, "no upscaler called “gone”"),
        (asking("lanczos", scale=8.0), png(Image.new("L", (2100, 2000))), FailureCode.BAD_REQUEST, "at most 3.9 times"),
        (
            asking("lanczos", size=(8192, 8192)),
            png(Image.new("L", (20_000, 10))),
            FailureCode.BAD_REQUEST,
            "20,000 × 10",
        ),
        (
            asking("4x_Old", scale=5.0),
            png(Image.new("L", (1500, 1500))),
            FailureCode.BAD_REQUEST,
            "24,000 × 24,000 pixels on the way",
        ),
        (asking("lanczos"), b"nothing", FailureCode.BAD_SOURCE, "is not a whole PNG"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    shelf: Shelf, request_: UpscaleRequest, data: bytes, code: FailureCode, said: str
) -> None:
    """Unknown networks, results that are too large, things that are no pictures."""
    events, forwards = jobs(shelf, (request_, data))
    assert isinstance(events[-1], Failed)
    assert events[-1].code is code
    assert said in events[-1].message
    assert not forwards.batches


def test_a_network_that_answers_with_no_numbers_ends_its_own_job_only(shelf: Shelf) -> None:
    """NaN from a network is a sentence about the network; what others wait for goes on."""
    shelf._upscalers["broken"] = plain(float("nan"))
    events, _ = jobs(shelf, (asking("broken"), png(noise(20, 20))), (asking("4x_Old", scale=4.0), png(noise(20, 20))))
    failed = next(event for event in events if isinstance(event, Failed))
    assert (failed.job, failed.code) == (1, FailureCode.BROKEN_MODEL)
    assert "NaN" in failed.message
    assert finished(events, 2).images[0].width == 80


def test_only_the_last_few_networks_stay_loaded(shelf: Shelf) -> None:
    """A network that was used a while ago is read again, and one that was used just now is not."""
    first = shelf.upscaler("4x_Old")
    assert shelf.upscaler("4x_Old") is first
    for number in range(3):
        shelf._upscalers[f"other {number}"] = plain(0.0)
    shelf.upscaler("2x_New")
    assert len(shelf._upscalers) == 3
    assert shelf.upscaler("4x_Old") is not first
