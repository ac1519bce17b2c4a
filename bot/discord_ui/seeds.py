"""Named seeds on Discord: the list, keeping one of a picture, and what may be one.

Owns the checks and words of seeds. `/seed` is in `bot.discord_ui.commands.seeds`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.cards import ACCENT, note_card
from bot.discord_ui.commands.saved import NAME, check_room, paged, read_name
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.fields import form, line
from bot.discord_ui.forms import read_form
from bot.discord_ui.markup import code, counted, plain
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Button, Reply, Row, Text
from bot.discord_ui.shown import picture_of
from bot.errors import RequestRefused
from inference.api.request import SEED_LIMIT
from storage.values import SavedSeed

MOST: Final = 100
"""Seeds that one person may keep."""
PAGE: Final = 20
RESERVED: Final = frozenset({"random", "keep", "new", "variation"})
"""Words that mean something else where a seed is typed."""
EMPTY: Final = (
    "None yet. `/seed save name:lucky seed:1234` keeps one; every card says which seed it was painted with, and ℹ️ under a "
    "picture keeps its seed."
)
TITLE: Final = "name"
_NUMBER: Final = re.compile(r"[+-]?\d[\d.,_ ]*")
"""What somebody reads as a number, however they group its digits."""


def read_seed_name(text: str) -> str:
    """A name that is not a seed itself. Raises RequestRefused."""
    name = read_name(text)
    if name.casefold() in RESERVED or _NUMBER.fullmatch(name):
        raise RequestRefused(
            f"“{name}” already means something where a seed is typed. Choose a name that is neither a number nor "
            f"one of {', '.join(sorted(RESERVED))}."
        )
    return name


def check_seed(seed: int) -> None:
    """Raise RequestRefused unless `seed` is in [0, SEED_LIMIT)."""
    if not 0 <= seed < SEED_LIMIT:
        raise RequestRefused(f"A seed is a whole number from 0 to {SEED_LIMIT - 1:,}, not {seed:,}.")


async def keep(desk: Desk, person: int, name: str, seed: int) -> Reply:
    """Keep `seed` under `name`. Raises RequestRefused, LimitReached."""
    kept = read_seed_name(name)
    check_seed(seed)
    own = await desk.db.seeds.of(person)
    check_room([each.name for each in own], kept, noun="seed", most=MOST)
    await desk.db.seeds.save(person, kept, seed, desk.now())
    return note_card(f"Kept **{plain(kept)}** = {code(str(seed))}. `/imagine seed:` takes the name.")


def seeds_card(seeds: Sequence[SavedSeed], *, person: int, page: int = 1) -> Reply:
    """A page of the seeds that `person` keeps."""
    here = paged(seeds, page, size=PAGE)
    if not here.total:
        return Reply(parts=(Text(f"### Seeds\n{EMPTY}"),), accent=ACCENT)
    lines = [f"- **{plain(each.name)}** {code(str(each.seed))}" for each in here.shown]
    place = f" · page {here.number} of {here.pages}" if here.pages > 1 else ""
    words = "\n".join(
        (f"### Seeds{place}", *lines, f"-# {counted(here.total, 'seed')}. `/imagine seed:` takes a name.")
    )
    back, on = (Ticket(Action.SEEDS, person, str(here.number + by)).custom_id for by in (-1, 1))
    turning = Row(
        (
            Button(custom_id=back, emoji="◀️", disabled=here.number == 1),
            Button(custom_id=on, emoji="▶️", disabled=here.number == here.pages),
        )
    )
    return Reply(parts=(Text(words), *((turning,) if here.pages > 1 else ())), accent=ACCENT)


async def turn(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Another page of one's own seeds."""
    del values
    page = int(ticket.argument) if ticket.argument.isdecimal() and len(ticket.argument) <= 6 else 1
    await replace(asked, seeds_card(await desk.db.seeds.of(asked.user.id), person=asked.user.id, page=page))


async def open_of(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Keep a picture's seed: ask for a name."""
    del values
    image = await picture_of(desk.db, ticket.id)
    field = line(TITLE, f"A name for the seed {image.seed}", required=True, longest=NAME)
    await asked.response.send_modal(form("Keep the seed", Ticket(Action.SEED_FORM, image.id), (field,)))


async def written_of(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The name was sent."""
    del values
    image = await picture_of(desk.db, ticket.id)
    data: Mapping[str, Any] = asked.data or {}
    name = read_form(data).texts.get(TITLE, "")
    await answer(asked, await keep(desk, asked.user.id, name, image.seed))


HANDLERS: Final[Mapping[Action, Handler]] = {
    Action.SEEDS: turn,
    Action.SEED_OF: open_of,
    Action.SEED_FORM: written_of,
}
