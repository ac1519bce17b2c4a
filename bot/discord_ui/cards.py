"""The cards: a job that waits or runs, what came of it, and a single picture. Facts in, `Reply` out; pure.

Owns the words and the order of a card. Refuses to know where the facts come from and how a reply is sent.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket, ticket_for
from bot.discord_ui.markup import ago, code, mention, plain, shorten
from bot.discord_ui.reply import Attachment, Button, Gallery, Part, Picture, Reply, Row, Rule, Text
from bot.requests.outpaint import FACTORS, SIDES, Side

ACCENT: Final = 0xE2653B
FAILURE_ACCENT: Final = 0xB3261E
PROMPT_SHOWN: Final = 600
"""Characters of a prompt on a card; the whole of it is behind ℹ️."""
NOTES_SHOWN: Final = 3
MAPS_SHOWN: Final = 4
"""Maps under a job's pictures; the rest are on the card of its controls."""
BAR: Final = 12
"""Cells of the progress bar."""
HELD: Final = "⏸️ **Paused** by those who look after Easel here; it keeps its place"
"""Instead of a place in the queue."""
PREVIEW_FILE: Final = "preview.jpg"
CHANGED_SHOWN: Final = 400
"""Characters of what an edit changed."""
_ARROWS: Final[dict[Side, str]] = {"left": "⬅️", "right": "➡️", "up": "⬆️", "down": "⬇️"}
_DIRECTORY: Final = re.compile(r".*[\\/]")


class QueueFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A job before its picture. `position` counts from 1, 0 while it is painted; `ready_at` is seconds since 1970;
    `cost` in seconds of painting; `done` and `total` are model calls; `preview` a small JPEG. `slow` says why it is in the
    slow lane; it is `held` while its server lets nothing begin."""

    job: int
    prompt: str
    position: int
    ready_at: float | None = None
    cost: float = 0.0
    done: int = 0
    total: int = 0
    stage: str = ""
    preview: bytes = b""
    slow: str = ""
    held: bool = False


class ShownPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as the channel gets it: its row's id, the encoded bytes, their file name, and the seed."""

    image: int
    name: str
    data: bytes
    seed: int


class ShownMap(msgspec.Struct, frozen=True, kw_only=True):
    """The map that control `unit` (from 0) of a job followed, as the channel gets it, and what it shows."""

    unit: int
    name: str
    data: bytes
    alt: str


class ResultFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A finished job. `parent` is a link to the card that it came from, `changed` in what it differs from that one; `notes` are
    sentences for the person. Where it was `controlled` the card leads to its controls, and shows the `maps` that it followed."""

    job: int
    person: int
    prompt: str
    model: str
    pictures: tuple[ShownPicture, ...]
    seconds: float = 0.0
    parent: str = ""
    changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    controlled: bool = False
    maps: tuple[ShownMap, ...] = ()


def queue_card(facts: QueueFacts) -> Reply:
    """Where a job stands: its place or its progress, when it should be ready, what it costs, and 🛑."""
    parts: list[Part] = [
        Text(f"### {plain(facts.prompt, limit=PROMPT_SHOWN) or 'Without words'}"),
        Text(_standing(facts)),
    ]
    files: tuple[Attachment, ...] = ()
    if facts.preview:
        alt = "The picture as it stands"
        parts.append(Gallery((Picture(PREVIEW_FILE, alt),)))
        files = (Attachment(PREVIEW_FILE, facts.preview, alt),)
    stop = Button(custom_id=Ticket(Action.CANCEL, facts.job).custom_id, label="Cancel", emoji="🛑")
    return Reply(parts=(*parts, Row((stop,))), files=files, accent=ACCENT)


def result_card(facts: ResultFacts) -> Reply:
    """The pictures of a job for the person who asked, who alone is pinged, with a button for everything that follows."""
    rows = picture_rows([picture.image for picture in facts.pictures])
    shown = tuple(_picture(facts, index) for index in range(len(facts.pictures)))
    maps = facts.maps[:MAPS_SHOWN]
    notes = tuple(Text(f"-# {plain(note)}") for note in facts.notes[:NOTES_SHOWN])
    controls = (
        (control_row(facts.pictures[0].image, [each.unit for each in maps]),)
        if facts.controlled and facts.pictures
        else ()
    )
    return Reply(
        parts=(
            Text(_header(facts)),
            Gallery((*shown, *(Picture(each.name, each.alt) for each in maps))),
            *((Text(f"-# 🗺️ {_told_of(len(maps))}"),) if maps else ()),
            *notes,
            *rows,
            *controls,
        ),
        files=(
            *(
                Attachment(picture.name, picture.data, alt.description)
                for picture, alt in zip(facts.pictures, shown, strict=True)
            ),
            *(Attachment(each.name, each.data, each.alt) for each in maps),
        ),
        pings=(facts.person,),
        accent=ACCENT,
    )


def failure_card(*, job: int, person: int, prompt: str, sentence: str, retry: bool = True) -> Reply:
    """A job that ended without a picture: what was asked, why it failed, that nothing was charged, and another try.

    Without `retry` there is no such button: where the same request would be of no use.
    """
    words = f"{mention(person)}, **{plain(prompt, limit=PROMPT_SHOWN) or 'your picture'}** could not be painted."
    again = Button(custom_id=Ticket(Action.RETRY, job).custom_id, label="Try again", emoji="🔄")
    return Reply(
        parts=(
            Text(words),
            Rule(),
            Text(f"{plain(sentence, limit=1000)}\n-# It does not count against your limits."),
            *((Row((again,)),) if retry else ()),
        ),
        pings=(person,),
        accent=FAILURE_ACCENT,
    )


def closed_card(person: int, *, painted: bool) -> Reply:
    """How a job ended that was asked for in private by somebody whose direct messages are closed; not what it shows."""
    ended = "your pictures are ready" if painted else "your pictures could not be painted"
    seen = ", or look into `/gallery open`" if painted else ", and ask again"
    words = (
        f"{mention(person)}, {ended}, but your direct messages are closed to me. Open them in the server's privacy "
        f"settings{seen}."
    )
    return Reply(parts=(Text(words),), pings=(person,))


def unshown_card(person: int) -> Reply:
    """A job is done whose pictures may be shown neither here nor in direct messages, as both are by now."""
    words = (
        f"{mention(person)}, your pictures are ready, but they are for adults, and this is no place for them any more. "
        "`/gallery open` shows them in a channel where they may be seen."
    )
    return Reply(parts=(Text(words),), pings=(person,))


def note_card(words: str) -> Reply:
    """A few words of ours (Discord markdown), for the person alone."""
    return Reply(parts=(Text(words),))


def cancelled_card(prompt: str) -> Reply:
    """A job that somebody stopped."""
    return Reply(parts=(Text(f"🛑 Cancelled: {plain(prompt, limit=PROMPT_SHOWN)}"),))


def picture_rows(images: Sequence[int]) -> tuple[Row, ...]:
    """The buttons under one picture, or under two to five: U takes one out, V varies it, the last row is for all."""
    if len(images) == 1:
        return single_rows(images[0])
    return (
        _labelled(images, Action.SINGLE, "U"),
        _labelled(images, Action.VARY_STRONG, "V"),
        Row((*_further(images[0]), family(images[0]))),
        _common(images[0]),
    )


def single_rows(image: int) -> tuple[Row, ...]:
    """The buttons of one picture."""
    first = (
        _button(Action.UPSCALE, image, label="Upscale", emoji="⬆️"),
        _button(Action.VARY_SUBTLE, image, label="Vary subtle", emoji="🔀"),
        _button(Action.VARY_STRONG, image, label="Vary strong", emoji="🔀"),
        _button(Action.PNG, image, label="Send PNG", emoji="✉️"),
        family(image),
    )
    second = (*_further(image), *region_and_zoom(image, on_bench=False))
    third = (*_arrows(image, on_bench=False), _button(Action.MEND, image, label="Mend faces", emoji="🩹"))
    return (Row(first), Row(second), Row(third), _common(image))


def control_row(image: int, units: Sequence[int]) -> Row:
    """Under a picture that followed controls: to their card, and each map (by its control's number, from 0) to be used again."""
    several = len(units) > 1
    maps = (
        Button(
            custom_id=Ticket(Action.CONTROL_MAP, image, str(unit)).custom_id,
            label=f"Use map {unit + 1}" if several else "Use the map",
            emoji="🗺️",
        )
        for unit in units[:MAPS_SHOWN]
    )
    return Row((_button(Action.CONTROL_OF, image, label="Controls", emoji="🕹️"), *maps))


def family(image: int) -> Button:
    """To what a picture came from and what was made from it."""
    return _button(Action.KIN, image, label="Family", emoji="👪")


def region_and_zoom(number: int, *, on_bench: bool) -> tuple[Button, ...]:
    """What is painted over or around a picture of ours, or the one on a bench."""
    region = ticket_for(Action.REGION, number, on_bench=on_bench)
    return (
        Button(custom_id=region.custom_id, label="Region", emoji="🖌️"),
        *(
            Button(
                custom_id=ticket_for(Action.ZOOM, number, f"{factor:g}", on_bench=on_bench).custom_id,
                label=f"Zoom out {factor:g}×",
                emoji="🔍",
            )
            for factor in FACTORS
        ),
    )


def moves(number: int, *, on_bench: bool) -> Row:
    """One arrow a side."""
    return Row(_arrows(number, on_bench=on_bench))


def _arrows(number: int, *, on_bench: bool) -> tuple[Button, ...]:
    return tuple(
        Button(custom_id=ticket_for(Action.MOVE, number, side, on_bench=on_bench).custom_id, emoji=_ARROWS[side])
        for side in SIDES
    )


def alt_text(prompt: str, *, index: int, count: int) -> str:
    """What a picture shows, for who cannot see it; plain text, at most 1,024 characters."""
    place = f", picture {index + 1} of {count}" if count > 1 else ""
    return shorten(prompt.strip() or "A picture without words", limit=900) + place


def slow_words(why: str) -> str:
    """That a job is in the slow lane, and why."""
    return f"🐢 Slow lane: {plain(why, limit=200)}; others of this server go first"


def _standing(facts: QueueFacts) -> str:
    cost = f" · about {max(1, round(facts.cost))} s of painting" if facts.cost else ""
    ready = f" · ready {ago(facts.ready_at)}" if facts.ready_at is not None else ""
    slow = f"\n-# {slow_words(facts.slow)}" if facts.slow else ""
    if facts.held:
        return f"{HELD}{cost}{slow}"
    if facts.position > 0:
        return f"**{facts.position}.** in the queue{ready}{cost}{slow}"
    share = min(facts.done, facts.total) / facts.total if facts.total else 0.0
    filled = int(share * BAR)
    stage = facts.stage.capitalize() or "Painting"
    return f"{stage} `{'█' * filled}{'░' * (BAR - filled)}` **{int(share * 100)} %**{ready}"


def _header(facts: ResultFacts) -> str:
    seeds = code(str(facts.pictures[0].seed)) if facts.pictures else ""
    if len(facts.pictures) > 1:
        seeds = f"{seeds} to {code(str(facts.pictures[-1].seed))}"
    model = code(_DIRECTORY.sub("", facts.model), limit=60)
    parent = f" · [from this card]({facts.parent})" if facts.parent else ""
    took = f" · {facts.seconds:.1f}\N{NO-BREAK SPACE}s" if facts.seconds else ""
    prompt = plain(facts.prompt, limit=PROMPT_SHOWN) or "Without words"
    changed = f"\n-# Changed: {plain(' · '.join(facts.changed), limit=CHANGED_SHOWN)}" if facts.changed else ""
    return f"**{prompt}** for {mention(facts.person)}\n-# {model} · seed {seeds}{took}{parent}{changed}"


def _told_of(maps: int) -> str:
    if maps == 1:
        return "The last picture is the map that was followed."
    return f"The last {maps} pictures are the maps that were followed."


def _picture(facts: ResultFacts, index: int) -> Picture:
    return Picture(facts.pictures[index].name, alt_text(facts.prompt, index=index, count=len(facts.pictures)))


def _button(action: Action, number: int, *, label: str = "", emoji: str = "") -> Button:
    return Button(custom_id=Ticket(action, number).custom_id, label=label, emoji=emoji)


def _labelled(images: Sequence[int], action: Action, letter: str) -> Row:
    return Row(tuple(_button(action, image, label=f"{letter}{i}") for i, image in enumerate(images, 1)))


def _further(image: int) -> tuple[Button, Button]:
    """What opens another form."""
    return (
        _button(Action.SETTINGS, image, label="Settings", emoji="⚙️"),
        _button(Action.STYLE_OF, image, label="Save as style", emoji="🎨"),
    )


def _common(image: int) -> Row:
    return Row(
        (
            _button(Action.AGAIN, image, emoji="🔄"),
            _button(Action.EDIT, image, emoji="✏️"),
            _button(Action.STAR, image, emoji="⭐"),
            _button(Action.INFO, image, emoji="ℹ️"),
            _button(Action.DELETE, image, emoji="🗑️"),
        )
    )
