"""From what a person typed to a wish that can be queued: their saved names looked up, the models known, the picture fetched.

Owns the meeting of draft, memory and shelf. What a draft means is `bot.requests`' to say.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import discord
import msgspec

from bot.discord_ui.asking import Wish
from bot.discord_ui.desk import Desk
from bot.discord_ui.uploads import Upload, fetch_picture
from bot.errors import Unknown
from bot.requests.chosen import chosen, combined, drawn_again, leaves_choices
from bot.requests.derive import edited
from bot.requests.drafts import ImagineDraft
from bot.requests.resolve import resolve
from inference.api.request import GenerationRequest, attachments_of
from storage.values import Image, Style

T = TypeVar("T")


class Names(msgspec.Struct, frozen=True):
    """What this person may name here: styles (their own and the server's) and seeds."""

    styles: Mapping[str, Style]
    seeds: Mapping[str, int]


NO_NAMES: Final = Names({}, {})


async def names_of(desk: Desk, person: int, guild: int | None) -> Names:
    """Styles and seeds by name; a person's own style stands before the server's of the same name."""
    styles = {style.name: style for style in await desk.db.styles.of(person, guild)}
    styles |= {name: style for name, style in styles.items() if style.owner == person}
    seeds = {saved.name: saved.seed for saved in await desk.db.seeds.of(person)}
    return Names(styles, seeds)


async def wish_for(
    desk: Desk, draft: ImagineDraft, *, person: int, guild: int | None, start: discord.Attachment | None = None
) -> Wish:
    """The wish that `draft` means; `start` is the picture to begin from. Raises RequestRefused and LimitReached."""
    return (await wishes_for(desk, (draft,), person=person, guild=guild, start=start))[0]


async def wishes_for(
    desk: Desk,
    drafts: Sequence[ImagineDraft],
    *,
    person: int,
    guild: int | None,
    start: discord.Attachment | None = None,
    combine: bool = False,
) -> list[Wish]:
    """A wish for each of `drafts`, all of which begin from `start`; with `combine` one for each combination of their choices.

    Raises RequestRefused and LimitReached.
    """
    upload = None if start is None else await fetch_picture(start, desk.settings.limits)
    wishes: list[Wish] = []
    for draft in drafts:
        begun = draft
        if upload is not None:
            begun = msgspec.structs.replace(draft, init_image=upload.sha, init_size=upload.size)
        names = await names_of(desk, person, guild) if draft.style or draft.seed else NO_NAMES
        request = await with_models(desk, names, lambda known, begun=begun: resolve(begun, **known))
        requests = await all_chosen(desk, request) if combine else (await words_chosen(desk, request),)
        wishes += [
            Wish(request=each, kind="imagine", prompt=draft.prompt, sources=_sources(upload)) for each in requests
        ]
    return wishes


async def words_chosen(desk: Desk, request: GenerationRequest) -> GenerationRequest:
    """`request` with the choices of its prompt made; at once where there are none. Raises RequestRefused."""
    if not leaves_choices(request):
        return request
    return await asyncio.to_thread(chosen, request, desk.wildcards)


async def words_drawn_again(desk: Desk, request: GenerationRequest) -> GenerationRequest:
    """`request` with words that were drawn by chance drawn anew, by the seeds it has now. Raises RequestRefused."""
    if request.drawn is None:
        return request
    return await asyncio.to_thread(drawn_again, request, desk.wildcards)


async def all_chosen(desk: Desk, request: GenerationRequest) -> tuple[GenerationRequest, ...]:
    """Every combination of the choices of `request`. Raises RequestRefused and LimitReached."""
    return await asyncio.to_thread(combined, request, desk.wildcards)


async def edited_wish(
    desk: Desk, image: Image, changes: ImagineDraft, *, person: int, guild: int | None
) -> tuple[Wish, tuple[str, ...]]:
    """`image` painted again with `changes`, and a phrase for each thing that differs."""
    names = await names_of(desk, person, guild)
    request, differences = await with_models(desk, names, lambda known: edited(image.request, changes, **known))
    request = await words_chosen(desk, msgspec.structs.replace(request, drawn=None))
    earlier = await desk.db.jobs.sources(image.job)
    wish = Wish(
        request=request,
        kind="edit",
        prompt=changes.prompt or image.prompt,
        parent=image.id,
        sources={sha: earlier[sha] for sha in attachments_of(request) if sha in earlier},
    )
    return wish, differences


async def with_models(desk: Desk, names: Names, make: Callable[[dict[str, Any]], T]) -> T:
    """What `make` makes of all that is known. A model that is not known may have come into its folder since the last look."""
    try:
        return make(await known_with(desk, names))
    except Unknown:
        if not await desk.found_more():
            raise
        return make(await known_with(desk, names))


async def known_with(desk: Desk, names: Names) -> dict[str, Any]:
    """All that `resolve`, `edited` and their like look at. Raises BackendUnavailable while no painter has been up."""
    return {
        "inventory": await desk.inventory(),
        "defaults": desk.settings.generation,
        "limits": desk.settings.limits,
        "styles": names.styles,
        "seeds": names.seeds,
        "random_seed": desk.seed,
    }


def _sources(upload: Upload | None) -> dict[str, bytes]:
    return {} if upload is None else {upload.sha: upload.data}
