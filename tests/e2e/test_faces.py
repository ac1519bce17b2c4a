"""Mending faces: by flag, by button and with /upscale; real client, real SQLite, and what reaches the painter."""

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Person
from inference.api.faces import REPAINT, FaceRestoration
from inference.api.request import GenerationRequest
from tests.e2e.easel import Studio, button_of, paint, result_in, words_of
from tests.e2e.test_menus import painted, picture


async def test_a_flag_mends_the_faces_of_a_new_picture(quick: Studio, ben: Person) -> None:
    """--faces=repaint,0.3 reaches the painter; the card has a button for pictures that were painted without it."""
    result = await paint(ben, prompt="a king --faces=repaint,0.3", count=1)
    (image,) = await painted(quick, ben, "#paint", "0")
    assert isinstance(image.request, GenerationRequest)
    assert image.request.faces == FaceRestoration(REPAINT, 0.3)
    assert image.request.prompt.positive == "a king"
    assert button_of(result, Action.MEND)


async def test_the_button_paints_once_more_and_mends(quick: Studio, ben: Person) -> None:
    """Without a restorer's file the same picture is painted again, with faces painted over at the end."""
    result = await paint(ben, prompt="a queen", count=1, seed="5")
    (first,) = await painted(quick, ben, "#paint", "0")
    await (await ben.click(result, button_of(result, Action.MEND))).answered()
    await result_in(ben, "#paint", after=result["id"])
    (second,) = await painted(quick, ben, "#paint", result["id"])
    assert isinstance(first.request, GenerationRequest)
    assert isinstance(second.request, GenerationRequest)
    assert second.request.faces == FaceRestoration(REPAINT, 0.4)
    assert (second.seed, second.kind, second.parent) == (5, "faces", first.id)
    assert second.request.prompt == first.request.prompt


async def test_an_enlargement_without_a_restorer_says_what_would_be_right(quick: Studio, ben: Person) -> None:
    """Nothing is queued, and the sentence names the file and the other way."""
    card = await (await ben.slash("upscale", "#paint", picture=("photo.png", picture()), faces="on")).answered()
    assert "redraw it in tiles" in words_of(card)
    unknown = await (
        await ben.slash("upscale", "#paint", picture=("photo.png", picture()), faces="GFPGANv9")
    ).answered()
    assert "no face restorer called “GFPGANv9”" in words_of(unknown)
    assert quick.easel.desk.dispatcher.queue() == ()
