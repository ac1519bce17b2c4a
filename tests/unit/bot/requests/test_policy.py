"""What may be asked for where, by whom and when: one sentence each, and nothing more is refused than was chosen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import LimitReached
from bot.requests.policy import (
    PAINTING,
    Policy,
    Visit,
    allowance_of,
    check,
    check_cells,
    limits_of,
    quota_of,
    replaced,
    why_no_adults,
)
from bot.settings import LimitSettings, ModerationSettings
from inference.api.request import Canvas, GenerationRequest, Hires, ModelRef, Prompt, Refiner, Sampling, Seeds
from storage.guild_settings import GuildLimits, GuildSettings, Quota, Rule

NOW = 1_793_880_000.0
HERE = Visit(person=1, guild=10, channel=20, roles=frozenset({10, 5}))


def policy(house: GuildSettings | None = None, nsfw: bool = True, blocks: Any = None, **own: Any) -> Policy:
    """A server's choices; the operator allows pictures for adults."""
    return Policy(
        own=GuildSettings(**own),
        house=house or GuildSettings(),
        limits=LimitSettings(),
        moderation=ModerationSettings(nsfw=nsfw),
        blocks=blocks or {},
    )


def painting(positive: str = "a cat", *, model: str = "gradient", steps: int = 20, **more: Any) -> GenerationRequest:
    """A request for one picture."""
    return GenerationRequest(
        prompt=Prompt(positive),
        canvas=Canvas(512, 512),
        seeds=Seeds(1),
        model=ModelRef(model, "abc" if model == "gradient" else ""),
        sampling=Sampling(steps=steps),
        **more,
    )


def refused(
    rules: Policy, visit: Visit = HERE, request: GenerationRequest | None = None, command: str = "imagine"
) -> str:
    """The sentence of a refusal, or nothing."""
    try:
        check(rules, visit, request or painting(), command=command, now=NOW)
    except LimitReached as error:
        return str(error)
    return ""


def test_where_nothing_was_chosen_everything_is_allowed() -> None:
    """A server that never chose anything refuses nothing, and slows nobody down."""
    assert refused(policy()) == ""
    assert allowance_of(policy(), HERE, now=NOW) is None


CASES: tuple[tuple[dict[str, Any], GenerationRequest, str], ...] = (
    ({"closed": "paused", "why": "moving"}, painting(), "takes nothing new right now (moving); what waits is kept"),
    ({"closed": "draining"}, painting(), "what waits is still painted"),
    ({"house": GuildSettings(closed="paused")}, painting(), "Easel takes nothing new"),
    ({"blocks": {1: None}}, painting(), "have blocked you from painting here; ask"),
    ({"blocks": {1: NOW + 60}}, painting(), "until 05 November 2026, 12:01 UTC"),
    ({"commands": (Rule(name=PAINTING, nowhere=True),)}, painting(), "Painting is switched off"),
    ({"commands": (Rule(name="imagine", channels=(21,)),)}, painting(), "“imagine” is not allowed in this channel"),
    ({"commands": (Rule(name="imagine", roles=(6,)),)}, painting(), "for some roles"),
    ({"models": (Rule(name="gradient", channels=(21,)),)}, painting(), "“gradient” is not allowed in this channel"),
    ({"models": (Rule(name="old name", hash="abc", nowhere=True),)}, painting(), "“gradient” is switched off"),
    ({"models": (Rule(name="x", nowhere=True),)}, painting(hires=Hires(model=ModelRef("x"))), "“x” is switched off"),
    ({"models": (Rule(name="x", nowhere=True),)}, painting(refiner=Refiner(ModelRef("x"))), "“x” is switched off"),
    ({"models": (Rule(name="gradient", adult=True),)}, painting(), "marked as one for adults. This server has not"),
    ({"listed_only": True}, painting(), "it allows none at all"),
    ({"listed_only": True, "models": (Rule(name="b", roles=(5,)),)}, painting(), "choose “b”"),
    ({"limits": GuildLimits(steps=10)}, painting(), "At most 10 steps are allowed here, not 20"),
    ({"limits": GuildLimits(steps=25)}, painting(hires=Hires(steps=30)), "At most 25 steps are allowed here, not 30"),
    ({"limits": GuildLimits(count=1)}, painting(count=2), "At most 1 picture at once"),
    ({"limits": GuildLimits(megapixels=0.2)}, painting(), "more than the 0.2 megapixels"),
    ({"limits": GuildLimits(megapixels=0.5)}, painting(hires=Hires()), "more than the 0.5 megapixels"),
    ({"refused": ("spider*",)}, painting("a sp1ders web"), "on the list of what is not painted"),
    ({"house": GuildSettings(refused=("spider",))}, painting("spider"), "on the list of what is not painted"),
    ({"refused": ("spider",)}, painting(hires=Hires(prompt="spider")), "on the list of what is not painted"),
    ({"nsfw": False}, painting("nude"), "“nude” is for adults. The operator"),
)  # fmt: skip


@pytest.mark.parametrize(("chosen", "request_", "words"), CASES)
def test_each_refusal_is_a_sentence(chosen: dict[str, Any], request_: GenerationRequest, words: str) -> None:
    """It says what was wrong, and where or when it would be right."""
    told = refused(policy(**chosen) if chosen.get("nsfw") is not False else policy(nsfw=False), request=request_)
    assert words in told
    assert told.count(". ") <= 2


