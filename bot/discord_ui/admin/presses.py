"""What the controls on a server's panels do: each reads what its ticket says, changes one thing, and shows what holds now.

Owns the handlers of ADMIN and ADMIN_FORM. Every one of them checks again who presses.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import discord
from msgspec.structs import replace as with_

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.admin import forms, panels, rights, words
from bot.discord_ui.admin.panels import LINES, Subject
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.cards import note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import code, mention
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.reply import Reply
from bot.errors import NotFound
from bot.requests import blocklist
from bot.requests.policy import OPEN_COMMANDS, PAINTING, Policy, replaced
from storage.guild_settings import GuildSettings, Rule

_GONE: Final = "That is not there any more; go back and choose again."
_BY_BUTTONS: Final = (PAINTING, "again", "vary", "edit")
"""What can be ruled besides commands: painting as a whole, and what only buttons do."""

Card = Callable[[Desk, Asked, int], Awaitable[Reply]]
"""A panel as it is now, at a page."""
Deed = Callable[[Desk, Asked, str, int, Values], Awaitable[Reply]]
"""One control: its key, its page and what was chosen; returns the panel afterwards."""


async def press(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """A control of a panel was used."""
    rights.place_of(desk, asked)
    panel, _, rest = ticket.argument.partition(".")
    what, _, key = rest.partition(".")
    panel = values[0] if panel == "open" and values else panel
    form = forms.FORMS.get(f"{panel}.{what}" if what else panel)
    if form is not None:
        await asked.response.send_modal(form(await _policy(desk, asked)))
        return
    deed = DEEDS.get(f"{panel}.{what}")
    if deed is not None:
        card = await deed(desk, asked, key, ticket.id, values)
    elif panel in CARDS:
        card = await CARDS[panel](desk, asked, ticket.id)
    else:
        raise NotFound(_GONE)
    await replace(asked, card)


async def submit(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """A form with numbers was sent."""
    del values
    form = forms.READERS.get(ticket.argument)
    if form is None:
        raise NotFound(_GONE)
    after, told = form(forms.filled(asked), desk.settings.limits)
    await rights.change(desk, asked, after, action=ticket.argument, words=told)
    await answer(
        asked, note_card(f"{told}\n-# It holds from now on; what waits already is painted as it was asked for.")
    )


async def _policy(desk: Desk, asked: Asked) -> Policy:
    return await desk.policies.of(rights.place_of(desk, asked))


# -- panels -----------------------------------------------------------------------------------------------------------


async def show(desk: Desk, asked: Asked, page: int) -> Reply:
    """Everything in words."""
    del page
    place = "direct messages, and everywhere" if asked.guild is None else asked.guild.name
    return panels.show_card(await _policy(desk, asked), place=place)


def _subjects(panel: str) -> Card:
    async def card(desk: Desk, asked: Asked, page: int) -> Reply:
        rights.server_of(desk, asked)
        policy = await _policy(desk, asked)
        return panels.subjects_card(panel, subjects_of(panel, desk, asked, policy.own), policy, page=page)

    return card


async def nsfw(desk: Desk, asked: Asked, page: int) -> Reply:
    """Where pictures for adults are allowed."""
    del page
    rights.server_of(desk, asked)
    return panels.nsfw_card(await _policy(desk, asked))


async def rooms(desk: Desk, asked: Asked, page: int) -> Reply:
    """Channels that Easel posts in."""
    del page
    rights.server_of(desk, asked)
    return panels.rooms_card((await _policy(desk, asked)).own)


async def quotas(desk: Desk, asked: Asked, page: int) -> Reply:
    """Quotas."""
    rights.server_of(desk, asked)
    return panels.quotas_card((await _policy(desk, asked)).own.quotas, page=page)


async def entries(desk: Desk, asked: Asked, page: int) -> Reply:
    """The block list."""
    return panels.entries_card((await _policy(desk, asked)).own.refused, page=page)


async def blocks(desk: Desk, asked: Asked, page: int) -> Reply:
    """Who may not paint here."""
    return panels.blocks_card(await desk.db.guilds.blocks(rights.place_of(desk, asked), now=desk.now()), page=page)


async def log(desk: Desk, asked: Asked, page: int) -> Reply:
    """Who changed what. A page beyond the end is the last."""
    place = rights.place_of(desk, asked)
    found = await desk.db.guilds.log(place, offset=page * LINES, limit=LINES)
    last = max(0, -(-found.total // LINES) - 1)
    if page > last:
        found, page = await desk.db.guilds.log(place, offset=last * LINES, limit=LINES), last
    return panels.log_card(found, page=page)


CARDS: Final[Mapping[str, Card]] = {
    "show": show,
    "models": _subjects("models"),
    "commands": _subjects("commands"),
    "nsfw": nsfw,
    "rooms": rooms,
    "quotas": quotas,
    "words": entries,
    "blocks": blocks,
    "log": log,
}


# -- models and commands ----------------------------------------------------------------------------------------------


def subjects_of(panel: str, desk: Desk, asked: Asked, own: GuildSettings) -> Sequence[Subject]:
    """What may have a rule: what is there, and what a rule names although it is not there any more."""
    ruled = [Subject(rule.name, rule.hash) for rule in panels.rules_of(panel, own)]
    if panel == "models":
        there = [Subject(info.name, info.hash) for info in desk.shelf().checkpoints]
    else:
        there = [
            Subject(name, title="everything that paints" if name == PAINTING else name)
            for name in _commands(desk, asked)
        ]
    known = {subject.name: subject for subject in (*ruled, *there)}
    return (
        tuple(known.values()) if panel == "commands" else sorted(known.values(), key=lambda each: each.name.casefold())
    )


def _commands(desk: Desk, asked: Asked) -> Sequence[str]:
    tree: Any = getattr(asked.client, "tree", None)
    home = desk.settings.discord.guild
    places = (None, discord.Object(home)) if home else (None,)
    named = [command.name for place in places for command in tree.get_commands(guild=place)] if tree else []
    return tuple(dict.fromkeys((*_BY_BUTTONS, *sorted(name for name in named if name not in OPEN_COMMANDS))))


def one_card(panel: str, subject: Subject, own: GuildSettings, *, page: int = 0) -> Reply:
    """The rule of one model or command."""
    rules = {rule.name: rule for rule in panels.rules_of(panel, own)}
    return panels.rule_card(panel, subject, rules.get(subject.name, Rule(name=subject.name)), page=page)


async def _one(desk: Desk, asked: Asked, panel: str, *, key: str, page: int) -> Reply:
    rights.server_of(desk, asked)
    own = (await _policy(desk, asked)).own
    return one_card(panel, _subject(panel, desk, asked, own, key=key), own, page=page)


def _subject(panel: str, desk: Desk, asked: Asked, own: GuildSettings, *, key: str) -> Subject:
    found = next((each for each in subjects_of(panel, desk, asked, own) if each.key == key), None)
    if found is None:
        raise NotFound(_GONE)
    return found


def _chooses(panel: str) -> Deed:
    """One was chosen from the menu: show its rule."""

    async def deed(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
        del key
        return await _one(desk, asked, panel, key=_single(values), page=page)

    return deed


def _rules(panel: str, alter: Callable[[Rule, Values], Rule]) -> Deed:
    """Change the rule of one, and show it."""

    async def deed(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
        rights.server_of(desk, asked)
        own = (await _policy(desk, asked)).own
        subject = _subject(panel, desk, asked, own, key=key)
        before = {rule.name: rule for rule in panels.rules_of(panel, own)}.get(subject.name)
        fresh = Rule(name=subject.name, hash=subject.hash)
        preview = alter(before or fresh, values)

        def make(settings: GuildSettings) -> GuildSettings:
            rules = panels.rules_of(panel, settings)
            rule = next((each for each in rules if each.name == subject.name), fresh)
            return with_(settings, **{panel: replaced(rules, alter(rule, values))})

        told = f"{code(subject.name, limit=100)} is allowed {words.rule_words(preview)}"
        after = await rights.change(desk, asked, make, action=panel, words=told)
        return one_card(panel, subject, after, page=page)

    return deed


def _ids(values: Values) -> tuple[int, ...]:
    """Channels or roles that were chosen; anything else that a client may send is nothing."""
    return tuple(
        dict.fromkeys(int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 20)
    )


def _single(values: Values) -> str:
    if len(values) != 1:
        raise NotFound(_GONE)
    return values[0]


_ALTERATIONS: Final[Mapping[str, Callable[[Rule, Values], Rule]]] = {
    "channels": lambda rule, values: with_(rule, channels=_ids(values), nowhere=False),
    "roles": lambda rule, values: with_(rule, roles=_ids(values), nowhere=False),
    "nowhere": lambda rule, _: with_(rule, nowhere=not rule.nowhere),
    "adult": lambda rule, _: with_(rule, adult=not rule.adult),
    "clear": lambda rule, _: Rule(name=rule.name, hash=rule.hash),
}


async def _listed(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
    """Whether models without a rule are allowed."""
    del key, values
    only = not (await _policy(desk, asked)).own.listed_only
    told = f"Models without a rule are {'not allowed' if only else 'allowed everywhere'}"
    await rights.change(desk, asked, lambda own: with_(own, listed_only=only), action="models", words=told)
    return await CARDS["models"](desk, asked, page)


# -- the others -------------------------------------------------------------------------------------------------------


def _nsfw(mode: str) -> Deed:
    async def deed(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
        del key, values
        rights.server_of(desk, asked)
        before = await _policy(desk, asked)
        known: Any = mode
        told = words.nsfw_words(with_(before, own=with_(before.own, nsfw=known)))
        change = rights.change(
            desk, asked, lambda own: with_(own, nsfw=known), action="nsfw", words=f"Pictures for adults: {told}"
        )
        await change
        return await nsfw(desk, asked, page)

    return deed


async def _nsfw_channels(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
    del key
    rights.server_of(desk, asked)
    chosen = _ids(values)
    told = f"Pictures for adults: in {', '.join(map(words.channel, chosen)) or 'no channel'}, while age-restricted"
    await rights.change(
        desk, asked, lambda own: with_(own, nsfw="chosen", nsfw_channels=chosen), action="nsfw", words=told
    )
    return await nsfw(desk, asked, page)


def _room(field: str, title: str) -> Deed:
    async def deed(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
        del key
        rights.server_of(desk, asked)
        chosen = next(iter(_ids(values)), 0)
        told = f"{title}: {words.channel(chosen) or 'none'}"
        await rights.change(desk, asked, lambda own: with_(own, **{field: chosen}), action="rooms", words=told)
        return await rooms(desk, asked, page)

    return deed


async def _remove_quota(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
    del key
    gone = _single(values)
    own = (await _policy(desk, asked)).own
    told = "; ".join(words.quota_words(quota) for quota in own.quotas if panels.quota_key(quota) == gone)
    if not told:
        raise NotFound(_GONE)

    def make(settings: GuildSettings) -> GuildSettings:
        return with_(settings, quotas=tuple(quota for quota in settings.quotas if panels.quota_key(quota) != gone))

    await rights.change(desk, asked, make, action="quotas", words=f"No quota any more for {told}")
    return await quotas(desk, asked, page)


async def _remove_entry(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
    del key
    own = (await _policy(desk, asked)).own
    entry = next((each for each in own.refused if Subject(each).key == _single(values)), None)
    if entry is None:
        raise NotFound(_GONE)
    await rights.change(
        desk,
        asked,
        lambda settings: with_(settings, refused=blocklist.removed(settings.refused, entry)),
        action="words",
        words=f"{code(entry)} is painted again",
    )
    return await entries(desk, asked, page)


async def _lift(desk: Desk, asked: Asked, key: str, page: int, values: Values) -> Reply:
    del key
    place = rights.place_of(desk, asked)
    for person in _ids(values):
        await lift_block(desk, asked, place, person)
    return await blocks(desk, asked, page)


async def lift_block(desk: Desk, asked: Asked, place: int, person: int) -> bool:
    """Let somebody paint again. False when they were not kept from it."""
    deed = rights.deed_of(desk, asked, "blocks", f"{mention(person)} may paint again")
    lifted = await desk.db.guilds.unblock(place, person, deed=deed)
    desk.policies.forget()
    return lifted


DEEDS: Final[Mapping[str, Deed]] = {
    **{f"{panel}.one": _chooses(panel) for panel in ("models", "commands")},
    **{
        f"{panel}.{name}": _rules(panel, alter)
        for panel in ("models", "commands")
        for name, alter in _ALTERATIONS.items()
    },
    "models.listed": _listed,
    **{f"nsfw.{mode}": _nsfw(mode) for mode in ("off", "restricted", "chosen")},
    "nsfw.channels": _nsfw_channels,
    "rooms.reports": _room("report_channel", "Reports go to"),
    "rooms.showcase": _room("showcase_channel", "The showcase is"),
    "quotas.remove": _remove_quota,
    "words.remove": _remove_entry,
    "blocks.lift": _lift,
}
"""What a control does, by its panel and name."""

HANDLERS: Final[Mapping[Action, Handler]] = {Action.ADMIN: press, Action.ADMIN_FORM: submit}
