"""Making pictures larger: command, message menu, form and buttons, with the real client, real SQLite and real files."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Json, Person
from bot.sandbox.server import Loopback
from inference.api.enlarging import UpscaleRequest
from inference.api.redraw import SdUpscale, SeamFix, UltimateUpscale
from inference.api.request import GenerationRequest
from inference.api.result import Inventory, ModelFile
from inference.client.fake import FAKE_INVENTORY, FakeBackend
from storage.values import Image as Stored
from tests.e2e.easel import (
    Studio,
    button_of,
    paint,
    parts_of,
    pictures_of,
    result_in,
    settings_in,
    studio_at,
    words_of,
)
from tests.e2e.test_forms import fields_of
from tests.e2e.test_menus import painted, picture, say, used

NETWORK = "4x-sharp"
TEXT = (
    "a lighthouse at dusk\nNegative prompt: fog\n"
    "Steps: 3, Sampler: Euler, Schedule type: Karras, CFG scale: 5, Seed: 99, Size: 96x64, Model: gradient, Version: v1.10.1"
)


def shelf(*names: str) -> Inventory:
    """The painter's usual shelf with networks of these names."""
    files = tuple(ModelFile(name, f"models/ESRGAN/{name}.pth", "", "unknown") for name in names)
    return msgspec.structs.replace(FAKE_INVENTORY, upscalers=files)


@pytest.fixture
async def sharp(discord_here: None, loopback: Loopback, tmp_path: Path):
    """A studio whose painter has a network and is done at once."""
    painter = FakeBackend(inventory=shelf(NETWORK, "2x-soft"))
    async with studio_at(settings_in(tmp_path), token=loopback.token, painter=painter) as studio:
        yield studio


async def upscale(person: Person, channel: str = "#paint", **options: Any) -> Json:
    """The answer to /upscale."""
    given = {"picture": ("photo.png", picture((96, 64)))} | options
    return await (await person.slash("upscale", channel, **given)).answered()


async def refused(person: Person, **options: Any) -> str:
    """The sentence that answers /upscale, for the person alone, however long its picture took to be looked at."""
    newest = max((message["id"] for message in person.messages("#paint")), key=int, default="0")
    await person.slash("upscale", "#paint", **({"picture": ("photo.png", picture((96, 64)))} | options))
    answer = await person.wait_for_message(
        "#paint", lambda message: message["flags"] & 64 and words_of(message), after=newest
    )
    return words_of(answer).replace("\\", "")


async def made(studio: Studio, person: Person, channel: str, after: str = "0") -> Stored:
    """The one picture of the next finished card."""
    (image,) = await painted(studio, person, channel, after)
    return image


# -- the command ------------------------------------------------------------------------------------------------------


async def test_twice_with_the_first_network(sharp: Studio, ben: Person) -> None:
    """Nothing but a picture: twice as large, the text of its file kept, credited to who asked."""
    asked = await upscale(ben, picture=("photo.png", picture((96, 64), parameters=TEXT)))
    assert "a lighthouse at dusk" in words_of(asked)
    image = await made(sharp, ben, "#paint")
    request = image.request
    assert isinstance(request, UpscaleRequest)
    assert (request.upscaler, request.scale, request.infotext) == (NETWORK, 2.0, TEXT)
    assert (image.width, image.height, image.kind, image.person) == (192, 128, "upscale", int(ben.id))


async def test_every_option_of_an_enlargement(sharp: Studio, ben: Person) -> None:
    """Size, crop and a second upscaler reach the painter, in a conversation too."""
    channel = ben.open_dm()
    await upscale(
        ben, channel, upscaler="2X-soft", size="256x256", crop=True, second="Lanczos", visibility=0.25, private=True
    )
    image = await made(sharp, ben, channel)
    request = image.request
    assert isinstance(request, UpscaleRequest)
    assert (request.upscaler, request.size, request.crop) == ("2x-soft", (256, 256), True)
    assert (request.second, request.second_visibility) == ("lanczos", 0.25)
    assert (image.width, image.height) == (256, 256)


