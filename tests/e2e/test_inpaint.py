"""/inpaint, the nine regions, zooming out and moving: real client, real SQLite, and what reaches the painter."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Json, Person
from bot.sandbox.server import Loopback
from inference.api.request import GenerationRequest, SourcePicture, attachments_of
from storage.values import Image as Stored
from tests.e2e.easel import Studio, button_of, bytes_at, paint, parts_of, pictures_of, settings_in, studio_at, words_of
from tests.e2e.test_forms import fields_of
from tests.e2e.test_menus import painted, picture

SIZE = (128, 96)


def grey(size: tuple[int, int], white: tuple[int, int, int, int] | None, *, mode: str = "L") -> bytes:
    """A mask that is white in a box; with mode RGBA its alpha says so."""
    level = Image.new("L", size, 0)
    if white is not None:
        level.paste(255, white)
    image = level if mode == "L" else Image.merge("RGBA", (*(Image.new("L", size) for _ in range(3)), level))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def source_of(image: Stored) -> SourcePicture:
    """What a picture was painted over."""
    assert isinstance(image.request, GenerationRequest)
    assert image.request.source is not None
    return image.request.source


async def files_of(studio: Studio, image: Stored) -> list[Image.Image]:
    """The source and the mask that the painter was given."""
    sources = await studio.easel.desk.db.jobs.sources(image.job)
    return [Image.open(io.BytesIO(sources[sha256])) for sha256 in attachments_of(image.request)]


async def inpaint(person: Person, channel: str, **options: Any) -> Json:
    """The answer to /inpaint."""
    given = {"picture": ("photo.png", picture(SIZE)), "prompt": "a boat"} | options
    return await (await person.slash("inpaint", channel, **given)).answered()


async def test_a_mask_that_is_attached(quick: Studio, ben: Person) -> None:
    """Every option reaches the painter, in a conversation too; alpha is read where colour says nothing."""
    channel = ben.open_dm()
    mask = ("mask.png", grey(SIZE, (0, 0, 64, 96), mode="RGBA"))
    options = {
        "content": "latent noise",
        "area": "only masked",
        "padding": 16,
        "blur": 2,
        "soft": True,
        "strength": 0.9,
    }
    asked = await inpaint(ben, channel, mask=mask, count=1, seed="5", negative="fog", **options)
    assert "a boat" in words_of(asked)
    (image,) = await painted(quick, ben, channel, "0")
    source = source_of(image)
    assert source.inpaint is not None
    part = source.inpaint
    assert (part.content, part.only_masked, part.padding, part.blur) == ("latent noise", True, 16, 2)
    assert (part.rounded, part.invert, source.denoising_strength) == (False, False, 0.9)
    assert (image.seed, image.width, image.height, image.kind) == (5, *SIZE, "inpaint")
    _, stencil = await files_of(quick, image)
    assert stencil.mode == "RGBA"
    assert stencil.getchannel("A").getbbox() == (0, 0, 64, 96)


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"mask": ("m.png", grey((64, 64), (0, 0, 9, 9)))}, "they must have the same shape"),
    ({"mask": ("m.png", grey(SIZE, None))}, "paint white over what shall change"),
    ({"mask": ("m.png", grey(SIZE, (0, 0, *SIZE))), "invert": True}, "leave a part black"),
    ({"mask": ("m.png", b"no mask")}, "not a PNG, JPEG or WebP"),
    ({"mask": ("m.png", grey(SIZE, (0, 0, 9, 9))), "blur": 65}, "Mask blur must be between 0 and 64"),
    ({"mask": ("m.png", grey(SIZE, (0, 0, 9, 9))), "padding": -1}, "Padding must be between 0 and 256"),
    ({"mask": ("m.png", grey(SIZE, (0, 0, 9, 9))), "strength": 1.5}, "between 0 and 1"),
    ({"mask": ("m.png", grey(SIZE, (0, 0, 9, 9))), "prompt": "a naked child"}, "sexualises minors"),
    ({"picture": ("a.txt", b"words")}, "not a PNG, JPEG or WebP"),
)


async def test_bad_masks_are_a_sentence(quick: Studio, ada: Person) -> None:
    """What does not fit, hides nothing or is no picture is said, and nothing is queued."""
    for options, sentence in REFUSED:
        answer = await inpaint(ada, "#paint", **options)
        assert sentence in words_of(answer).replace("\\", ""), options
        assert answer["flags"] & 64
    assert quick.easel.desk.dispatcher.queue() == ()


async def test_nine_regions_by_buttons(quick: Studio, ben: Person) -> None:
    """Without a mask the regions are chosen on a preview that shows them; the prompt waits in the form."""
    card = await inpaint(ben, "#paint")
    assert card["flags"] & 64
    onward = button_of(card, Action.REGION_WORDS)
    assert next(part for part in parts_of(card) if part.get("custom_id") == onward)["disabled"]
    for region in (4, 0):
        before = ben.message(card)
        assert before is not None
        await ben.click(before, button_of(before, Action.CELL, region))
        await ben.until(lambda old=before: (m := ben.message(card)) is not None and words_of(m) != words_of(old))
    shown = ben.message(card)
    assert shown is not None
    assert "top left, middle" in words_of(shown)
    (url,) = pictures_of(shown)
    with Image.open(io.BytesIO(await bytes_at(url))) as preview:
        seen = preview.convert("RGB")
        chosen, kept = seen.getpixel((40, 40)), seen.getpixel((40, seen.height - 40))
    assert chosen != kept
    form = await ben.click(shown, button_of(shown, Action.REGION_WORDS))
    assert fields_of(form)["prompt"] == "a boat"
    await (await ben.submit(form, {"content": ["fill"], "area": "masked", "strength": "0.6"})).answered()
    (image, *others) = await painted(quick, ben, "#paint", "0")
    assert len(others) == 3
    source = source_of(image)
    assert source.inpaint is not None
    assert (source.inpaint.content, source.inpaint.only_masked, source.denoising_strength) == ("fill", True, 0.6)
    _, stencil = await files_of(quick, image)
    corners = [stencil.getpixel(place) for place in ((5, 5), (64, 48), (64, 5), (120, 90))]
    assert corners == [255, 255, 0, 0]


async def test_regions_of_our_own_picture(quick: Studio, ada: Person, ben: Person) -> None:
    """Whoever presses is charged; the new pictures are children of the one whose region it was."""
    card = await paint(ada, prompt="a red apple", count=1, seed="7")
    picker = await (await ben.click(card, button_of(card, Action.REGION))).answered()
    form = await ben.click(picker, button_of(picker, Action.CELL, 8))
    seen = await ben.until(lambda: m if (m := ben.message(picker)) and "bottom right" in words_of(m) else None)
    form = await ben.click(seen, button_of(seen, Action.REGION_WORDS))
    before = fields_of(form)
    assert (before["prompt"], before["content"], before["area"]) == ("a red apple", "original", "whole")
    refusal = await (await ben.submit(form, {"prompt": "a worm", "strength": "much"})).answered()
    assert "Strength must be a number" in words_of(refusal)
    form = await ben.click(refusal, button_of(refusal, Action.REOPEN))
    assert fields_of(form)["prompt"] == "a worm"
    await (await ben.submit(form, {"strength": "1"})).answered()
    (child, *_) = await painted(quick, ben, "#paint", card["id"])
    parent = (await quick.easel.desk.db.images.of_message(int(card["id"])))[0]
    assert (child.parent, child.person, child.seed == 7) == (parent.id, int(ben.id), False)


async def test_all_nine_are_no_region(quick: Studio, ada: Person) -> None:
    """The whole picture is another button's; the sentence says which."""
    card = await inpaint(ada, "#paint")
    for region in range(9):
        now = await ada.until(lambda n=region: m if (m := ada.message(card)) and _chosen(m) == n else None)
        await ada.click(now, button_of(now, Action.CELL, region))
    now = await ada.until(lambda: m if (m := ada.message(card)) and _chosen(m) == 9 else None)
    refusal = await (await ada.click(now, button_of(now, Action.REGION_WORDS))).answered()
    assert "That is the whole picture" in words_of(refusal)