ALLOWED: tuple[tuple[dict[str, Any], Visit], ...] = (
    ({"commands": (Rule(name="plot", nowhere=True),)}, HERE),
    ({"commands": (Rule(name="imagine", channels=(20,), roles=(5,)),)}, HERE),
    ({"models": (Rule(name="gradient", roles=(5, 6)),), "listed_only": True}, HERE),
    ({"blocks": {1: NOW - 1, 2: None}}, HERE),
    ({"limits": GuildLimits(steps=20, megapixels=0.27, count=1)}, HERE),
    ({"refused": ("cats",)}, HERE),
)


@pytest.mark.parametrize(("chosen", "visit"), ALLOWED)
def test_what_is_allowed_is_allowed(chosen: dict[str, Any], visit: Visit) -> None:
    """Rules about others, and rules that are kept, refuse nothing."""
    assert refused(policy(**chosen), visit) == ""


def test_a_server_cannot_allow_more_than_the_operator() -> None:
    """Its numbers count where they are below the operator's."""
    wide = policy(limits=GuildLimits(steps=1000, megapixels=99.0, cells=100_000))
    assert (limits_of(wide).steps, limits_of(wide).megapixels) == (60, 4.2)
    assert limits_of(wide).cells == LimitSettings().series_cells
    with pytest.raises(LimitReached, match="At most 9 pictures may be asked for in one go here, not 10"):
        check_cells(policy(limits=GuildLimits(cells=9)), 10)


def place(**said: Any) -> Visit:
    """An age-restricted channel."""
    return Visit(**{"person": 1, "guild": 10, "channel": 20, "restricted": True, **said})


def test_pictures_for_adults_need_every_word() -> None:
    """Operator, server and channel; a private answer and a conversation need the operator's second word."""
    anywhere = policy(nsfw=True).moderation
    open_, chosen = ({"own": GuildSettings(nsfw=mode, nsfw_channels=(20,))} for mode in ("restricted", "chosen"))
    base = {"house": GuildSettings(), "limits": LimitSettings(), "moderation": anywhere}
    assert why_no_adults(Policy(**base, **open_), place()) == ""
    assert why_no_adults(Policy(**base, **chosen), place()) == ""
    assert "in some of its" in why_no_adults(Policy(**base, **chosen), place(channel=21))
    assert "channel is none" in why_no_adults(Policy(**base, **open_), place(restricted=False))
    assert "direct messages" in why_no_adults(Policy(**base, **open_), place(private=True))
    assert "direct messages" in why_no_adults(Policy(**base, **open_), place(guild=None))
    base["moderation"] = ModerationSettings(nsfw=True, nsfw_in_dms=True)
    assert why_no_adults(Policy(**base, **open_), place(guild=None, restricted=False)) == ""
    assert why_no_adults(Policy(**base, **open_), place(private=True)) == ""
    base["moderation"] = ModerationSettings(nsfw=False, nsfw_in_dms=True)
    assert "operator" in why_no_adults(Policy(**base, **open_), place())


def test_who_is_closest_decides_a_quota() -> None:
    """A person's own before their roles', the most generous of these, and both before everyone's."""
    everyone = Quota(who="everyone", seconds=10.0)
    hourly = Quota(who="role", id=5, seconds=5.0, per="hour")
    daily = Quota(who="role", id=6, seconds=60.0, per="day")
    own = Quota(who="person", id=1, seconds=None)
    every = (everyone, hourly, daily)
    assert quota_of(every, person=1, roles={7}) == everyone
    assert quota_of(every, person=1, roles={5, 6}) == hourly, "120 s a day is more than 60"
    assert quota_of((*every, own), person=1, roles={5}) == own
    assert quota_of(every[1:], person=1, roles=set()) is None


def test_an_allowance_says_since_when_and_why() -> None:
    """It looks back an hour or a day, and its words tell why somebody waits."""
    allowance = allowance_of(policy(quotas=(Quota(who="everyone", seconds=90.5, per="hour"),)), HERE, now=NOW)
    assert allowance is not None
    assert (allowance.guild, allowance.seconds, allowance.since) == (10, 90.5, NOW - 3600)
    assert allowance.words == "your 90.5 s of painting an hour in this server are used up"
    assert allowance_of(policy(quotas=(Quota(who="everyone", seconds=None),)), HERE, now=NOW) is None


RULES = st.lists(
    st.builds(
        Rule,
        name=st.sampled_from("abcd"),
        nowhere=st.booleans(),
        channels=st.lists(st.integers(1, 3), max_size=2).map(tuple),
        roles=st.lists(st.integers(1, 3), max_size=2).map(tuple),
    ),
    max_size=8,
)


@given(rules=RULES, channel=st.integers(1, 3), roles=st.frozensets(st.integers(1, 3)), command=st.sampled_from("abcd"))
def test_a_rule_is_the_last_word_on_its_name(
    rules: list[Rule], channel: int, roles: frozenset[int], command: str
) -> None:
    """Whatever was chosen before: allowed exactly where the last rule of that name allows it; idle ones are not kept."""
    kept: tuple[Rule, ...] = ()
    for rule in rules:
        kept = replaced(kept, rule)
    assert len({rule.name for rule in kept}) == len(kept)
    assert not any(rule.idle for rule in kept)
    last = next((rule for rule in reversed(rules) if rule.name == command), Rule(name=command))
    allowed = (
        not last.nowhere
        and (not last.channels or channel in last.channels)
        and (not last.roles or bool(roles & set(last.roles)))
    )
    visit = Visit(person=1, guild=10, channel=channel, roles=roles)
    assert (refused(policy(commands=kept), visit, command=command) == "") is allowed
