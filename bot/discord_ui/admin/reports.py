"""Reports: somebody says that a picture should not be here, and the server's moderators decide.

Owns the form, the moderators' card with the picture behind a spoiler, and what its buttons do. Each report is decided once,
and every step stands in the log. Refuses to judge: nothing happens to a picture before a moderator presses something.
"""

import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import discord

from bot.discord_ui.actions import Action, Ticket, read_ticket
from bot.discord_ui.admin import rights
from bot.discord_ui.admin.blocking import DURATIONS, block, until_in_words
from bot.discord_ui.admin.forms import filled
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.cards import FAILURE_ACCENT, alt_text, note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.fields import form, text
from bot.discord_ui.markup import code, mention, plain
from bot.discord_ui.posting import places
from bot.discord_ui.posting.nonces import custom_ids
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.removing import remove_picture
from bot.discord_ui.reply import Attachment, Button, Choice, Gallery, Menu, Part, Picture, Reply, Row, Text
from bot.discord_ui.shown import picture_of, shown_picture
from bot.errors import NotAllowed, NotFound
from storage.errors import Missing
from storage.guild_settings import Report
from storage.guilds import Deed
from storage.values import Image

log = logging.getLogger(__name__)

REASON: Final = "reason"
LONGEST: Final = 500
"""Characters of a reason."""
IN_PRIVATE: Final = "Reports go to a server's moderators, and here there are none. 🗑️ takes a picture of yours away."
NO_PICTURE: Final = "That message shows no picture of Easel; there is nothing to report to the moderators."
NO_ROOM: Final = "It is written down. This server has chosen no channel for reports yet; tell a moderator as well."
SHUT: Final = "It is written down, but the moderators' channel is closed to me; tell a moderator as well."
THANKS: Final = "Thank you. The moderators see it now; nobody else learns who reported it."
TWICE: Final = "You have reported this picture already, and the moderators have not decided yet."
SHOWN: Final = 4
"""Pictures on a moderators' card."""
_PICTURES: Final = frozenset({Action.SINGLE, Action.VARY_STRONG, Action.AGAIN, Action.PNG})


async def report_message(desk: Desk, asked: Asked, message: discord.Message) -> None:
    """The message menu: all pictures that a message of ours shows. Raises NotFound, NotAllowed."""
    mine = asked.client.user is not None and message.author.id == asked.client.user.id
    carried: list[Any] = [part.to_dict() for part in message.components] if mine else []
    tickets = [ticket for custom_id in custom_ids(carried) if (ticket := read_ticket(custom_id)) is not None]
    about = [ticket.id for ticket in tickets if ticket.action in _PICTURES]
    if not about:
        raise NotFound(NO_PICTURE)
    await _open(desk, asked, about[0], message=message.id)


