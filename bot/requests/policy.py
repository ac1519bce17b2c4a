"""What may be asked for here, now, by this person: a server's choices and the operator's bounds, read as one sentence each.

Owns the meaning of `storage.guild_settings`. Pure: whoever asks brings the policy, the place and the time; `LimitReached` is
raised with what was wrong and where or when it would be right. What is never painted anywhere is `safety`'s.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from bot.errors import LimitReached
from bot.requests import blocklist
from bot.requests.drafts import shown
from bot.requests.naming import LISTED, joined
from bot.requests.safety import adults_word, texts_of
from bot.settings import LimitSettings, ModerationSettings
from inference.api.request import GenerationRequest, ModelRef, Request
from storage.guild_settings import SECONDS, Allowance, GuildSettings, Quota, Rule

PAINTING: Final = "painting"
"""The name of a command's rule that holds for all that paints, however it is asked for."""
OPEN_COMMANDS: Final = frozenset({"admin", "help", "queue"})
"""Commands that no rule can take away: those by which one finds out why, and what is one's own."""
T = TypeVar("T")


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and where. `channel` is a thread's parent; `restricted` as Discord has its age restriction now.

    `private`: the answer goes into direct messages. `guild` is None in a conversation with the bot.
    """

    person: int
    guild: int | None
    channel: int
    roles: frozenset[int] = frozenset()
    restricted: bool = False
    private: bool = False


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides in one server. `house` is what the operator chose for everywhere; `blocks` maps people to until when."""

    own: GuildSettings
    house: GuildSettings
    limits: LimitSettings
    moderation: ModerationSettings
    blocks: Mapping[int, float | None] = {}


def check(policy: Policy, visit: Visit, request: Request, *, command: str, now: float) -> None:
    """Return when `visit` may have `request` painted by `command`. Raises LimitReached with one sentence."""
    check_open(policy)
    check_still(policy, visit, request, command=command, now=now)


def check_still(policy: Policy, visit: Visit, request: Request, *, command: str, now: float) -> None:
    """The same for what was agreed to earlier and begins only now: it does not mind that nothing new is taken."""
    check_person(policy, visit, now=now)
    check_command(policy, visit, PAINTING)
    check_command(policy, visit, command)
    check_models(policy, visit, request)
    check_size(policy, request)
    check_words(policy, request)
    check_adults(policy, visit, request)


def check_open(policy: Policy) -> None:
    """Raise LimitReached while nothing new is taken, here or anywhere."""
    for settings, whose in ((policy.house, "Easel"), (policy.own, "Easel in this server")):
        if settings.closed:
            why = f" ({shown(settings.why, limit=200)})" if settings.why else ""
            rest = "what waits is kept" if settings.closed == "paused" else "what waits is still painted"
            raise LimitReached(f"{whose} takes nothing new right now{why}; {rest}. Try again later.")


def check_person(policy: Policy, visit: Visit, *, now: float) -> None:
    """Raise LimitReached where this person was kept from painting."""
    if visit.person not in policy.blocks:
        return
    until = policy.blocks[visit.person]
    if until is not None and until <= now:
        return
    when = "" if until is None else f" until {moment(until)}"
    raise LimitReached(f"The moderators have blocked you from painting here{when}; ask them why.")


def check_command(policy: Policy, visit: Visit, command: str) -> None:
    """Raise LimitReached where a command may not be used by this person in this channel."""
    rule = next((rule for rule in policy.own.commands if rule.name == command), None)
    if rule is not None and command not in OPEN_COMMANDS:
        what = "Painting" if command == PAINTING else f"“{command}”"
        _check_rule(rule, visit, what)


def check_models(policy: Policy, visit: Visit, request: Request) -> None:
    """Raise LimitReached where one of the checkpoints that `request` needs may not be used by this person in this channel."""
    for model in models_of(request):
        rule = rule_of(policy.own.models, model)
        what = f"The model “{shown(model.name)}”"
        if rule is None and policy.own.listed_only:
            listed = [each.name for each in policy.own.models if not each.nowhere][:LISTED]
            instead = f"choose {joined(listed)}" if listed else "it allows none at all"
            raise LimitReached(f"{what} is not one of those that this server allows; {instead}.")
        if rule is None:
            continue
        _check_rule(rule, visit, what)
        if rule.adult and (closed := why_no_adults(policy, visit)):
            raise LimitReached(f"{what} is marked as one for adults. {closed}")


def check_size(policy: Policy, request: Request) -> None:
    """Raise LimitReached where `request` asks for more than this server allows."""
    if not isinstance(request, GenerationRequest):
        return
    limits, (width, height) = limits_of(policy), request.size
    hires = request.hires.steps if request.hires else 0
    if width * height > limits.megapixels * 1e6:
        raise LimitReached(
            f"A picture of {width} × {height} has more than the {limits.megapixels:g} megapixels that are allowed here; "
            "ask for a smaller one."
        )
    if max(request.sampling.steps, hires) > limits.steps:
        raise LimitReached(
            f"At most {limits.steps} steps are allowed here, not {max(request.sampling.steps, hires):,}."
        )
    if len(request.control) > policy.limits.controls:
        raise LimitReached(
            f"A picture may follow {policy.limits.controls} controls at most here, not {len(request.control)}; take some out."
        )
    if request.count > limits.count:
        pictures = "picture" if limits.count == 1 else "pictures"
        raise LimitReached(f"At most {limits.count} {pictures} at once may be asked for here, not {request.count}.")


def check_cells(policy: Policy, cells: int) -> None:
    """Raise LimitReached where a plot, or any other series, has more cells than this server allows."""
    most = limits_of(policy).cells
    if cells > most:
        raise LimitReached(f"At most {most} pictures may be asked for in one go here, not {cells:,}; ask for fewer.")


