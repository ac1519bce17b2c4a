"""From what a person typed to a wish that can be queued: their saved names looked up, the models known, the picture fetched.

Owns the meeting of draft, memory and shelf. What a draft means is `bot.requests`' to say.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import discord
import msgspec

from bot.discord_ui.asking import Wish
from bot.discord_ui.desk import Desk
from bot.discord_ui.uploads import Upload, fetch_picture
from bot.errors import Unknown
from bot.requests.derive import edited
from bot.requests.drafts import ImagineDraft
from bot.requests.resolve import resolve
from inference.api.request import attachments_of
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
    upload = None if start is None else await fetch_picture(start, desk.settings.limits)
    if upload is not None:
        draft = msgspec.structs.replace(draft, init_image=upload.sha, init_size=upload.size)
    names = await names_of(desk, person, guild) if draft.style or draft.seed else NO_NAMES
    request = await _with_models(desk, names, lambda known: resolve(draft, **known))
    return Wish(request=request, kind="imagine", prompt=draft.prompt, sources=_sources(upload))


async def edited_wish(
    desk: Desk, image: Image, changes: ImagineDraft, *, person: int, guild: int | None
) -> tuple[Wish, tuple[str, ...]]:
    """`image` painted again with `changes`, and a phrase for each thing that differs."""
    names = await names_of(desk, person, guild)
    request, differences = await _with_models(desk, names, lambda known: edited(image.request, changes, **known))
    earlier = await desk.db.jobs.sources(image.job)
    wish = Wish(
        request=request,
        kind="edit",
        prompt=changes.prompt or image.prompt,
        parent=image.id,
        sources={sha: earlier[sha] for sha in attachments_of(request) if sha in earlier},
    )
    return wish, differences


async def _with_models(desk: Desk, names: Names, make: Callable[[dict[str, Any]], T]) -> T:
    """What `make` makes of all that is known. A model that is not known may have come into its folder since the last look."""
    try:
        return make(await _known(desk, names))
    except Unknown:
        if not await desk.found_more():
            raise
        return make(await _known(desk, names))


async def _known(desk: Desk, names: Names) -> dict[str, Any]:
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
