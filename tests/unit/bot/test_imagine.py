"""`imagine`: what was typed, a pasted text and the settings become one request; every mistake is a sentence."""

import io
from pathlib import Path

import pytest
from PIL import Image

from bot.commands.imagine import Wish, in_format, plan, read_text
from bot.errors import RequestRefused, SetupError
from bot.settings import Settings
from inference.api.infotext import exif_with, infotext_in
from inference.api.request import Canvas
from inference.api.result import ImageResult, Inventory, ModelFile

INVENTORY = Inventory(
    checkpoints=(
        ModelFile("painter", "/m/painter.safetensors", "1111111111", "sd1", native=256),
        ModelFile("dream", "/m/dream.safetensors", "2222222222", "sdxl", native=1024),
    )
)
TEXT = "a fox\nSteps: 9, Sampler: Euler, CFG scale: 3, Seed: 7, Size: 320x448, Model: dream"


def test_a_bare_wish_takes_the_models_own_size() -> None:
    """Without a size the picture has the model's native sides; steps, sampler and CFG scale are the settings'."""
    request, notes = plan(Wish(prompt="a fox", model="dream"), Settings(), INVENTORY)
    assert (request.prompt.positive, request.canvas, request.model.name) == ("a fox", Canvas(1024, 1024), "dream")
    assert (request.sampling.sampler, request.sampling.steps) == ("euler_a", 20)
    assert notes == ()


@pytest.mark.parametrize(
    "wish",
    [
        Wish(prompt="n4ked ch1ld"),
        Wish(infotext=TEXT.replace("a fox", "nude toddler")),
        Wish(prompt="loli", infotext=TEXT),
    ],
)
def test_what_is_never_painted_is_not_painted_from_the_shell(wish: Wish) -> None:
    """Typed or pasted, the one refusal that no setting lifts holds here too."""
    with pytest.raises(RequestRefused, match="sexualises minors"):
        plan(wish, Settings(), INVENTORY)


def test_what_is_typed_counts_more_than_a_pasted_text() -> None:
    """A text says everything; options beside it replace just what they name."""
    request, _ = plan(Wish(infotext=TEXT), Settings(), INVENTORY)
    assert (request.seeds.seed, request.sampling.steps, request.canvas) == (7, 9, Canvas(320, 448))
    wish = Wish(infotext=TEXT, seed=1, steps=4, size="128 x 64", cfg=2, sampler="DPM++ 2M Karras", model="painter")
    changed, _ = plan(wish, Settings(), INVENTORY)
    assert (changed.prompt.positive, changed.seeds.seed, changed.canvas) == ("a fox", 1, Canvas(128, 64))
    assert (changed.sampling.sampler, changed.sampling.schedule, changed.sampling.steps) == ("dpmpp_2m", "automatic", 4)
    assert (changed.guidance.cfg_scale, changed.model.name) == (2, "painter")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(), "Say what to paint"),
        (Wish(prompt="a", size="large"), "not a size"),
        (Wish(prompt="a", size="100x100"), "multiple of 8"),
        (Wish(prompt="a", steps=0), "Steps must be between"),
        (Wish(prompt="a", seed=-4), "A seed must be"),
        (Wish(prompt="a", sampler="fast"), "There is no sampler “fast”"),
        (Wish(prompt="a", model="none such"), "no model called “none such” here. There is: painter, dream"),
    ],
)
def test_mistakes_are_sentences(wish: Wish, words: str) -> None:
    """Each wrong value is answered with what was wrong and what would be right."""
    with pytest.raises(RequestRefused, match=words):
        plan(wish, Settings(), INVENTORY)
    with pytest.raises(SetupError, match="No checkpoint found"):
        plan(Wish(prompt="a"), Settings(), Inventory())


def test_texts_are_read_from_files_of_every_kind(tmp_path: Path) -> None:
    """A text file in UTF-8 or UTF-16, with any line ends, and a picture give the same text."""
    path = tmp_path / "said.txt"
    for data in (TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.encode("utf-16"), TEXT.replace("\n", "\r\n").encode()):
        path.write_bytes(data)
        assert read_text(str(path)) == TEXT
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif_with(TEXT))
    assert read_text(str(tmp_path / "a.jpg")) == TEXT
    Image.new("RGB", (8, 8)).save(tmp_path / "bare.png")
    path.write_bytes(b"\0\1\2")
    for name, words in (
        ("bare.png", "carries no parameters"),
        ("said.txt", "neither a text"),
        ("gone", "cannot be read"),
    ):
        with pytest.raises(RequestRefused, match=words):
            read_text(str(tmp_path / name))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_every_format_carries_the_text(suffix: str) -> None:
    """The file that is written has its parameters inside, whatever its format."""
    buffer = io.BytesIO()
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("parameters", TEXT)
    Image.new("RGB", (16, 16), "teal").save(buffer, "PNG", pnginfo=info)
    image = ImageResult(buffer.getvalue(), 16, 16, 7, TEXT)
    assert infotext_in(in_format(image, suffix)) == TEXT


def test_a_text_too_long_for_a_jpeg_is_refused() -> None:
    """A JPEG has room for so much; the sentence names what has more."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "PNG")
    with pytest.raises(RequestRefused, match=r"write a \.png"):
        in_format(ImageResult(buffer.getvalue(), 16, 16, 7, "x" * 40_000), ".jpg")