async def open_form(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """🚩: one picture."""
    del values
    await _open(desk, asked, ticket.id, message=0)


async def _open(desk: Desk, asked: Asked, image: int, *, message: int) -> None:
    if asked.guild_id is None:
        raise NotAllowed(IN_PRIVATE)
    await picture_of(desk.db, image)
    hint = "What is wrong with it? The moderators read this, and see who wrote it."
    fields = [text(REASON, "Why should it not be here?", hint=hint, required=True, longest=LONGEST)]
    await asked.response.send_modal(form("Report a picture", Ticket(Action.REPORT_FORM, image, str(message)), fields))


async def send(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The form was sent: write it down, tell the moderators, and thank."""
    del values
    if asked.guild_id is None:
        raise NotAllowed(IN_PRIVATE)
    await asked.response.defer(ephemeral=True, thinking=True)
    image = await picture_of(desk.db, ticket.id)
    message = int(ticket.argument) if ticket.argument.isdecimal() else 0
    reason = filled(asked).get(REASON, "").strip()[:LONGEST] or "no reason given"
    report, new = await desk.db.reports.add(
        image,
        guild=asked.guild_id,
        reporter=asked.user.id,
        reason=reason,
        place=(asked.channel_id or 0, message),
        now=desk.now(),
    )
    if not new:
        await answer(asked, note_card(TWICE))
        return
    told = f"reported picture {code(str(image.id))} of {mention(image.person)}: {plain(reason, limit=120)}"
    await desk.db.guilds.note(asked.guild_id, rights.deed_of(desk, asked, "reports", told))
    await answer(asked, note_card(await _tell_moderators(desk, asked.client, report, image)))


async def _tell_moderators(desk: Desk, client: discord.Client, report: Report, image: Image) -> str:
    """Post the card; what to tell the person who reported."""
    room = (await desk.policies.of(report.guild)).own.report_channel
    if not room:
        return NO_ROOM
    card = await report_card(desk, report, await _pictures_of(desk, report, image), image)
    try:
        await places.post(client, room, card, nonce=f"easel-report-{report.id}"[:25])
    except places.SHUT:
        log.warning("The moderators' channel %d of server %d is closed to Easel", room, report.guild)
        return SHUT
    return THANKS


async def report_card(desk: Desk, report: Report, images: Sequence[Image], first: Image) -> Reply:
    """What the moderators see of an open report."""
    files: list[Attachment] = []
    for each in images[:SHOWN]:
        with contextlib.suppress(NotFound):
            shown = await shown_picture(desk.db, each)
            files.append(Attachment(shown.name, shown.data, alt_text(each.prompt, index=0, count=1)))
    link = f"https://discord.com/channels/{report.guild}/{report.channel}"
    seen = report.message or first.message
    where = f"[its message]({link}/{seen})" if seen else f"<#{report.channel}>"
    words = (
        f"### 🚩 Report {report.id}\n{mention(report.reporter)}: {plain(report.reason, limit=LONGEST)}\n"
        f"By {mention(first.person)}, job {code(str(first.job))}, picture {code(str(first.id))}, {where}\n"
        f"> {plain(first.prompt, limit=600) or 'Without words'}"
    )
    gallery = (Gallery(tuple(Picture(file.name, file.description, spoiler=True) for file in files)),) if files else ()
    several = len(images) > 1
    buttons = Row(
        (
            _button(report, "remove", "Remove the pictures" if several else "Remove the picture", danger=True),
            _button(report, "dismiss", "Leave it"),
        )
    )
    return Reply(parts=(Text(words), *gallery, buttons, _block_menu(report)), files=tuple(files), accent=FAILURE_ACCENT)


async def judge(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """A button or the menu of a moderators' card."""
    rights.check_moderator(desk, asked)
    report = await desk.db.reports.get(ticket.id)
    if report is None or report.guild != asked.guild_id:
        raise NotFound("That report is not one of this server's.")
    deed = _JUDGEMENTS.get(ticket.argument)
    if deed is None:
        raise NotFound("This button is from a version of Easel that knew something else.")
    await deed(desk, asked, report, values)


async def _remove(desk: Desk, asked: Asked, report: Report, values: Values) -> None:
    """The picture goes, from the channel and from its owner's gallery."""
    del values
    await asked.response.defer()
    if not await desk.db.reports.decide(report.id, state="removed", moderator=asked.user.id):
        raise NotFound(await _decided(desk, report))
    image = await desk.db.images.get(report.image)
    images: Sequence[Image] = () if image is None else await _pictures_of(desk, report, image)
    shown = {(each.message_channel, each.message) for each in images if each.message}
    shown |= {(report.channel, report.message)} if report.message else set()
    for each in images:
        with contextlib.suppress(Missing):
            await remove_picture(desk, each.id)
    for channel, message in sorted(shown):
        with contextlib.suppress(*places.SHUT):
            await asked.client.get_partial_messageable(channel).get_partial_message(message).delete()
    told = f"removed what report {report.id} was about: picture {code(str(report.image))} of {mention(report.painter)}"
    await desk.db.guilds.note(report.guild, rights.deed_of(desk, asked, "reports", told))
    await replace(asked, decided_card(report, f"{mention(asked.user.id)} removed it."))


async def _dismiss(desk: Desk, asked: Asked, report: Report, values: Values) -> None:
    """The picture stays."""
    del values
    await asked.response.defer()
    if not await desk.db.reports.decide(report.id, state="dismissed", moderator=asked.user.id):
        raise NotFound(await _decided(desk, report))
    deed: Deed = rights.deed_of(desk, asked, "reports", f"left what report {report.id} was about where it is")
    await desk.db.guilds.note(report.guild, deed)
    await replace(asked, decided_card(report, f"{mention(asked.user.id)} left it where it is."))


async def _block(desk: Desk, asked: Asked, report: Report, values: Values) -> None:
    """Who painted it may not paint here for a while. The report stays as it is."""
    if len(values) != 1 or values[0] not in DURATIONS:
        raise NotFound("That is no time of this menu; choose one from it.")
    until = await block(desk, asked, report.guild, report.painter, duration=values[0])
    await answer(asked, note_card(f"{mention(report.painter)} may not paint here {until_in_words(until)}."))


def decided_card(report: Report, outcome: str) -> Reply:
    """A report that was decided: without the picture; its painter can still be blocked."""
    words = (
        f"### Report {report.id}\n{mention(report.reporter)} on a picture of {mention(report.painter)}: "
        f"{plain(report.reason, limit=LONGEST)}\n**{outcome}**"
    )
    parts: tuple[Part, ...] = (Text(words), _block_menu(report))
    return Reply(parts=parts)


async def _pictures_of(desk: Desk, report: Report, image: Image) -> Sequence[Image]:
    """What a report is about: all pictures of its message, or the one."""
    together = await desk.db.images.of_message(report.message) if report.message else ()
    return together if any(each.id == image.id for each in together) else (image,)


async def _decided(desk: Desk, report: Report) -> str:
    now = await desk.db.reports.get(report.id)
    done = {"removed": "removed", "dismissed": "left"}.get(now.state if now else "", "decided")
    return f"Another moderator has already {done} it." if done != "left" else "Another moderator has left it already."


def _button(report: Report, what: str, label: str, *, danger: bool = False) -> Button:
    style: Any = "danger" if danger else "secondary"
    return Button(custom_id=Ticket(Action.JUDGE, report.id, what).custom_id, label=label, style=style)


def _block_menu(report: Report) -> Row:
    choices = tuple(
        Choice(f"Block for {label}" if seconds else "Block for good", name)
        for name, (label, seconds) in DURATIONS.items()
    )
    custom_id = Ticket(Action.JUDGE, report.id, "block").custom_id
    return Row((Menu(custom_id=custom_id, choices=choices, placeholder="Block who painted it from painting here…"),))


_JUDGEMENTS: Final = {"remove": _remove, "dismiss": _dismiss, "block": _block}

HANDLERS: Final[Mapping[Action, Handler]] = {
    Action.REPORT: open_form,
    Action.REPORT_FORM: send,
    Action.JUDGE: judge,
}
