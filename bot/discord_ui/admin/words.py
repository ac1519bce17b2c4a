"""A server's choices in words: every rule, limit and quota as a line. Pure.

Owns the sentences of `/admin show`. What they mean is `bot.requests.policy`.
"""

from collections.abc import Iterator, Sequence

from bot.discord_ui.markup import code, counted, mention, plain
from bot.requests.policy import PAINTING, Policy, limits_of
from storage.guild_settings import GuildSettings, Quota, Rule


def lines_of(policy: Policy) -> Iterator[str]:
    """Everything that holds here, a line each."""
    own = policy.own
    yield f"**Open?** {closed_words(own)}"
    if policy.house.closed and policy.house is not own:
        yield f"**Everywhere:** {closed_words(policy.house)} (the operator's choice)"
    yield f"**Models:** {_models(own)}"
    yield f"**Commands:** {_rules(own.commands, none='no rules; all of them everywhere')}"
    yield f"**Limits:** {limits_words(policy)}"
    yield f"**Quotas:** {_quotas(own.quotas)}"
    yield f"**Words not painted:** {counted(len(own.refused), 'entry').replace('entrys', 'entries')}"
    yield f"**Pictures for adults:** {nsfw_words(policy)}"
    yield f"**Reports go to** {channel(own.report_channel) or 'nobody: choose a channel with `/admin rooms`'}"
    shown = channel(own.showcase_channel)
    stars = counted(own.star_threshold, "star")
    yield f"**Showcase:** {f'{shown}, from {stars} on' if shown else 'none'}"
    yield f"**Blocked people:** {len(policy.blocks)}"


def closed_words(settings: GuildSettings) -> str:
    """Whether anything new is taken."""
    why = f" — {plain(settings.why, limit=200)}" if settings.why else ""
    return {
        "": "Open to everybody.",
        "paused": f"Paused: nothing new is taken, and what waits is kept waiting{why}.",
        "draining": f"Draining: nothing new is taken, and what waits is painted{why}.",
    }[settings.closed]


def rule_words(rule: Rule) -> str:
    """Where and for whom."""
    if rule.nowhere:
        return "nowhere"
    where = f"in {', '.join(channel(each) for each in rule.channels)}" if rule.channels else "everywhere"
    whom = f"for {', '.join(role(each) for each in rule.roles)}" if rule.roles else "for everybody"
    return f"{where}, {whom}{', where pictures for adults are allowed' if rule.adult else ''}"


def limits_words(policy: Policy) -> str:
    """The most that may be asked for, and what is the operator's."""
    bounds, own = limits_of(policy), policy.own.limits
    said = (
        (f"{bounds.megapixels:g} megapixels", own.megapixels),
        (counted(bounds.steps, "step"), own.steps),
        (counted(min(bounds.count, 4), "picture") + " at once", own.count),
        (counted(bounds.cells, "picture") + " in a series", own.cells),
    )
    return ", ".join(words if chosen else f"{words} (the operator's)" for words, chosen in said)


def quota_words(quota: Quota) -> str:
    """Who, and how much of the fast lane."""
    who = {"everyone": "everyone", "role": role(quota.id), "person": mention(quota.id)}[quota.who]
    much = "as much as they like" if quota.seconds is None else f"{quota.seconds:g} s of painting"
    per = {"hour": " an hour", "day": " a day"}[quota.per] if quota.seconds is not None else ""
    return f"{who}: {much}{per}"


def nsfw_words(policy: Policy) -> str:
    """What is allowed, and whose word is missing."""
    if not policy.moderation.nsfw:
        return "refused everywhere; this Easel's operator has not allowed them"
    own = policy.own
    if own.nsfw == "restricted":
        return "in every age-restricted channel"
    if own.nsfw == "chosen":
        chosen = ", ".join(channel(each) for each in own.nsfw_channels) or "none yet"
        return f"in these channels, while they are age-restricted: {chosen}"
    return "refused everywhere in this server"


def channel(number: int) -> str:
    """A channel by name; empty for none."""
    return f"<#{number}>" if number else ""


def role(number: int) -> str:
    """A role by name; it pings nobody."""
    return f"<@&{number}>"


def _models(own: GuildSettings) -> str:
    rest = "all others are not allowed" if own.listed_only else "all others everywhere"
    if not own.models:
        return "none is allowed: choose some" if own.listed_only else "all of them everywhere"
    return f"{_rules(own.models, none='')}; {rest}"


def _rules(rules: Sequence[Rule], *, none: str, shown: int = 8) -> str:
    said = [
        f"{code(rule.name, limit=60) if rule.name != PAINTING else 'painting as a whole'} {rule_words(rule)}"
        for rule in rules
    ]
    more = f"; and {len(said) - shown} more" if len(said) > shown else ""
    return ("; ".join(said[:shown]) + more) or none


def _quotas(quotas: Sequence[Quota], *, shown: int = 6) -> str:
    said = [quota_words(quota) for quota in quotas]
    more = f"; and {len(said) - shown} more" if len(said) > shown else ""
    return ("; ".join(said[:shown]) + more) or "none; nobody is slowed down"
