"""A server's block list: what an entry may be, what it meets in whatever spelling, and that it takes no time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import EaselError, LimitReached, RequestRefused
from bot.requests.blocklist import MOST, Hit, added, find, read_entry, removed

MET = (
    ("spider", "a SPIDER on the wall"),
    ("spider", "sp1der"),
    ("spider", "s p i d e r"),
    ("spider", "spi-der"),
    ("spider", "ѕрider"),
    ("spider*", "spiders"),
    ("*man", "spiderman"),
    ("sp*er", "spooner"),
    ("big spider", "a big\nspider"),
    ("big spider*", "(big:1.2) spiderwebs"),
    ("*big* spid*", "bigger spider"),
    ("crème brûlée", "creme brulee"),
    ("蜘蛛", "大きな蜘蛛です"),
    ("C3PO", "c3po"),
)
MISSED = (
    ("spider", "spiders"),
    ("spider", "spy der"),
    ("sp*er", "sp"),
    ("sp*er", "supper"),
    ("aa*aa", "aaa"),
    ("big spider", "big and spider"),
    ("big spider", "big"),
    ("cat", "concatenate"),
)


@pytest.mark.parametrize(("entry", "text"), MET)
def test_an_entry_meets_its_words_in_any_spelling(entry: str, text: str) -> None:
    """Case, accents, look-alikes, digits, spacing and the prompt language's brackets hide nothing."""
    hit = find(("unrelated", entry), text)
    assert hit is not None
    assert hit.entry == entry


@pytest.mark.parametrize(("entry", "text"), MISSED)
def test_an_entry_meets_whole_words_only(entry: str, text: str) -> None:
    """Without a star a word is a word; a row of words stands together."""
    assert find((entry,), text) is None


def test_what_was_read_is_told() -> None:
    """The entry as it was written, and the words as they were understood."""
    assert find(("Sp*der",), "a sp1der!") == Hit("Sp*der", "sp1der")
    assert find((), "anything") is None


@pytest.mark.parametrize("text", ["", "   ", "*", "**", "a*", "!!!", "x" * 61, "big a* spider"])
def test_entries_that_could_not_be_meant_are_refused(text: str) -> None:
    """Too short, too long, without letters, or meeting nearly everything: each with a sentence."""
    with pytest.raises(RequestRefused):
        read_entry(text)


def test_the_list_is_kept_in_order() -> None:
    """An entry is there once however it is written, can be taken out, and there is an end to it."""
    entries = added(added((), "Spider"), "big  cat")
    with pytest.raises(RequestRefused, match="already"):
        added(entries, "ＳＰＩＤＥＲ")
    assert removed(entries, "spider") == ("big  cat",)
    with pytest.raises(RequestRefused, match="not in the list"):
        removed(entries, "dog")
    with pytest.raises(LimitReached, match="300"):
        added([f"word{number}" for number in range(MOST)], "one more")


@given(st.text(max_size=80))
def test_any_text_is_an_entry_or_a_sentence(text: str) -> None:
    """What people type never breaks anything, and what is an entry meets itself."""
    try:
        entry = read_entry(text)
    except EaselError:
        return
    find((entry,), text)


@given(
    pattern=st.text(alphabet="ab*", min_size=1, max_size=8).filter(lambda p: len(p.replace("*", "")) >= 2),
    word=st.text(alphabet="ab", min_size=1, max_size=10).filter(lambda w: not re.search(r"(.)\1\1", w)),
)
def test_a_star_is_any_letters(pattern: str, word: str) -> None:
    """The pattern language agrees with a regular expression of the same meaning."""
    wanted = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), word) is not None
    assert (find((read_entry(pattern),), word) is not None) is wanted


@pytest.mark.parametrize("entry", ["*aa*aa*aa*ab", "aa*aa", "aa " * 8 + "ab"])
def test_no_entry_takes_long(entry: str) -> None:
    """The worst text for the worst list is read in proportion to its length."""
    entries = (entry, *(f"*ab{number}*" for number in range(MOST - 1)))
    text = "a" * 2000 + " aa" * 600
    begun = time.perf_counter()
    find(entries, text)
    assert time.perf_counter() - begun < 5.0
