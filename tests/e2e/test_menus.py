"""Remix and Image info on anybody's message: real client, real files, real texts of other programs."""

import io
import json
import zlib
from collections.abc import Sequence

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.discord_ui.actions import Action, read_ticket
from bot.sandbox.driver import Json, Person
from bot.sandbox.places import add_thread
from bot.sandbox.server import Loopback
from inference.api.infotext import exif_with
from inference.api.request import GenerationRequest
from storage.values import Image as Stored
from tests.e2e.easel import Studio, button_of, bytes_at, paint, parts_of, pictures_of, result_in, words_of
from tests.e2e.test_forms import fields_of

TEXT = (
    "a lighthouse at dusk\nNegative prompt: fog\n"
    "Steps: 9, Sampler: Euler, Schedule type: Karras, CFG scale: 5, Seed: 99, Size: 192x128, Model hash: 9876543210, "
    "Model: whatever, Face restoration: CodeFormer, Version: v1.10.1"
)
NOVELAI = {
    "Software": "NovelAI",
    "Description": "a fox in the snow",
    "Comment": json.dumps({"steps": 28, "sampler": "k_euler", "scale": 11.0, "seed": 5, "uc": "rain"}),
}


def picture(size: tuple[int, int] = (96, 64), **chunks: str) -> bytes:
    """A PNG of two colours with text chunks."""
    image = Image.new("RGB", size, (40, 90, 160))
    image.paste((200, 180, 60), (0, 0, size[0] // 2, size[1]))
    info = PngInfo()
    for name, text in chunks.items():
        info.add_text(name, text)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def webp(text: str) -> bytes:
    """A WebP whose EXIF comment is a parameter text."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "green").save(buffer, "WEBP", exif=exif_with(text))
    return buffer.getvalue()


def say(person: Person, *files: tuple[str, bytes], channel: str = "#paint") -> Json:
    """A message with files."""
    ids = [person.upload(data, name, channel=channel) for name, data in files]
    return person.say(channel, "look", files=ids)


async def used(person: Person, message: Json, command: str) -> Json:
    """The answer to a message command; only the person sees it."""
    answer = await (await person.message_menu(message, command)).answered()
    assert answer["flags"] & 64
    return answer


async def painted(studio: Studio, person: Person, channel: str, after: str) -> Sequence[Stored]:
    """The pictures of the next finished card there."""
    done = await result_in(person, channel, after=after)
    tickets = (read_ticket(part.get("custom_id", "")) for part in parts_of(done))
    ids = {ticket.id for ticket in tickets if ticket is not None and ticket.action in {Action.SINGLE, Action.PNG}}
    found = [await studio.easel.desk.db.images.get(number) for number in sorted(ids)]
    return [image for image in found if image is not None]


@pytest.mark.parametrize("place", ["#paint", "thread", "conversation"])
async def test_remix_paints_from_a_strangers_picture(
    quick: Studio, loopback: Loopback, ada: Person, ben: Person, place: str
) -> None:
    """In a server, a thread and a conversation, by somebody without rights: the form begins with what the picture tells, and
    begins the new one from it."""
    channel, author = place, ada
    if place == "thread":
        channel = add_thread(loopback.world, ada.channel("#paint"), "lighthouses", owner_id=ada.id).id
    if place == "conversation":
        channel, author = ben.open_dm(), ben
    said = say(author, ("photo.png", picture(parameters=TEXT)), channel=channel)
    card = await used(ben, said, "Remix")
    assert "96 × 64 px" in words_of(card)
    assert "a lighthouse at dusk" in words_of(card)
    form = await ben.click(card, button_of(card, Action.REMIX))
    before = fields_of(form)
    assert before == {
        "prompt": "a lighthouse at dusk",
        "negative": "fog",
        "worn": "",
        "strength": "0.75",
        "size": "96x64",
    }
    await (await ben.submit(form, {"prompt": "a tower", "strength": "0.5"})).answered()
    (image, *others) = await painted(quick, ben, channel, said["id"])
    assert len(others) == 3
    request = image.request
    assert isinstance(request, GenerationRequest)
    assert (request.prompt.positive, request.prompt.negative) == ("a tower", "fog")
    assert (request.sampling.sampler, request.sampling.steps, request.model.name) == ("euler", 9, "sunset")
    assert request.source is not None
    assert (request.source.denoising_strength, image.width, image.height) == (0.5, 96, 64)
    assert (image.person, image.kind, image.parent) == (int(ben.id), "remix", None)


async def test_remix_outlives_the_message(quick: Studio, ada: Person, ben: Person) -> None:
    """The pictures were copied: a message that is deleted meanwhile takes nothing away."""
    said = say(ada, ("a.png", picture()), ("b.png", picture((64, 96))))
    card = await used(ben, said, "Remix")
    ada.delete(said)
    menu = next(part for part in parts_of(card) if part["type"] == 3)
    other = [row["value"] for row in menu["options"]][1]
    await ben.select(card, menu["custom_id"], [other])
    await ben.until(lambda: (m := ben.message(card)) is not None and "64 × 96" in words_of(m))
    seen = ben.message(card)
    assert seen is not None
    await ben.click(seen, button_of(seen, Action.ZOOM))
    (image, *_) = await painted(quick, ben, "#paint", said["id"])
    assert (image.width, image.height, image.kind) == (64, 96, "zoom")


async def test_remix_of_our_own_card(quick: Studio, ada: Person, ben: Person) -> None:
    """Its pictures are known: no text is read, the new one is their child, and a deleted picture is gone here too."""
    card = await paint(ada, prompt="a red apple", seed="7", count=2)
    brought = await used(ben, card, "Remix")
    form = await ben.click(brought, button_of(brought, Action.REMIX))
    assert fields_of(form)["prompt"] == "a red apple"
    await (await ben.submit(form, {})).answered()
    parent = (await quick.easel.desk.db.images.of_message(int(card["id"])))[0]
    (child, *_) = await painted(quick, ben, "#paint", card["id"])
    assert child.parent == parent.id
    await quick.easel.desk.db.images.remove(parent.id)
    refusal = await (await ben.click(brought, button_of(brought, Action.REMIX))).answered()
    assert "That picture is gone" in words_of(refusal)


def bomb() -> bytes:
    """A PNG whose header claims 3.6 gigapixels, and is otherwise in order."""
    whole = picture()
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + whole[24:29]
    return whole[:12] + header + zlib.crc32(header).to_bytes(4, "big") + whole[33:]


HOSTILE: tuple[tuple[str, bytes, str], ...] = (
    ("words.txt", b"only words", "no picture in that message"),
    ("fake.png", b"not a picture at all", "not a PNG, JPEG or WebP"),
    ("cut.png", picture()[:60], "damaged"),
    ("bomb.png", bomb(), "At most 16 megapixels"),
)


async def test_hostile_files_are_a_sentence(quick: Studio, ada: Person, ben: Person) -> None:
    """What is no picture, is cut off or claims to be enormous is told to who asked, and to nobody else."""
    for name, data, sentence in HOSTILE:
        answer = await used(ben, say(ada, (name, data)), "Remix")
        assert sentence in words_of(answer).replace("\\", ""), name
        assert "on our side" not in words_of(await used(ben, say(ada, (name, data)), "Image info"))


async def test_nothing_is_fetched_from_elsewhere(quick: Studio, loopback: Loopback, ada: Person) -> None:
    """A card's author can write any address into it; only Discord's own are visited."""
    url = "http://127.0.0.1:9/secret.png"
    client = quick.easel.client
    sent = await client.http.send_message(
        int(ada.channel("#paint")),
        params=_embed(url),
    )
    message = ada.message(str(sent["id"]))
    assert message is not None
    answer = await used(ada, message, "Remix")
    assert "outside Discord" in words_of(answer)


def _embed(url: str):
    import discord
    from discord.http import handle_message_parameters

    return handle_message_parameters(embed=discord.Embed().set_image(url=url))


async def test_image_info_reads_every_picture(quick: Studio, ada: Person, ben: Person) -> None:
    """The webui's PNG, a WebP, NovelAI's and one without a text, each by its name; three can be painted."""
    said = say(
        ada,
        ("webui.png", picture(parameters=TEXT)),
        ("small.webp", webp("a pond\nSteps: 4, Sampler: Euler a, CFG scale: 7, Seed: 3, Size: 64x64")),
        ("novel.png", picture((96, 64), **NOVELAI)),
        ("bare.png", picture()),
        ("flow.png", picture(workflow="{}")),
    )
    answer = await used(ben, said, "Image info")
    words = words_of(answer).replace("\\", "")
    for piece in ("a lighthouse at dusk", "a pond", "a fox in the snow", "carries no parameters", "ComfyUI workflow"):
        assert piece in words
    buttons = [part["label"] for part in parts_of(answer) if part["type"] == 2]
    assert buttons == ["Paint 1 here", "Paint 2 here", "Paint 3 here"]


async def test_paint_it_here(quick: Studio, ada: Person, ben: Person) -> None:
    """Files are found by hash before names; what cannot be honoured is said in words, to who pressed."""
    said = say(ada, ("webui.png", picture(parameters=TEXT)))
    answer = await used(ben, said, "Image info")
    ada.delete(said)
    await ben.click(answer, button_of(answer, Action.PAINT_HERE))
    (image,) = await painted(quick, ben, "#paint", said["id"])
    request = image.request
    assert isinstance(request, GenerationRequest)
    assert request.model.name == "sunset", "its hash is the text's; no file is called “whatever”"
    assert (request.sampling.sampler, request.sampling.schedule, request.seeds.seed) == ("euler", "karras", 99)
    assert (image.width, image.height, image.person) == (192, 128, int(ben.id))
    told = await ben.wait_for_message("#paint", lambda m: "Not everything" in words_of(m), after=said["id"])
    assert "face restorer “CodeFormer” is not here" in words_of(told)
    assert told["flags"] & 64


REFUSED: tuple[tuple[str, str], ...] = (
    ("a naked child\nSteps: 4, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64", "sexualises minors"),
    ("a cat\nSteps: 4, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 4096x4096", "megapixels allowed here"),
)


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
async def test_a_text_is_held_to_the_rules(quick: Studio, ada: Person, text: str, sentence: str) -> None:
    """Nothing that may not be painted comes in through a file."""
    answer = await used(ada, say(ada, ("a.png", picture(parameters=text))), "Image info")
    refusal = await (await ada.click(answer, button_of(answer, Action.PAINT_HERE))).answered()
    assert sentence in words_of(refusal)


async def test_image_info_without_a_text_is_kind(quick: Studio, ada: Person, ben: Person) -> None:
    """It says what was found, which programs are read, and what to send instead; no button leads nowhere."""
    bare = words_of(await used(ben, say(ada, ("bare.png", picture())), "Image info"))
    assert "carries no parameters" in bare
    assert "AUTOMATIC1111 and Forge" in bare
    none = await used(ben, ada.say("#paint", "only words"), "Image info")
    assert "no picture in that message" in words_of(none)
    assert "NovelAI" in words_of(none)
    assert not [part for part in parts_of(none) if part["type"] == 2]


async def test_image_info_of_our_own_card(quick: Studio, ada: Person, ben: Person) -> None:
    """What was painted here is read from our memory: the text of every picture, with nothing lost to WebP."""
    card = await paint(ada, prompt="a red apple", seed="7", count=2)
    answer = await used(ben, card, "Image info")
    words = words_of(answer)
    assert "Seed: 7" in words
    assert "Seed: 8" in words


async def test_a_long_text_comes_as_a_file(quick: Studio, ada: Person) -> None:
    """The card shows its beginning, and the file has all of it."""
    text = f"{'a lighthouse, ' * 400}\nSteps: 4, Sampler: Euler, CFG scale: 7, Seed: 3, Size: 64x64"
    said = say(ada, ("long.png", picture(parameters=text)))
    await used(ada, said, "Image info")
    file = await ada.wait_for_message("#paint", lambda m: "whole text" in m["content"], after=said["id"])
    assert await bytes_at(file["attachments"][0]["url"]) == text.encode()


async def test_remix_shows_the_picture_itself(quick: Studio, ada: Person) -> None:
    """What is shown is our own copy, not the file that somebody sent."""
    card = await used(ada, say(ada, ("photo.png", picture(parameters=TEXT))), "Remix")
    (url,) = pictures_of(card)
    shown = await bytes_at(url)
    assert shown[8:12] == b"WEBP"
    assert b"lighthouse" not in shown
    actions = {ticket.action for part in parts_of(card) if (ticket := read_ticket(part.get("custom_id", "")))}
    assert actions == {Action.REMIX, Action.REGION, Action.ZOOM, Action.MOVE, Action.CONTROL_FROM}
