"""`/admin`: a server's rules, for those who may manage it; in direct messages, the operator's own.

Owns the commands and their options. Discord hides them from everybody else; each checks again (`admin.rights`).
"""

from collections.abc import Callable
from typing import Any, Final

import discord
from discord import app_commands
from msgspec.structs import replace as with_

from bot.discord_ui import options
from bot.discord_ui.admin import blocking, presses, rights, words
from bot.discord_ui.admin.checkup import check_card
from bot.discord_ui.admin.figures import SPANS, stats_card
from bot.discord_ui.admin.forms import limits_form
from bot.discord_ui.admin.gate import visit_of
from bot.discord_ui.answers import answer
from bot.discord_ui.cards import note_card
from bot.discord_ui.commands.admin_models import add_models
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import code, mention, plain
from bot.errors import LimitReached, RequestRefused
from bot.requests import blocklist, policy
from bot.requests.naming import unknown
from bot.requests.safety import adults_word, check_prompt
from storage.guild_settings import EVERYWHERE, Closed, GuildSettings, Quota

MOST_QUOTAS: Final = 50
LONGEST: Final = 10_000_000.0
"""Seconds of a quota at most; more is no quota at all."""
_TIMES: Final = [
    app_commands.Choice(name=f"for {label}", value=name) for name, (label, _) in blocking.DURATIONS.items()
]
_PER: Final = [app_commands.Choice(name="an hour", value="hour"), app_commands.Choice(name="a day", value="day")]
Group = app_commands.Group


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add `/admin` to `tree`."""
    group = Group(
        name="admin",
        description="Easel's rules in this server",
        default_permissions=discord.Permissions(manage_guild=True),
    )
    _add_panels(group, desk)
    _add_subjects(group, desk)
    _add_quota(group, desk)
    _add_blocklist(group, desk)
    _add_blocks(group, desk)
    _add_gates(group, desk)
    _add_looks(group, desk)
    add_models(group, desk)
    tree.add_command(group)


def _add_panels(group: Group, desk: Desk) -> None:
    """What is chosen on a card: shown to the manager alone."""
    rows = (
        ("show", "show", "Everything that was chosen here, in words, and a menu to change it"),
        ("nsfw", "nsfw", "Where pictures for adults may be painted"),
        ("rooms", "rooms", "Channels for reports and for the showcase"),
        ("log", "log", "Who changed what, and what was reported"),
    )

    def panel(name: str) -> Callable[[Asked], Any]:
        async def callback(interaction: Asked) -> None:
            await answer(interaction, await presses.CARDS[name](desk, interaction, 0))

        return callback

    for name, shown, about in rows:
        group.add_command(app_commands.Command(name=name, description=about, callback=panel(shown)))

    @group.command(name="limits", description="Sizes, steps and pictures that one request may ask for")
    async def limits(interaction: Asked) -> None:
        place = rights.place_of(desk, interaction)
        await interaction.response.send_modal(limits_form(await desk.policies.of(place)))


def _add_subjects(group: Group, desk: Desk) -> None:
    """Models and commands: one by its name, or the list."""

    async def one(interaction: Asked, panel: str, name: str | None) -> None:
        place = rights.server_of(desk, interaction)
        if name is None:
            await answer(interaction, await presses.CARDS[panel](desk, interaction, 0))
            return
        own = (await desk.policies.of(place)).own
        subjects = presses.subjects_of(panel, desk, interaction, own)
        found = next((each for each in subjects if name.casefold() in (each.name.casefold(), each.key)), None)
        if found is None:
            raise unknown(panel.removesuffix("s"), name, [each.name for each in subjects])
        await answer(interaction, presses.one_card(panel, found, own))

    async def suggest(interaction: Asked, panel: str, typed: str) -> list[app_commands.Choice[str]]:
        own = (await desk.policies.of(interaction.guild_id)).own
        named = [each.name for each in presses.subjects_of(panel, desk, interaction, own)]
        return [app_commands.Choice(name=each.name, value=each.value) for each in options.names(named, typed)]

    @group.command(name="models", description="Which models may be used where, and by whom")
    @app_commands.describe(model="One of them; without it, the list")
    async def models(interaction: Asked, model: str | None = None) -> None:
        await one(interaction, "models", model)

    @group.command(name="commands", description="Which commands may be used where, and by whom")
    @app_commands.describe(command="One of them, or painting as a whole; without it, the list")
    async def commands(interaction: Asked, command: str | None = None) -> None:
        await one(interaction, "commands", command)

    @models.autocomplete("model")
    async def suggest_models(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest(interaction, "models", typed)

    @commands.autocomplete("command")
    async def suggest_commands(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest(interaction, "commands", typed)


def _add_quota(group: Group, desk: Desk) -> None:
    @group.command(name="quota", description="Seconds of painting, after which somebody waits in the slow lane")
    @app_commands.describe(
        who="A role or a person; without it, everyone",
        seconds="Of the painter; without it, as many as they like",
        per="In which time",
    )
    @app_commands.choices(per=_PER)
    async def quota(
        interaction: Asked,
        who: discord.Role | discord.Member | None = None,
        seconds: float | None = None,
        per: str = "day",
    ) -> None:
        rights.server_of(desk, interaction)
        if who is None and seconds is None:
            await answer(interaction, await presses.CARDS["quotas"](desk, interaction, 0))
            return
        chosen = quota_for(who, seconds, "hour" if per == "hour" else "day", guild=interaction.guild_id or 0)
        told = f"Quota of {words.quota_words(chosen)}"
        await rights.change(desk, interaction, lambda own: with_quota(own, chosen), action="quotas", words=told)
        await answer(
            interaction, note_card(f"{told}.\n-# After that their jobs wait in the slow lane; none is refused.")
        )


def quota_for(who: Any, seconds: float | None, per: Any, *, guild: int) -> Quota:
    """The quota that the options mean; the role @everyone, whose id is the server's, is everyone. Raises RequestRefused."""
    if seconds is not None and not 0 <= seconds <= LONGEST:
        raise RequestRefused(
            f"A quota has 0 to {LONGEST:,.0f} seconds, or none for as much as they like; not {seconds:g}."
        )
    if who is None or who.id == guild:
        return Quota(who="everyone", seconds=seconds, per=per)
    kind: Any = "role" if isinstance(who, discord.Role) else "person"
    return Quota(who=kind, id=who.id, seconds=seconds, per=per)