def _chosen(message: Json) -> int:
    """How many regions are chosen on a card."""
    return sum(part["type"] == 2 and part["style"] == 1 for part in parts_of(message))


async def test_regions_outlive_a_restart(discord_here: None, loopback: Loopback, tmp_path: Path, ada: Person) -> None:
    """The chosen regions and the picture wait in the database."""
    async with studio_at(settings_in(tmp_path), token=loopback.token):
        card = await inpaint(ada, "#paint")
        await ada.click(card, button_of(card, Action.CELL, 4))
        await ada.until(lambda: (m := ada.message(card)) is not None and "middle" in words_of(m))
    async with studio_at(settings_in(tmp_path), token=loopback.token) as studio:
        seen = ada.message(card)
        assert seen is not None
        await ada.click(seen, button_of(seen, Action.CELL, 4))
        await ada.until(lambda: (m := ada.message(card)) is not None and "Nothing yet" in words_of(m))
        assert studio.easel.desk.dispatcher.queue() == ()


async def test_zooming_out(quick: Studio, ada: Person, ben: Person) -> None:
    """The old picture lies smaller in the middle of a sheet of its size; all around it is painted, with fresh noise."""
    card = await paint(ada, prompt="a red apple", count=1, seed="7")
    await ben.click(card, button_of(card, Action.ZOOM, 1))
    (image, *others) = await painted(quick, ben, "#paint", card["id"])
    assert len(others) == 3
    assert (image.width, image.height, image.kind, image.person) == (128, 128, "zoom", int(ben.id))
    assert image.seed != 7
    whole, mask = await files_of(quick, image)
    assert whole.size == mask.size == (128, 128)
    assert [mask.getpixel(place) for place in ((2, 2), (30, 64), (64, 64))] == [255, 255, 0]
    part = source_of(image).inpaint
    assert part is not None
    assert (part.content, part.only_masked) == ("fill", False)


