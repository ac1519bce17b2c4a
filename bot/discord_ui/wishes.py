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
from bot.errors import RequestRefused, Unknown
from bot.requests.chosen import chosen, combined, drawn_again, leaves_choices
from bot.requests.derive import edited
from bot.requests.drafts import ImagineDraft, shown
from bot.requests.orders import read_order
from bot.requests.resolve import resolve
from bot.requests.styling import style_notes, styles_named
from inference.api.request import GenerationRequest, attachments_of
from inference.api.result import Inventory, ModelFile
from storage.palettes import Palette
from storage.values import Image, Said, Style

T = TypeVar("T")


class Names(msgspec.Struct, frozen=True):
    """What this person may name here: styles (their own and the server's) and seeds; and what they chose for when they name
    nothing (`palette`)."""

    styles: Mapping[str, Style]
    seeds: Mapping[str, int]
    palette: Palette = Palette()


_ONE: Final = (
    "Commas in braces, --repeat and --all ask for several jobs, which /imagine can paint; here one prompt is one job. "
    "{a|b} chooses one of both."
)
NO_NAMES: Final = Names({}, {})


async def names_of(desk: Desk, person: int, guild: int | None) -> Names:
    """Styles and seeds by name, and what this person chose for when nothing is named."""
    seeds = {saved.name: saved.seed for saved in await desk.db.seeds.of(person)}
    return Names(await styles_of(desk, person, guild), seeds, await desk.db.palettes.get(person))


async def styles_of(desk: Desk, person: int, guild: int | None) -> dict[str, Style]:
    """Styles by name; a person's own style hides the server's of the same name, in any case."""
    first: dict[str, Style] = {}
    for style in await desk.db.styles.of(person, guild):  # their own come first
        first.setdefault(style.name.casefold(), style)
    return {style.name: style for style in first.values()}


async def wish_for(
    desk: Desk, draft: ImagineDraft, *, person: int, guild: int | None, start: discord.Attachment | None = None
) -> Wish:
    """The wish of one job that `draft` means; `start` is the picture to begin from. Raises RequestRefused and LimitReached."""
    return (await wishes_for(desk, (one_job(desk, draft, person=person),), person=person, guild=guild, start=start))[0]


def one_job(desk: Desk, draft: ImagineDraft, *, person: int) -> ImagineDraft:
    """`draft` with its long prompt whole and its flags followed. Raises RequestRefused where it asks for several jobs."""
    order = read_order(typed_whole(desk, draft, person=person))
    only, *others = order.drafts
    if others or order.combine:
        raise RequestRefused(_ONE)
    return only


def typed_whole(desk: Desk, draft: ImagineDraft, *, person: int) -> ImagineDraft:
    """`draft` as it was meant where the beginning of a prompt did not fit into a choice. Raises NotFound."""
    negative = draft.negative and desk.prompts.whole(draft.negative, person)
    return msgspec.structs.replace(draft, prompt=desk.prompts.whole(draft.prompt, person), negative=negative)


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
        named = draft.style or draft.seed
        names = await names_of(desk, person, guild) if named else Names({}, {}, await desk.db.palettes.get(person))
        request = await with_models(desk, names, lambda known, begun=begun: resolve(begun, **known))
        requests = await all_chosen(desk, request) if combine else (await words_chosen(desk, request),)
        wishes += [
            Wish(
                request=each,
                kind="imagine",
                prompt=draft.prompt,
                sources=_sources(upload),
                said=_said(desk, begun, names),
            )
            for each in requests
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
    if changes.prompt and changes.prompt != prompt_in(image):
        changes = one_job(desk, changes, person=person)
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
        said=Said(styles=tuple(style.name for style in styles_named(changes.style or "", names.styles))),
    )
    return wish, differences


def prompt_in(image: Image) -> str:
    """The words that `image` was painted with; empty for an enlargement."""
    return image.request.prompt.positive if isinstance(image.request, GenerationRequest) else ""


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
    inventory, defaults = await desk.inventory(), desk.settings.generation
    own = favourite_of(inventory, names.palette)
    return {
        "inventory": inventory,
        "defaults": defaults if own is None else defaults.model_copy(update={"model": own.name}),
        "limits": desk.settings.limits,
        "styles": names.styles,
        "seeds": names.seeds,
        "random_seed": desk.seed,
    }


def favourite_of(inventory: Inventory, palette: Palette) -> ModelFile | None:
    """The checkpoint that somebody chose for when they name none: by its hash, else by its name; None where it is gone."""
    files = inventory.checkpoints
    same = (info for info in files if palette.hash and info.hash == palette.hash)
    return next(same, None) or next((info for info in files if palette.model and info.name == palette.model), None)


def _said(desk: Desk, draft: ImagineDraft, names: Names) -> Said:
    """What a wish says of itself: its styles and what they set, and that somebody's own model is gone."""
    used = styles_named(draft.style or "", names.styles)
    notes = style_notes(draft, styles=names.styles)
    own = names.palette.model
    unsaid = draft.model is None and not any(style.settings.model for style in used)
    if own and unsaid and favourite_of(desk.shelf(), names.palette) is None:
        notes += (f"Your own model “{shown(own)}” is not here any more; /model browse chooses another.",)
    return Said(styles=tuple(style.name for style in used), notes=notes)


def _sources(upload: Upload | None) -> dict[str, bytes]:
    return {} if upload is None else {upload.sha: upload.data}
