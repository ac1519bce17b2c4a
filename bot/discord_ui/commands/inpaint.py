"""/inpaint: paint a part of a picture anew, by a mask or by regions. Owns its options."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, get_args

import discord
import msgspec
from discord import app_commands

from bot.discord_ui.answers import answer
from bot.discord_ui.asides import aside
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.brought import INFOTEXT, NAME, SAID_PROMPT
from bot.discord_ui.commands.imagine import SUGGESTIONS
from bot.discord_ui.commands.said import said
from bot.discord_ui.completing import completer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.presses.regions import PICTURE, picker_of
from bot.discord_ui.uploads import check_mask, fetch_mask, fetch_picture, upload_of
from bot.discord_ui.wishes import wish_for
from bot.errors import RequestRefused
from bot.requests.drafts import ImagineDraft
from bot.requests.regions import Content, Repaint, repainted
from inference.api.lookup import find_checkpoint
from inference.api.request import GenerationRequest

_WHOLE, _PART = "whole picture", "only masked"
_CONTENTS: Final = [app_commands.Choice(name=each, value=each) for each in get_args(Content)]
_AREAS: Final = [app_commands.Choice(name=each, value=each) for each in (_WHOLE, _PART)]
_HELP: Final = {
    **said("count", "model", "seed", "private"),
    "picture": "The picture that shall change in a part",
    "prompt": "What shall be there",
    "mask": "White where it shall change, black where it stays. Without one you choose among nine regions",
    "negative": "What to keep out of it",
    "content": "What the part begins from",
    "area": "Paint in sight of the whole picture, or only the part, enlarged",
    "padding": "Pixels around the part that are seen when only the part is painted, 0 to 256",
    "blur": "How softly the mask ends, in pixels, 0 to 64",
    "soft": "Let the mask's grey levels count while painting, too",
    "invert": "Paint what is black instead",
    "strength": "How far to leave what is there, 0 to 1",
}


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /inpaint."""

    @tree.command(name="inpaint", description="Paint a part of a picture anew")
    @app_commands.describe(**_HELP)
    @app_commands.choices(content=_CONTENTS, area=_AREAS)
    async def inpaint(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        picture: discord.Attachment,
        prompt: str,
        mask: discord.Attachment | None = None,
        negative: str | None = None,
        content: str = "original",
        area: str = _WHOLE,
        padding: int = 32,
        blur: int = 4,
        soft: bool = False,
        invert: bool = False,
        strength: float = 0.75,
        count: app_commands.Range[int, 1, 4] | None = None,
        model: str | None = None,
        seed: str | None = None,
        private: bool = False,
    ) -> None:
        prompt = desk.prompts.whole(prompt, interaction.user.id)
        if mask is None:
            await _pick(desk, interaction, picture, prompt)
            return
        how = Repaint(
            content=next((each for each in get_args(Content) if each == content), "original"),
            only_masked=area == _PART,
            padding=padding,
            blur=blur,
            soft=soft,
            invert=invert,
            strength=strength,
        )
        draft = ImagineDraft(
            prompt=prompt, negative=negative, count=count, model=model, seed=seed, strength=strength, private=private
        )
        wish = _masked(desk, interaction, draft, how, picture=picture, mask=mask)
        await ask(desk, interaction, wish, private=private)

    for option in ("prompt", "negative"):
        inpaint.autocomplete(option)(completer(desk))
    for option in ("model", "seed"):
        inpaint.autocomplete(option)(_completer(desk, option))


def _completer(desk: Desk, option: str) -> Callable[[Asked, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        found = await SUGGESTIONS[option](desk, interaction, typed)
        return [app_commands.Choice(name=each.name, value=each.value) for each in found]

    return complete


async def _pick(desk: Desk, interaction: Asked, picture: discord.Attachment, prompt: str) -> None:
    """The nine regions of the picture; the prompt waits for its form."""
    async with aside(interaction):
        upload = await fetch_picture(picture, desk.settings.limits)
        said = {NAME: picture.filename[:80], SAID_PROMPT: prompt, INFOTEXT: ""}
        bench = await desk.db.benches.add(
            person=interaction.user.id, kind=PICTURE, said=said, now=desk.now(), picture=upload.data
        )
        await answer(interaction, await picker_of(desk, bench))


async def _masked(
    desk: Desk,
    interaction: Asked,
    draft: ImagineDraft,
    how: Repaint,
    *,
    picture: discord.Attachment,
    mask: discord.Attachment,
) -> Wish:
    """The wish of a picture and its mask. Raises RequestRefused, LimitReached."""
    stencil = await fetch_mask(mask, desk.settings.limits)
    made = await wish_for(desk, draft, person=interaction.user.id, guild=interaction.guild_id, start=picture)
    request = made.request
    if not isinstance(request, GenerationRequest) or request.source is None:
        raise RequestRefused("There is no picture to paint over; attach one.")
    start = upload_of(made.sources[request.source.picture])
    await asyncio.to_thread(check_mask, stencil, start, invert=how.invert)
    found = find_checkpoint(await desk.inventory(), request.model.hash or request.model.name)
    painted = repainted(
        request,
        how,
        picture=start.sha,
        size=start.size,
        mask=stencil.sha,
        native=512 if found is None else found.native,
        limits=desk.settings.limits,
    )
    return msgspec.structs.replace(
        made, request=painted, kind="inpaint", sources={**made.sources, stencil.sha: stencil.data}
    )