def with_quota(own: GuildSettings, chosen: Quota) -> GuildSettings:
    """With `chosen` in place of what held for the same people. Raises LimitReached where there are too many."""
    others = tuple(each for each in own.quotas if (each.who, each.id) != (chosen.who, chosen.id))
    if len(others) >= MOST_QUOTAS:
        raise LimitReached(f"There are {len(others)} quotas, and {MOST_QUOTAS} is the most; remove one first.")
    return with_(own, quotas=(*others, chosen))


def _add_blocklist(group: Group, desk: Desk) -> None:
    words_group = Group(name="blocklist", description="Words that are not painted here", parent=group)

    @words_group.command(description="Refuse prompts with a word, a row of words, or a pattern")
    @app_commands.describe(entry="Such as spider, or big spider*; * stands for any letters")
    async def add(interaction: Asked, entry: str) -> None:
        kept = blocklist.read_entry(entry)

        def make(own: GuildSettings) -> GuildSettings:
            return with_(own, refused=blocklist.added(own.refused, kept))

        await rights.change(desk, interaction, make, action="words", words=f"{code(kept)} is not painted any more")
        await answer(interaction, note_card(f"Prompts that meet {code(kept)} are refused from now on."))

    @words_group.command(description="Take an entry from the list")
    @app_commands.describe(entry="Which one")
    async def remove(interaction: Asked, entry: str) -> None:
        def make(own: GuildSettings) -> GuildSettings:
            return with_(own, refused=blocklist.removed(own.refused, entry))

        await rights.change(desk, interaction, make, action="words", words=f"{code(entry)} is painted again")
        await answer(interaction, note_card(f"{code(entry)} is no longer in the list."))

    @words_group.command(name="list", description="Show the list")
    async def show(interaction: Asked) -> None:
        await answer(interaction, await presses.CARDS["words"](desk, interaction, 0))

    @words_group.command(description="Would this prompt be refused, and by which entry?")
    @app_commands.describe(prompt="It is not painted")
    async def test(interaction: Asked, prompt: str) -> None:
        rules = await desk.policies.of(rights.place_of(desk, interaction))
        adults = policy.why_no_adults(rules, visit_of(interaction))
        await answer(interaction, note_card("\n".join(judged(rules, prompt, adults=adults))))

    @remove.autocomplete("entry")
    async def suggest(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        entries = (await desk.policies.of(rights.place_of(desk, interaction))).own.refused
        return [app_commands.Choice(name=each.name, value=each.value) for each in options.names(entries, typed)]


def judged(rules: policy.Policy, prompt: str, *, adults: str) -> list[str]:
    """What becomes of `prompt`, and why, in lines; `adults` is why there are no pictures for adults in this channel."""
    lines: list[str] = []
    try:
        check_prompt(prompt)
    except RequestRefused as error:
        lines.append(f"🚫 Refused always and everywhere: {plain(error.sentence)}")
    lists = {"the operator's list": rules.house}
    if rules.own is not rules.house:
        lists["this server's list"] = rules.own
    for whose, settings in lists.items():
        hit = blocklist.find(settings.refused, prompt)
        if hit is not None:
            lines.append(f"🚫 Refused by {code(hit.entry)} of {whose}, which reads {code(hit.words)}.")
    word = adults_word(prompt)
    if word:
        lines.append(
            f"🚫 {code(word)} is for adults: {plain(adults)}"
            if adults
            else f"✅ {code(word)} is for adults, and allowed in this channel."
        )
    return lines if any(line.startswith("🚫") for line in lines) else ["✅ It would be painted.", *lines]


def _add_blocks(group: Group, desk: Desk) -> None:
    @group.command(name="block", description="Keep somebody from painting here, and cancel what they have waiting")
    @app_commands.describe(person="Who", duration="How long")
    @app_commands.choices(duration=_TIMES)
    async def block(interaction: Asked, person: discord.User, duration: str = "day") -> None:
        place = rights.place_of(desk, interaction)
        until = await blocking.block(desk, interaction, place, person.id, duration=duration)
        await answer(interaction, note_card(f"{mention(person.id)} may not paint {blocking.until_in_words(until)}."))

    @group.command(name="unblock", description="Let somebody paint again")
    @app_commands.describe(person="Who")
    async def unblock(interaction: Asked, person: discord.User) -> None:
        place = rights.place_of(desk, interaction)
        lifted = await presses.lift_block(desk, interaction, place, person.id)
        await answer(
            interaction, note_card(f"{mention(person.id)} {'may paint again' if lifted else 'was not blocked'}.")
        )

    @group.command(name="blocks", description="Who may not paint here")
    async def blocks(interaction: Asked) -> None:
        await answer(interaction, await presses.CARDS["blocks"](desk, interaction, 0))


def _add_gates(group: Group, desk: Desk) -> None:
    """Pause, drain, resume: here, or everywhere by an operator in direct messages."""

    async def close(interaction: Asked, closed: Closed, why: str) -> None:
        place = rights.place_of(desk, interaction)
        why = " ".join(why.split())[:200]
        told = words.closed_words(GuildSettings(closed=closed, why=why))
        await rights.change(
            desk, interaction, lambda own: with_(own, closed=closed, why=why), action="open", words=told
        )
        desk.dispatcher.hold(None if place == EVERYWHERE else place, held=closed == "paused")
        await answer(
            interaction, note_card(f"{told}\n-# {'Everywhere.' if place == EVERYWHERE else 'In this server.'}")
        )

    @group.command(name="pause", description="Take nothing new, and begin nothing that waits, until /admin resume")
    @app_commands.describe(why="What people are told")
    async def pause(interaction: Asked, why: str = "") -> None:
        await close(interaction, "paused", why)

    @group.command(name="drain", description="Take nothing new; what waits is still painted")
    @app_commands.describe(why="What people are told")
    async def drain(interaction: Asked, why: str = "") -> None:
        await close(interaction, "draining", why)

    @group.command(name="resume", description="Take what is asked for again, and go on with what waits")
    async def resume(interaction: Asked) -> None:
        await close(interaction, "", "")


def _add_looks(group: Group, desk: Desk) -> None:
    @group.command(name="stats", description="What was painted today and this week")
    async def stats(interaction: Asked) -> None:
        place = rights.place_of(desk, interaction)
        here = None if place == EVERYWHERE else place
        rows = [(title, await desk.db.figures.of(here, since=desk.now() - span)) for title, span in SPANS]
        named = interaction.guild.name if interaction.guild else "All of Easel"
        await answer(interaction, stats_card(tuple(rows), place=named, waiting=len(desk.dispatcher.queue(here))))

    @group.command(name="check", description="Whether Easel has every right that it needs, and what to do where not")
    async def check(interaction: Asked) -> None:
        place = rights.server_of(desk, interaction)
        await answer(interaction, check_card(interaction, (await desk.policies.of(place)).own))