async def test_a_size_without_crop_keeps_the_whole_picture(sharp: Studio, ben: Person) -> None:
    """It fits inside: 96 × 64 within 300 × 300 are 300 × 200, in whole eights."""
    await upscale(ben, size="300 x 300")
    image = await made(sharp, ben, "#paint")
    assert (image.width, image.height) == (296, 200)


async def test_redrawn_in_tiles_by_its_own_text(sharp: Studio, ben: Person) -> None:
    """Prompt, seed, sampler and model are the picture's own; tiles, seams and order as asked."""
    options = {
        "method": "tiles",
        "factor": 3,
        "tile": 100,
        "padding": 16,
        "blur": 4,
        "order": "chess",
        "seams": "intersections",
        "strength": 0.5,
    }
    await upscale(ben, picture=("photo.png", picture((96, 64), parameters=TEXT)), **options)
    image = await made(sharp, ben, "#paint")
    request = image.request
    assert isinstance(request, GenerationRequest)
    assert request.redraw == UltimateUpscale(
        (320, 192),
        upscaler=NETWORK,
        order="chess",
        tile=(104, 104),
        mask_blur=4,
        padding=16,
        seams=SeamFix("intersections"),
    )
    assert (request.prompt.positive, request.prompt.negative, request.seeds.seed) == ("a lighthouse at dusk", "fog", 99)
    assert (request.sampling.sampler, request.sampling.steps, request.model.name) == ("euler", 3, "gradient")
    assert request.source is not None
    assert request.source.denoising_strength == 0.5
    assert (image.width, image.height, image.seed) == (320, 192, 99)
    assert "Ultimate SD upscale tile_width: 104" in image.infotext


async def test_redrawn_by_other_words(sharp: Studio, ben: Person) -> None:
    """A prompt, a seed and steps of one's own; SD upscale's tiles are as large as the model's pictures."""
    await upscale(ben, method="sd", prompt="a boat {|}", negative="rain", seed="5", steps=6, overlap=8)
    image = await made(sharp, ben, "#paint")
    request = image.request
    assert isinstance(request, GenerationRequest)
    assert request.redraw == SdUpscale((192, 128), upscaler=NETWORK, overlap=8)
    assert (request.prompt.positive.strip(), request.prompt.negative) == ("a boat", "rain")
    assert (request.seeds.seed, request.sampling.steps) == (5, 6)
    assert (request.canvas.width, request.canvas.height) == (128, 128)


