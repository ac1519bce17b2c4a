"""Tags are found where a word begins, those used most first, in little memory."""

import pytest

from bot.completion.index import FEW, Tag, TagIndex

TAGS = (
    Tag("1girl", ("sole_female",)),
    Tag("long_hair", ("/lh", "longhair")),
    Tag("blue_eyes"),
    Tag("cat_(animal)"),
    Tag("^_^"),
    Tag("very_long_hair"),
    Tag("hair", ()),
    Tag("nude", (), True),
    Tag("ギター", ("guitar",)),
    Tag("semi-long tail"),
)
INDEX = TagIndex(TAGS)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("long", ("long hair", "very long hair", "semi-long tail")),
        ("LONG_HA", ("long hair", "very long hair")),
        ("long ha", ("long hair", "very long hair")),
        ("hair", ("hair", "long hair", "very long hair")),
        ("girl", ("1girl",)),
        ("1g", ("1girl",)),
        ("irl", ()),
        ("lh", ("long hair",)),
        ("/lh", ("long hair",)),
        ("longhair", ("long hair",)),
        ("anim", ("cat (animal)",)),
        ("guit", ("ギター",)),
        ("ギ", ("ギター",)),
        ("*air", ("long hair", "very long hair", "hair")),
        ("*ai", ()),
        ("^", ()),
        ("", ()),
        (" ", ()),
        ("*", ()),
        ("\x01\n\t", ()),
        ("nud", ()),
        ("long  hair", ("long hair", "very long hair")),
        ("hair\nlong", ()),
    ],
)
def test_words_are_found_where_they_begin(typed: str, found: tuple[str, ...]) -> None:
    """At the start or behind what is no letter, in names and aliases, whatever the case; an alias gives the tag."""
    assert INDEX.find(typed, limit=10) == found


def test_tags_for_adults_need_a_word() -> None:
    """They are not there unless asked for."""
    assert INDEX.find("nude", limit=10, adults=True) == ("nude",)


def test_each_tag_comes_once_and_the_limit_holds() -> None:
    """Also where name and aliases match, and where thousands do."""
    many = TagIndex(Tag(f"word {number} word", (f"word_{number}",)) for number in range(FEW))
    assert many.find("word", limit=5) == tuple(f"word {number} word" for number in range(5))
    assert many.find("word 1999", limit=5) == ("word 1999 word",)
    assert len(many) == FEW
    assert TagIndex(()).find("a", limit=5) == ()


def test_memory_is_what_the_letters_need() -> None:
    """Ten thousand tags of two words take less than a megabyte."""
    index = TagIndex(Tag(f"first{number} second{number}") for number in range(10_000))
    assert index.size < 50 * 10_000