def check_words(policy: Policy, request: Request) -> None:
    """Raise LimitReached where the prompt meets an entry of a block list."""
    text = "\n".join(texts_of(request))
    if any(blocklist.find(settings.refused, text) for settings in (policy.own, policy.house)):
        # not which one: a list that answers is a list that can be read out
        raise LimitReached("Something in this prompt is on the list of what is not painted here; say it differently.")


def check_adults(policy: Policy, visit: Visit, request: Request) -> None:
    """Raise LimitReached where the prompt asks for what only adults should see, in a place that is not for it."""
    word = adults_word("\n".join(texts_of(request)))
    closed = why_no_adults(policy, visit) if word else ""
    if closed:
        raise LimitReached(f"“{shown(word)}” is for adults. {closed}")


def is_for_adults(policy: Policy, request: Request) -> bool:
    """Whether its words, or one of the checkpoints that it needs, are for adults by the rules of this server."""
    rules = (rule_of(policy.own.models, model) for model in models_of(request))
    return bool(adults_word("\n".join(texts_of(request)))) or any(rule is not None and rule.adult for rule in rules)


def why_no_adults(policy: Policy, visit: Visit) -> str:
    """Why there are no pictures for adults in this place, in a sentence; empty where they are allowed."""
    if not policy.moderation.nsfw:
        return "The operator of this Easel has not allowed such pictures anywhere."
    if (visit.guild is None or visit.private) and not policy.moderation.nsfw_in_dms:
        return "Such pictures are not sent in direct messages."
    if visit.guild is None:
        return ""
    if policy.own.nsfw == "off":
        return "This server has not allowed such pictures; its managers would do that with /admin nsfw."
    if not visit.restricted:
        return "Such pictures are painted in age-restricted channels only, and this channel is none."
    if policy.own.nsfw == "chosen" and visit.channel not in policy.own.nsfw_channels:
        return "This server allows such pictures in some of its age-restricted channels, and not in this one."
    return ""


def limits_of(policy: Policy) -> "Bounds":
    """The most that one request may ask for here: the server's numbers, none above the operator's."""
    own, operator = policy.own.limits, policy.limits
    return Bounds(
        megapixels=min(own.megapixels or operator.max_megapixels, operator.max_megapixels),
        steps=min(own.steps or operator.max_steps, operator.max_steps),
        count=own.count or MOST_PICTURES,
        cells=min(own.cells or operator.series_cells, operator.series_cells),
    )


MOST_PICTURES: Final = 16
"""More pictures than any job may have: no bound of a server's own."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The most that one request, or one series, may ask for."""

    megapixels: float
    steps: int
    count: int
    cells: int


def allowance_of(policy: Policy, visit: Visit, *, now: float) -> Allowance | None:
    """What this person may use of the fast lane; None for as much as they like.

    A quota for the person counts before those of roles, of which the most generous holds, and these before everyone's.
    """
    quota = quota_of(policy.own.quotas, person=visit.person, roles=visit.roles)
    if quota is None or quota.seconds is None or visit.guild is None:
        return None
    return Allowance(
        guild=visit.guild,
        seconds=quota.seconds,
        since=now - SECONDS[quota.per],
        words=f"your {quota.seconds:g} s of painting {_PER[quota.per]} in this server are used up",
    )


def quota_of(quotas: Sequence[Quota], *, person: int, roles: Collection[int]) -> Quota | None:
    """The quota that holds for somebody; None where there is none for them."""
    own = [quota for quota in quotas if quota.who == "person" and quota.id == person]
    held = [quota for quota in quotas if quota.who == "role" and quota.id in roles]
    rest = [quota for quota in quotas if quota.who == "everyone"]
    return max(own or held or rest, key=_generosity, default=None)


def rule_of(rules: Sequence[Rule], model: ModelRef) -> Rule | None:
    """The rule for a model: by its hash where both are known, so that a new name changes nothing, else by its name."""
    same = (rule for rule in rules if model.hash and rule.hash == model.hash)
    return next(same, None) or next((rule for rule in rules if rule.name == model.name), None)


def models_of(request: Request) -> Iterator[ModelRef]:
    """Every checkpoint that `request` needs."""
    if not isinstance(request, GenerationRequest):
        return
    yield request.model
    if request.hires is not None and request.hires.model is not None:
        yield request.hires.model
    if request.refiner is not None:
        yield request.refiner.model


def replaced(rules: Sequence[Rule], rule: Rule) -> tuple[Rule, ...]:
    """`rules` with `rule` in place of the one of its name; one that asks for nothing is left out."""
    others = tuple(each for each in rules if each.name != rule.name)
    return others if rule.idle else tuple(sorted((*others, rule), key=lambda each: each.name.casefold()))


def moment(when: float) -> str:
    """A moment as a sentence may say it."""
    return datetime.fromtimestamp(when, UTC).strftime("%d %B %Y, %H:%M UTC")


_PER: Final = {"hour": "an hour", "day": "a day"}


def _generosity(quota: Quota) -> float:
    return float("inf") if quota.seconds is None else quota.seconds / SECONDS[quota.per]


def _check_rule(rule: Rule, visit: Visit, what: str) -> None:
    if rule.nowhere:
        raise LimitReached(f"{what} is switched off in this server.")
    if rule.channels and visit.channel not in rule.channels:
        raise LimitReached(f"{what} is not allowed in this channel; it is in others of this server.")
    if rule.roles and not visit.roles.intersection(rule.roles):
        raise LimitReached(f"{what} is for some roles of this server only, and you have none of them.")