async def test_what_moves_gives_its_first_frame(sharp: Studio, ben: Person) -> None:
    """A GIF is taken, and the card says that only its first frame was."""
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    await upscale(ben, picture=("dance.gif", buffer.getvalue()))
    image = await made(sharp, ben, "#paint")
    card = await ben.wait_for_message("#paint", lambda m: pictures_of(m) and "first frame" in words_of(m))
    assert "It moves; only its first frame was taken" in words_of(card)
    with Image.open(io.BytesIO(await sharp.easel.desk.db.images.data(image.id))) as large:
        assert large.convert("RGB").getpixel((60, 60)) == (255, 0, 0)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header says that it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def plain(size: tuple[int, int]) -> bytes:
    """A real PNG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "PNG")
    return buffer.getvalue()


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"picture": ("a.png", b"no picture")}, "not a PNG, JPEG, WebP or GIF picture"),
    ({"picture": ("a.txt", b"words")}, "not a PNG, JPEG, WebP or GIF picture"),
    ({"picture": ("a.png", plain((8, 8)))}, "too small to be enlarged"),
    ({"picture": ("a.png", plain((20_000, 10)))}, "too small to be enlarged"),
    ({"picture": ("a.png", plain((9000, 20)))}, "no side may be longer than 16,383"),
    ({"picture": ("a.png", bomb(60_000, 60_000))}, "At most 16 megapixels"),
    ({"picture": ("a.png", plain((2048, 2048))), "factor": 16}, "enlarged 1 to 8 times, not 16"),
    ({"picture": ("a.png", plain((2048, 2048))), "factor": 2}, "more than the 4.2 megapixels allowed here"),
    (
        {"picture": ("a.png", plain((2048, 2048))), "factor": 16, "method": "tiles", "prompt": "sea"},
        "megapixels allowed",
    ),
    ({"factor": 1}, "choose a factor over 1"),
    ({"factor": 2, "size": "512x512"}, "not both"),
    ({"size": "large"}, "is not a size"),
    ({"size": "80x60"}, "does not grow to fit"),
    ({"upscaler": "5x-gone"}, "There is no upscaler called “5x-gone”"),
    ({"second": "5x-gone"}, "There is no upscaler called “5x-gone”"),
    ({"visibility": 0.5}, "Visibility is of the second upscaler"),
    ({"second": "Lanczos", "visibility": 1.5}, "visibility must be between 0 and 1"),
    ({"method": "tiles"}, "say in the prompt what it shows"),
    ({"method": "tiles", "prompt": "sea", "factor": 17}, "redrawn 1 to 16 times"),
    ({"method": "tiles", "prompt": "sea", "tile": 32}, "A tile has 64 to 2,048 pixels"),
    ({"method": "tiles", "prompt": "sea", "padding": 513}, "Padding must be between"),
    ({"method": "tiles", "prompt": "sea", "strength": 2}, "Strength must be between 0 and 1"),
    ({"method": "tiles", "prompt": "sea", "steps": 99}, "At most 60 steps"),
    ({"method": "tiles", "prompt": "sea", "model": "nothing"}, "no model called “nothing”"),
    ({"method": "sd", "prompt": "a naked child"}, "sexualises minors"),
    (
        {"picture": ("a.png", picture((96, 64), parameters="a naked child\nSteps: 3, Sampler: Euler, Seed: 1"))},
        "minors",
    ),
)


async def test_what_cannot_be_is_a_sentence(sharp: Studio, ada: Person) -> None:
    """Every refusal says what was wrong and comes before anything is queued."""
    for options, sentence in REFUSED:
        assert sentence in (await refused(ada, **options)), options
    assert sharp.easel.desk.dispatcher.queue() == ()


async def test_what_is_announced_as_too_heavy_is_not_fetched(sharp: Studio, loopback: Loopback, ada: Person) -> None:
    """Half a gigabyte by what Discord says of it: refused by its size alone."""
    number = ada.upload(picture((96, 64)), "photo.png", channel="#paint")
    loopback.world.attachments[number].size = 500 * 2**20
    assert "500.0 MiB; at most 10 MiB can be used" in await refused(ada, picture=number)


async def test_more_networks_than_a_list_holds(
    discord_here: None, loopback: Loopback, tmp_path: Path, ada: Person
) -> None:
    """Sixty networks: twenty-five are suggested, every one is found by typing, and the form takes its name."""
    names = [f"net-{number:02}" for number in range(60)]
    painter = FakeBackend(inventory=shelf(*names))
    async with studio_at(settings_in(tmp_path), token=loopback.token, painter=painter) as studio:
        every = await ada.autocomplete("upscale", "#paint", "upscaler", "")
        assert len(every) == 25
        assert [each["value"] for each in await ada.autocomplete("upscale", "#paint", "upscaler", "57")] == ["net-57"]
        found = await ada.autocomplete("upscale", "#paint", "second", "lan")
        assert [each["value"] for each in found] == ["lanczos"]
        card = await paint(ada, count=1)
        form = await ada.click(card, button_of(card, Action.UPSCALE))
        await (await ada.submit(form, {"upscaler": "net-43"})).answered()
        image = await made(studio, ada, "#paint", card["id"])
        assert isinstance(image.request, UpscaleRequest)
        assert image.request.upscaler == "net-43"


async def test_a_servers_own_limit_holds(sharp: Studio, ada: Person, ben: Person) -> None:
    """Fewer megapixels in this server, for enlargements and tiles alike."""
    form = await ada.slash("admin limits", "#paint")
    await (await ada.submit(form, {"megapixels": "0.1"})).answered()
    for options in ({"factor": 8}, {"method": "tiles", "prompt": "sea", "factor": 8}):
        assert "0.1 megapixels allowed here" in await refused(ben, **options)


# -- buttons, reaction and form ---------------------------------------------------------------------------------------


async def test_the_form_behind_the_button(sharp: Studio, ada: Person, ben: Person) -> None:
    """It begins as it is mostly sent; whoever sends it is charged, and the new picture is a child of the old one."""
    card = await paint(ada, prompt="a red apple", seed="7", count=1)
    form = await ben.click(card, button_of(card, Action.UPSCALE))
    assert fields_of(form) == {
        "upscaler": NETWORK,
        "large": "2x",
        "method": "enlarge",
        "strength": "0.35",
        "prompt": "a red apple",
    }
    await (await ben.submit(form, {"upscaler": ["Lanczos"], "large": "384x384"})).answered()
    image = await made(sharp, ben, "#paint", card["id"])
    (parent,) = await sharp.easel.desk.db.images.of_message(int(card["id"]))
    assert isinstance(image.request, UpscaleRequest)
    assert (image.request.upscaler, image.width, image.parent) == ("lanczos", 384, parent.id)
    assert (image.person, image.prompt) == (int(ben.id), "a red apple")


async def test_the_form_redraws_by_the_pictures_own_request(sharp: Studio, ada: Person) -> None:
    """Its seed and words, unless the form says others; what was typed is there again where it is refused."""
    card = await paint(ada, prompt="a red apple", negative="fog", seed="7", count=1)
    form = await ada.click(card, button_of(card, Action.UPSCALE))
    refusal = await (await ada.submit(form, {"method": "tiles", "large": "a lot", "strength": "0.5"})).answered()
    assert "says neither how many times nor how large" in words_of(refusal)
    form = await ada.click(refusal, button_of(refusal, Action.REOPEN))
    again = fields_of(form)
    assert (again["large"], again["method"], again["strength"]) == ("a lot", "tiles", "0.5")
    await (await ada.submit(form, {"large": "2", "prompt": "a green apple"})).answered()
    image = await made(sharp, ada, "#paint", card["id"])
    request = image.request
    assert isinstance(request, GenerationRequest)
    assert (request.prompt.positive, request.prompt.negative, request.seeds.seed) == ("a green apple", "fog", 7)
    assert request.redraw == UltimateUpscale((256, 256), upscaler=NETWORK, tile=(128, 128))


async def test_a_redrawn_picture_has_its_buttons(sharp: Studio, ada: Person) -> None:
    """Varied, painted again, moved and enlarged once more: each works on it as on any picture."""
    card = await paint(ada, prompt="a red apple", seed="7", count=1)
    form = await ada.click(card, button_of(card, Action.UPSCALE))
    await (await ada.submit(form, {"method": "tiles"})).answered()
    newest = await result_in(ada, "#paint", after=card["id"])
    for action in (Action.AGAIN, Action.VARY_STRONG, Action.ZOOM):
        before = ada.messages("#paint")[-1]["id"]
        await ada.click(newest, button_of(newest, action))
        (image, *_) = await painted(sharp, ada, "#paint", before)
        assert isinstance(image.request, GenerationRequest)
        assert (image.request.redraw is None) is (action is Action.ZOOM)
    form = await ada.click(newest, button_of(newest, Action.UPSCALE))
    assert fields_of(form)["prompt"] == "a red apple"


async def test_a_reaction_enlarges_at_once(sharp: Studio, ada: Person, ben: Person) -> None:
    """⬆️ asks nothing: twice as large, for who reacted."""
    card = await paint(ada, count=1)
    ben.react(card, "⬆️")
    image = await made(sharp, ben, "#paint", card["id"])
    assert (image.width, image.person) == (256, int(ben.id))


async def test_a_network_that_was_deleted_since(sharp: Studio, ada: Person) -> None:
    """The form was opened when it was there; a sentence says that it is not any more."""
    card = await paint(ada, count=1)
    form = await ada.click(card, button_of(card, Action.UPSCALE))
    sharp.painter.inventory = shelf("2x-soft")  # type: ignore[attr-defined]
    await sharp.painter.refresh()
    refusal = await (await ada.submit(form)).answered()
    assert f"There is no upscaler called “{NETWORK}”" in words_of(refusal).replace("\\", "")


# -- the message menu -------------------------------------------------------------------------------------------------


async def test_any_message_of_anybody(sharp: Studio, ada: Person, ben: Person) -> None:
    """A stranger's photo: shown to who asked alone, enlarged by a button, its text kept; the message may go meanwhile."""
    said = say(ada, ("photo.png", picture((96, 64), parameters=TEXT)))
    card = await used(ben, said, "Upscale")
    assert "96 × 64 px" in words_of(card)
    ada.delete(said)
    await ben.click(card, button_of(card, Action.UPSCALE_BY, 1))
    image = await made(sharp, ben, "#paint", said["id"])
    assert isinstance(image.request, UpscaleRequest)
    assert (image.width, image.request.infotext, image.parent) == (384, TEXT, None)


