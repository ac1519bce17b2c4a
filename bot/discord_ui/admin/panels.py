"""The cards on which a server's managers see and change what it chose. Facts in, `Reply` out; pure.

Owns their words and controls. A ticket of ours carries the panel, what is done, and what it is done to
(`models.channels.0f3a…`), its number is the page; what that does is `presses`.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.admin import words
from bot.discord_ui.admin.blocking import until_in_words
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.markup import ago, code, counted, mention, plain, shorten
from bot.discord_ui.reply import Button, Choice, Menu, Part, Picker, Reply, Row, Style, Text
from bot.requests.policy import PAINTING, Policy
from storage.guild_settings import Block, GuildSettings, Log, Quota
from storage.guild_settings import Rule as Choosing

T = TypeVar("T")
PAGE: Final = 25
"""Lines of a menu."""
LINES: Final = 10
"""Lines of a log on one card."""
WORDS: Final = 3500
"""Characters of a list on one card; Discord takes 4,000 in all."""
PANELS: Final = (
    ("limits", "Limits", "Sizes, steps, pictures, series"),
    ("models", "Models", "Which may be used where, and by whom"),
    ("commands", "Commands", "The same for commands and painting as a whole"),
    ("quotas", "Quotas", "Seconds of painting an hour or a day, then the slow lane"),
    ("words", "Words not painted", "The block list"),
    ("nsfw", "Pictures for adults", "Where they are allowed"),
    ("rooms", "Reports and showcase", "Channels that Easel posts in"),
    ("blocks", "Blocked people", "Who may not paint here, and until when"),
    ("log", "Log", "Who changed what"),
)
"""Panels by name, with what the menu says of them."""


class Subject(msgspec.Struct, frozen=True):
    """A model or a command that may have a rule."""

    name: str
    hash: str = ""
    title: str = ""

    @property
    def key(self) -> str:
        """Its name as a ticket can carry it."""
        return hashlib.blake2s(self.name.encode(), digest_size=8).hexdigest()


def ticket(argument: str, page: int = 0) -> str:
    """The custom_id of a control on a panel."""
    return Ticket(Action.ADMIN, page, argument).custom_id


def show_card(policy: Policy, *, place: str) -> Reply:
    """Everything that was chosen, in words, and a menu of what can be changed."""
    lines = [f"### Easel in {plain(place, limit=100)}", *words.lines_of(policy)]
    menu = Menu(
        custom_id=ticket("open"),
        placeholder="Change…",
        choices=tuple(Choice(label, name, about) for name, label, about in PANELS),
    )
    return _card(Text(shorten("\n".join(lines), limit=WORDS)), Row((menu,)))


def subjects_card(panel: str, subjects: Sequence[Subject], policy: Policy, *, page: int) -> Reply:
    """Models or commands to choose one of, 25 a page, each with what holds for it."""
    rules = {rule.name: rule for rule in rules_of(panel, policy.own)}
    shown, page, turns = paged(panel, subjects, page=page)
    title = {"models": "Models", "commands": "Commands"}[panel]
    lines = [f"### {title}", "Choose one to say where it may be used, and by whom."]
    controls: list[Part] = []
    if panel == "models":
        rest = "not allowed" if policy.own.listed_only else "allowed everywhere"
        lines.append(f"Models without a rule of their own are **{rest}**.")
        label = "Allow models without a rule" if policy.own.listed_only else "Allow only models with a rule"
        controls.append(Row((_button("models.listed", label, page=page), _back("show"))))
    else:
        controls.append(Row((_back("show"),)))
    if not shown:
        lines.append("There are none yet; the operator puts models into `models/Stable-diffusion`.")
        return _card(Text("\n".join(lines)), *controls)
    choices = tuple(
        Choice(
            shorten(each.title or each.name, limit=100),
            each.key,
            shorten(
                _plain_rule(rules.get(each.name), listed_only=panel == "models" and policy.own.listed_only), limit=100
            ),
        )
        for each in shown
    )
    menu = Menu(custom_id=ticket(f"{panel}.one", page), choices=choices, placeholder="Choose…")
    return _card(Text("\n".join(lines)), Row((menu,)), *turns, *controls)


def rule_card(panel: str, subject: Subject, rule: Choosing, *, page: int) -> Reply:
    """Where one model or command may be used, and by whom."""
    what = "Painting as a whole" if subject.name == PAINTING else code(subject.title or subject.name, limit=100)
    key = subject.key
    text = (
        f"### {what}\nAllowed {words.rule_words(rule)}.\n-# No channel chosen means every channel, no role everybody. "
        "A thread counts as its channel."
    )
    buttons = [_button(f"{panel}.nowhere.{key}", "Allow it again" if rule.nowhere else "Switch it off", page=page)]
    if panel == "models":
        label = "Not only for adults" if rule.adult else "Only where adults' pictures are"
        buttons.append(_button(f"{panel}.adult.{key}", label, page=page))
    buttons += [_button(f"{panel}.clear.{key}", "No rule", page=page), _back(panel, page)]
    return _card(
        Text(text),
        Row(
            (
                Picker(
                    custom_id=ticket(f"{panel}.channels.{key}", page),
                    kind="channels",
                    chosen=rule.channels,
                    placeholder="In which channels? (all)",
                ),
            )
        ),
        Row(
            (
                Picker(
                    custom_id=ticket(f"{panel}.roles.{key}", page),
                    kind="roles",
                    chosen=rule.roles,
                    placeholder="For which roles? (everybody)",
                ),
            )
        ),
        Row(tuple(buttons)),
    )


def rules_of(panel: str, settings: GuildSettings) -> tuple[Choosing, ...]:
    """The rules that a panel is about."""
    return settings.models if panel == "models" else settings.commands


def nsfw_card(policy: Policy) -> Reply:
    """Where pictures for adults are allowed, and what that takes."""
    own = policy.own
    text = (
        f"### Pictures for adults\nNow {words.nsfw_words(policy)}.\n"
        "-# It takes the operator's switch in config.toml, this server's choice, and a channel that Discord has "
        "age-restricted at that moment. Without all three, prompts with such words are refused. Easel reads words and sees "
        "no pictures: mark a model that paints such things unasked with `/admin models`."
    )
    modes = (("off", "Nowhere"), ("restricted", "All age-restricted channels"), ("chosen", "Chosen channels"))
    buttons = tuple(
        _button(f"nsfw.{mode}", label, style="primary" if own.nsfw == mode else "secondary") for mode, label in modes
    )
    parts: list[Part] = [Text(text), Row((*buttons, _back("show")))]
    if own.nsfw == "chosen":
        picker = Picker(
            custom_id=ticket("nsfw.channels"),
            kind="channels",
            chosen=own.nsfw_channels,
            placeholder="Which age-restricted channels?",
        )
        parts.append(Row((picker,)))
    return _card(*parts)


def rooms_card(own: GuildSettings) -> Reply:
    """The channels that Easel posts in by itself."""
    reports = words.channel(own.report_channel) or "nobody yet"
    shown = words.channel(own.showcase_channel)
    showcase = f"{shown}, from {counted(own.star_threshold, 'star')} on" if shown else "none"
    return _card(
        Text(f"### Reports and showcase\nReports of pictures go to {reports}.\nThe showcase is {showcase}."),
        Row((_room("rooms.reports", own.report_channel, "Where do reports go?"),)),
        Row((_room("rooms.showcase", own.showcase_channel, "Where are starred pictures shown?"),)),
        Row((_button("rooms.stars", "Stars needed…"), _back("show"))),
    )


def quotas_card(quotas: Sequence[Quota], *, page: int) -> Reply:
    """Quotas, and a menu to remove one."""
    text = "### Quotas\nAfter them people wait in the slow lane; nobody is refused. `/admin quota` sets one."
    shown, page, turns = paged("quotas", quotas, page=page, size=LINES)
    if not shown:
        return _card(Text(f"{text}\nThere is none yet."), Row((_back("show"),)))
    lines = [f"{number}. {words.quota_words(quota)}" for number, quota in enumerate(shown, page * LINES + 1)]
    choices = tuple(
        Choice(shorten(f"Remove {number}. {_quota_label(quota)}", limit=100), quota_key(quota))
        for number, quota in enumerate(shown, page * LINES + 1)
    )
    menu = Menu(custom_id=ticket("quotas.remove", page), choices=choices, placeholder="Remove one…")
    return _card(Text("\n".join([text, *lines])), Row((menu,)), *turns, Row((_back("show"),)))


def quota_key(quota: Quota) -> str:
    """What a menu sends for it."""
    return f"{quota.who}-{quota.id}"


def entries_card(entries: Sequence[str], *, page: int) -> Reply:
    """The block list, 25 entries a page, and a menu to remove one."""
    text = (
        "### Words not painted\nA prompt that meets one is refused, in whatever spelling Easel sees through. "
        "`/admin blocklist add` adds one (`*` stands for any letters), `/admin blocklist test` tries a prompt."
    )
    shown, page, turns = paged("words", entries, page=page)
    if not shown:
        return _card(Text(f"{text}\nThe list is empty."), Row((_back("show"),)))
    listed = ", ".join(code(entry) for entry in shown)
    choices = tuple(Choice(shorten(f"Remove {entry}", limit=100), Subject(entry).key) for entry in shown)
    menu = Menu(custom_id=ticket("words.remove", page), choices=choices, placeholder="Remove one…")
    return _card(Text(f"{text}\n{listed}"), Row((menu,)), *turns, Row((_back("show"),)))


def blocks_card(blocks: Sequence[Block], *, page: int) -> Reply:
    """Who may not paint here, and a menu to let one."""
    text = "### Blocked people\n`/admin block` keeps somebody from painting here for a while, or for good."
    shown, page, turns = paged("blocks", blocks, page=page, size=LINES)
    if not shown:
        return _card(Text(f"{text}\nNobody is."), Row((_back("show"),)))
    lines = [f"{number}. {mention(each.person)} {until_in_words(each.until)}" for number, each in enumerate(shown, 1)]
    choices = tuple(
        Choice(f"Let number {number} paint again", str(each.person)) for number, each in enumerate(shown, 1)
    )
    menu = Menu(custom_id=ticket("blocks.lift", page), choices=choices, placeholder="Let somebody paint again…")
    return _card(Text("\n".join([text, *lines])), Row((menu,)), *turns, Row((_back("show"),)))


def log_card(log: Log, *, page: int) -> Reply:
    """Who changed what, newest first."""
    pages = max(1, -(-log.total // LINES))
    lines = [f"- {ago(each.created)} {mention(each.person)}: {shorten(each.words, limit=250)}" for each in log.entries]
    text = "\n".join(lines) or "Nothing has been changed or reported yet."
    head = f"### Log\n-# {counted(log.total, 'line')}, page {page + 1} of {pages}"
    return _card(Text(f"{head}\n{text}"), *_turns("log", page=page, pages=pages), Row((_back("show"),)))


def paged(panel: str, rows: Sequence[T], *, page: int, size: int = PAGE) -> tuple[Sequence[T], int, tuple[Row, ...]]:
    """Rows of a page, the page that was meant (the nearest that exists), and the row of ◀ ▶ where it takes more than one."""
    pages = max(1, -(-len(rows) // size))
    page = min(max(page, 0), pages - 1)
    return rows[page * size : (page + 1) * size], page, _turns(panel, page=page, pages=pages)


def _turns(panel: str, *, page: int, pages: int) -> tuple[Row, ...]:
    if pages == 1:
        return ()
    back = Button(custom_id=ticket(f"{panel}.turn.back", max(0, page - 1)), emoji="◀️", disabled=page == 0)
    on = Button(custom_id=ticket(f"{panel}.turn.on", page + 1), emoji="▶️", disabled=page + 1 >= pages)
    return (Row((back, on)),)


def _button(argument: str, label: str, *, page: int = 0, style: Style = "secondary") -> Button:
    return Button(custom_id=ticket(argument, page), label=label, style=style)


def _back(panel: str, page: int = 0) -> Button:
    return _button(f"{panel}.turn.up", "Back", page=page)


def _room(argument: str, chosen: int, placeholder: str) -> Picker:
    return Picker(
        custom_id=ticket(argument),
        kind="channels",
        chosen=(chosen,) if chosen else (),
        placeholder=placeholder,
        most=1,
    )


def _plain_rule(rule: Choosing | None, *, listed_only: bool) -> str:
    """What holds, where Discord shows no names of channels: in the line of a menu."""
    if rule is None:
        return "not allowed" if listed_only else "everywhere, for everybody"
    if rule.nowhere:
        return "switched off"
    said = [
        counted(len(rule.channels), "channel") if rule.channels else "every channel",
        counted(len(rule.roles), "role") if rule.roles else "everybody",
    ]
    return ", ".join(said + (["adults only"] if rule.adult else []))


def _quota_label(quota: Quota) -> str:
    much = "no limit" if quota.seconds is None else f"{quota.seconds:g} s a {quota.per}"
    return f"{quota.who}: {much}"


def _card(*parts: Part) -> Reply:
    return Reply(parts=parts, accent=ACCENT)