async def test_moving(quick: Studio, ada: Person) -> None:
    """The sheet grows on that side, and only what is new is painted, at the size of the picture."""
    card = await paint(ada, prompt="a red apple", count=1, seed="7")
    for number, white in enumerate(((10, 64), (64, 10), (64, 180), (180, 64))):
        newest = max((message["id"] for message in ada.messages("#paint")), key=int)
        await ada.click(card, button_of(card, Action.MOVE, number))
        (image, *_) = await painted(quick, ada, "#paint", newest)
        whole, mask = await files_of(quick, image)
        assert whole.size == mask.size == ((192, 128) if number in {0, 3} else (128, 192))
        assert mask.getpixel(white) == 255
        part = source_of(image).inpaint
        assert part is not None
        assert part.only_masked
        assert isinstance(image.request, GenerationRequest)
        assert image.request.size == (128, 128)


async def test_an_enlargement_goes_on_in_the_manner_of_its_text(quick: Studio, ada: Person) -> None:
    """It has no request of its own to paint with; its text tells one."""
    card = await paint(ada, prompt="a red apple", negative="fog", count=1, seed="7")
    await ada.submit(await ada.click(card, button_of(card, Action.UPSCALE)))
    (large,) = await painted(quick, ada, "#paint", card["id"])
    enlarged = await ada.wait_for_message("#paint", pictures_of, after=card["id"])
    await ada.click(enlarged, button_of(enlarged, Action.ZOOM))
    (image, *_) = await painted(quick, ada, "#paint", enlarged["id"])
    assert isinstance(image.request, GenerationRequest)
    assert (image.request.prompt.positive, image.request.prompt.negative) == ("a red apple", "fog")
    assert (image.width, image.height, image.parent) == (256, 256, large.id)