async def test_the_menus_form_asks_for_words(sharp: Studio, ada: Person, ben: Person) -> None:
    """Without parameters there is no prompt to begin with; with one the picture is redrawn."""
    card = await used(ben, say(ada, ("photo.png", picture((96, 64)))), "Upscale")
    assert "It carries no parameters" in words_of(card)
    form = await ben.click(card, button_of(card, Action.UPSCALE))
    assert fields_of(form)["prompt"] == ""
    refusal = await (await ben.submit(form, {"method": "tiles"})).answered()
    assert "say in the prompt what it shows" in words_of(refusal)
    form = await ben.click(refusal, button_of(refusal, Action.REOPEN))
    await (await ben.submit(form, {"prompt": "two fields"})).answered()
    image = await made(sharp, ben, "#paint", card["id"])
    assert isinstance(image.request, GenerationRequest)
    assert image.request.prompt.positive == "two fields"


async def test_several_pictures_of_a_message(sharp: Studio, ada: Person, ben: Person) -> None:
    """One is shown, the others are chosen from a menu; what cannot be used is said."""
    said = say(ada, ("a.png", picture((96, 64))), ("broken.png", b"\x89PNG\r\n\x1a\n"), ("b.png", picture((64, 96))))
    card = await used(ben, said, "Upscale")
    assert "1 more picture could not be used" in words_of(card)
    menu = next(part for part in parts_of(card) if part["type"] == 3)
    await ben.select(card, menu["custom_id"], [menu["options"][1]["value"]])
    shown = await ben.until(lambda: m if (m := ben.message(card)) and "64 × 96 px" in words_of(m) else None)
    await ben.click(shown, button_of(shown, Action.UPSCALE_BY))
    image = await made(sharp, ben, "#paint", said["id"])
    assert (image.width, image.height) == (128, 192)


async def test_our_own_card_in_the_menu(sharp: Studio, ada: Person, ben: Person) -> None:
    """Our pictures are taken as they were painted, and stay the parents of what comes of them."""
    card = await paint(ada, prompt="a red apple", count=2)
    shown = await used(ben, card, "Upscale")
    await ben.click(shown, button_of(shown, Action.UPSCALE_BY))
    image = await made(sharp, ben, "#paint", card["id"])
    (parent, _) = await sharp.easel.desk.db.images.of_message(int(card["id"]))
    assert (image.parent, image.width) == (parent.id, 256)


async def test_a_message_without_a_picture(sharp: Studio, ada: Person, ben: Person) -> None:
    """It says what can be enlarged."""
    assert "no picture in that message" in words_of(await used(ben, ada.say("#paint", "only words"), "Upscale"))
