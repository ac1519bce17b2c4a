"""Names of styles and seeds, and the lists of what is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui import view
from bot.discord_ui.commands.saved import MOST, check_room, list_card, read_name
from bot.discord_ui.commands.seeds import check_seed, read_seed_name, seeds_card
from bot.discord_ui.commands.styles import saved_card, styles_card
from bot.discord_ui.reply import Reply, Text
from bot.errors import LimitReached, RequestRefused
from inference.api.request import SEED_LIMIT
from storage.values import SavedSeed, Style


def style(
    name: str = "ink", *, owner: int = 9, prompt: str = "{prompt}, ink", negative: str = "", version: int = 1
) -> Style:
    """A style."""
    return Style(
        id=1, owner=owner, guild=None, name=name, prompt=prompt, negative=negative, version=version, created=0.0
    )


def words(reply: Reply) -> str:
    """All text of a card."""
    return "\n".join(part.markdown for part in reply.parts if isinstance(part, Text))


def test_a_name_is_read_as_it_is_seen() -> None:
    """White space around and inside a name does not make another name; 40 characters pass."""
    assert read_name("  soft \n light ") == "soft light"
    assert read_name("x" * 40) == "x" * 40
    assert read_name("🎨") == "🎨"


@pytest.mark.parametrize(
    ("name", "says"), [("", "1 to 40"), (" \t ", "1 to 40"), ("\u200b\u2060", "seen"), ("x" * 41, "this one has 41")]
)
def test_what_is_no_name_is_a_sentence(name: str, says: str) -> None:
    """Nothing, white space, invisible signs and 41 characters are refused, each with what would be right."""
    with pytest.raises(RequestRefused, match=says):
        read_name(name)


@given(st.text())
def test_every_text_is_a_name_or_a_sentence(text: str) -> None:
    """Whatever is typed is refused, or is a name that reads back as itself and fits a suggestion."""
    try:
        name = read_name(text)
    except RequestRefused:
        return
    assert read_name(name) == name
    assert 0 < len(name) <= 40


@pytest.mark.parametrize("name", ["random", "Keep", "42", "-1", "1,234", "1 000", "4.5", "٤٢"])
def test_a_seed_is_not_called_like_a_seed(name: str) -> None:
    """Numbers, however written, and the words that mean something else could never be used as names."""
    with pytest.raises(RequestRefused, match="already means something"):
        read_seed_name(name)
    assert read_seed_name(f"{name} apples") == f"{name} apples"


@pytest.mark.parametrize("seed", [-1, SEED_LIMIT, 2**53])
def test_a_seed_has_its_range(seed: int) -> None:
    """A number outside the seeds says which are inside; the first and the last pass."""
    check_seed(0)
    check_seed(SEED_LIMIT - 1)
    with pytest.raises(RequestRefused, match=r"0 to 4,294,967,295, not"):
        check_seed(seed)


def test_there_is_room_for_a_hundred() -> None:
    """A hundred and first name is refused; changing one of the hundred is not."""
    kept = [f"Style {n}" for n in range(MOST)]
    check_room(kept[1:], "new", noun="style")
    check_room(kept, "style 7", noun="style")
    with pytest.raises(LimitReached, match="100 styles"):
        check_room(kept, "new", noun="style")


async def test_lists_say_what_there_is_or_how_to_begin() -> None:
    """A style shows its words and what it leaves out; a server's is marked; an empty list names the command."""
    card = styles_card([style(negative="blurry"), style("fog", owner=8)], owner=9)
    assert words(card).splitlines()[1:] == [
        "- **ink** `{prompt}, ink` · without `blurry`",
        "- **fog** (this server's) `{prompt}, ink`",
    ]
    assert "/style save" in words(styles_card([], owner=9))
    assert "- **lucky** `7`" in words(seeds_card([SavedSeed(person=9, name="lucky", seed=7)]))
    assert "/seed save" in words(seeds_card([]))


def test_a_saved_style_says_how_it_is_used() -> None:
    """Where a style has no place for the words of a request, it says where they go; a changed one says its version."""
    assert "come after" not in words(saved_card(style()))
    assert "come after" in words(saved_card(style(prompt="ink")))
    assert "(version 3)" in words(saved_card(style(version=3)))


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=MOST), st.text(max_size=3000))
def test_a_list_always_fits(names: list[str], text: str) -> None:
    """A hundred styles of any words stay below Discord's 4,000 characters, and what is left out is counted."""
    card = styles_card([style(name, prompt=text, negative=text) for name in names], owner=9)
    assert len(words(card)) < 4000
    shown = sum(line.startswith("- **") for line in words(card).splitlines())
    assert shown >= 1
    assert shown == len(names) or words(card).endswith(f"-# and {len(names) - shown} more")


async def test_discord_takes_a_full_list() -> None:
    """A list that was cut passes the check of Discord's limits."""
    view.layout(list_card("Styles", ["- " + "x" * 400] * 50, empty=""))
