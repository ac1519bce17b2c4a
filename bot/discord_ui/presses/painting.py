"""What paints at once: vary, again, try again, and upscale by a reaction. Whoever presses is credited and charged."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.shown import picture_of, png_of
from bot.discord_ui.wishes import words_drawn_again
from bot.errors import NotFound, RequestRefused
from bot.requests import derive
from bot.requests.enlarging import FACTOR, best_upscaler
from bot.requests.mending import mended
from inference.api.request import MAX_SIDE, GenerationRequest, attachments_of
from storage.history import UNKEPT
from storage.values import Image, Job, Said

Derive = Callable[[Desk, Image], Coroutine[Any, Any, Wish]]
"""From a picture to what shall be painted after it."""


async def again(desk: Desk, image: Image) -> Wish:
    """The whole job once more with fresh noise, and words drawn anew where they were drawn by chance."""
    job = await desk.db.jobs.get(image.job)
    request = derive.again(image.request if job is None else job.request, desk.seed())
    request = await words_drawn_again(desk, request)
    sources: Mapping[str, bytes] = {} if job is None else await desk.db.jobs.sources(job.id)
    return Wish(request=request, kind="again", prompt=image.prompt, parent=image.id, sources=sources)


def vary(*, strong: bool) -> Derive:
    """As many variations as a bare /imagine makes."""

    async def wish(desk: Desk, image: Image) -> Wish:
        request = derive.vary(
            image.request,
            strong=strong,
            count=desk.settings.generation.count,
            random_seed=desk.seed,
            picture_sha=image.sha256,
        )
        return Wish(
            request=request,
            kind="vary",
            prompt=image.prompt,
            parent=image.id,
            sources=await _sources(desk, image, request),
        )

    return wish


async def upscale(desk: Desk, image: Image) -> Wish:
    """Twice as large, with the first network that was found."""
    if max(image.width, image.height) * FACTOR > MAX_SIDE:
        raise RequestRefused(f"This picture is as large as it gets: no side may be over {MAX_SIDE:,} pixels.")
    shelf = await desk.inventory()
    request = derive.upscale(image.sha256, image.infotext, upscaler=best_upscaler(shelf), scale=FACTOR, inventory=shelf)
    sources = {image.sha256: await png_of(desk.db, image)}
    return Wish(request=request, kind="upscale", prompt=image.prompt, parent=image.id, sources=sources)


async def mend(desk: Desk, image: Image) -> Wish:
    """Its faces mended: by a restorer, or where there is none painted once more, with faces painted over."""
    picture = {"picture": image.sha256, "infotext": image.infotext}
    request = mended(image.request, **picture, inventory=await desk.inventory())
    if isinstance(request, GenerationRequest):
        sources = await _sources(desk, image, request)
    else:
        sources = {image.sha256: await png_of(desk.db, image)}
    return Wish(request=request, kind="faces", prompt=image.prompt, parent=image.id, sources=sources)


async def _sources(desk: Desk, image: Image, request: GenerationRequest) -> dict[str, bytes]:
    """The pictures that `request` begins from: `image` itself, or what its own job began from."""
    earlier = await desk.db.jobs.sources(image.job)
    return {sha: earlier[sha] if sha in earlier else await png_of(desk.db, image) for sha in attachments_of(request)}


DERIVATIONS: Mapping[Action, Derive] = {
    Action.AGAIN: again,
    Action.VARY_SUBTLE: vary(strong=False),
    Action.VARY_STRONG: vary(strong=True),
    Action.UPSCALE: upscale,
    Action.MEND: mend,
}
"""For buttons and reactions alike."""


def _handler(action: Action) -> Handler:
    async def press(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
        del values
        image = await picture_of(desk.db, ticket.id)
        await ask(desk, interaction, DERIVATIONS[action](desk, image))

    return press


async def retry(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """A failed job once more, as it was; in private only for who asked so."""
    del values
    job = await desk.db.jobs.get(ticket.id)
    if job is None or job.kind == UNKEPT:
        raise NotFound("That job has been forgotten; ask again with /imagine.")
    private = job.address.private and job.address.person == interaction.user.id
    await ask(desk, interaction, _same(desk, job), private=private)


async def _same(desk: Desk, job: Job) -> Wish:
    sources = await desk.db.jobs.sources(job.id)
    said = Said(notes=job.notes)
    return Wish(request=job.request, kind=job.kind, prompt=job.prompt, parent=job.parent, sources=sources, said=said)


HANDLERS: Mapping[Action, Handler] = {
    **{action: _handler(action) for action in DERIVATIONS if action is not Action.UPSCALE},  # whose button opens a form
    Action.RETRY: retry,
}
