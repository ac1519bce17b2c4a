"""/regions: words for places, on a card with a map, and what reaches the painter: real client, real SQLite."""

import io

from PIL import Image

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Json, Person
from inference.api.request import GenerationRequest
from tests.e2e.easel import Studio, button_of, bytes_at, parts_of, pictures_of, words_of
from tests.e2e.test_forms import fields_of
from tests.e2e.test_menus import painted


async def opened(person: Person, **options: object) -> Json:
    """The card that /regions answers with."""
    return await (await person.slash("regions", "#paint", **options)).answered()


async def changed(person: Person, card: Json) -> Json:
    """The card once it says something else."""
    before = words_of(card)
    await person.until(lambda: (m := person.message(card)) is not None and words_of(m) != before)
    found = person.message(card)
    assert found is not None
    return found


def brush(card: Json) -> Json:
    """The button that paints."""
    paint = button_of(card, Action.PLACES_PAINT)
    return next(part for part in parts_of(card) if part.get("custom_id") == paint)


def request_of(image: object) -> GenerationRequest:
    """What was painted."""
    request = image.request  # type: ignore[attr-defined]
    assert isinstance(request, GenerationRequest)
    return request


async def test_sides_by_options(quick: Studio, ben: Person) -> None:
    """The map is shown before anything is painted; 🎨 paints an AND prompt with the extension's regions; ✏️ shows the places."""
    card = await opened(
        ben, left="a red cat", right="a blue dog", everywhere="in a meadow", aspect="3:2", count=1, seed="5", feather=0
    )
    assert card["flags"] & 64
    assert "**1** left: a red cat" in words_of(card)
    assert "Everywhere: in a meadow" in words_of(card)
    with Image.open(io.BytesIO(await bytes_at(pictures_of(card)[0]))) as opened_map:
        drawn = opened_map.convert("RGB")
        assert drawn.width > drawn.height
        assert drawn.getpixel((20, 20)) != drawn.getpixel((drawn.width - 20, 20))
    await (await ben.click(card, button_of(card, Action.PLACES_PAINT))).answered()
    (image,) = await painted(quick, ben, "#paint", "0")
    request = request_of(image)
    assert request.prompt.positive == "in a meadow AND a red cat, in a meadow AND a blue dog, in a meadow"
    assert request.regional is not None
    assert [region.divisions for region in request.regional.regions] == [(1, 1), (1, 2), (1, 2)]
    assert (request.regional.feather, image.seed, image.width > image.height) == (0, 5, True)
    assert image.prompt == "left: a red cat | right: a blue dog | everywhere: in a meadow"


async def test_cells_by_buttons(quick: Studio, ben: Person) -> None:
    """Cells are marked, given words, and given others; as text all of it can be changed; what cannot be painted says why."""
    card = await opened(ben, count=1)
    assert brush(card)["disabled"]
    for cell in (0, 1):
        await ben.click(card, button_of(card, Action.PLACE, cell))
        await ben.until(
            lambda cell=cell: (
                (m := ben.message(card)) is not None
                and next(p for p in parts_of(m) if p.get("custom_id") == button_of(card, Action.PLACE, cell))["style"]
                == 1
            )
        )
    marked = ben.message(card)
    assert marked is not None
    form = await ben.click(marked, button_of(marked, Action.PLACE_WORDS))
    await ben.submit(form, {"words": "a moon"})
    shown = await changed(ben, card)
    assert "a moon" in words_of(shown)
    assert not brush(shown)["disabled"]
    text = await ben.click(shown, button_of(shown, Action.PLACES_TEXT))
    assert fields_of(text)["places"] == "a1-a2: a moon"
    await ben.submit(text, {"places": "nothing with a place"})
    assert brush(await changed(ben, shown))["disabled"]
    now = ben.message(card)
    assert now is not None
    text = await ben.click(now, button_of(now, Action.PLACES_TEXT))
    await ben.submit(text, {"places": "a1-a2: a moon\nbottom: the sea\neverywhere: night"})
    shown = await changed(ben, now)
    await (await ben.click(shown, button_of(shown, Action.PLACES_PAINT))).answered()
    (image,) = await painted(quick, ben, "#paint", "0")
    request = request_of(image)
    assert request.prompt.positive.split(" AND ")[:3] == ["night", "a moon, night", "the sea, night"]


async def test_an_edit_keeps_and_moves_the_places(quick: Studio, ben: Person) -> None:
    """✏️ shows the words with their places; sent with others, these are painted, and the difference is told."""
    card = await opened(ben, left="a cat", right="a dog", count=1, seed="7")
    await (await ben.click(card, button_of(card, Action.PLACES_PAINT))).answered()
    (image,) = await painted(quick, ben, "#paint", "0")
    result = next(
        m for m in ben.messages("#paint") if any(p.get("custom_id") == f"easel:edit:{image.id}" for p in parts_of(m))
    )
    form = await ben.click(result, button_of(result, Action.EDIT))
    assert fields_of(form)["prompt"] == "left: a cat | right: a dog"
    await (await ben.submit(form, fields_of(form) | {"prompt": "top: a cat | bottom: a dog"})).answered()
    (second,) = await painted(quick, ben, "#paint", result["id"])
    regional = request_of(second).regional
    assert regional is not None
    assert [region.divisions for region in regional.regions] == [(1, 1), (2, 1), (2, 1)]


async def test_words_for_places_pass_the_same_gates(quick: Studio, ada: Person) -> None:
    """What may not be painted is refused in places as anywhere, and nothing is queued."""
    card = await opened(ada, left="a naked", right="a child", count=1)
    answer = await (await ada.click(card, button_of(card, Action.PLACES_PAINT))).answered()
    assert "sexualises minors" in words_of(answer).replace("\\", "")
    assert quick.easel.desk.dispatcher.queue() == ()
