"""Lists of tags are read in the field's form, screened, and read again when they change."""

from pathlib import Path

import pytest

from bot.completion.screening import is_for_adults, may_be_suggested
from bot.completion.tags import Tags, tag_folders
from bot.settings import PROJECT

LIST = """long_hair,0,4000,"lh,/lh"
short_hair,0,3000,
loli,0,2000,
shota,0,1000,
nipples,0,900,
solo,0,5000
just_a_name
bad_count,0,many,x
,0,1,
"unclosed,0,1,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a list of the operator's."""
    (tmp_path / "mine.csv").write_text(LIST, "utf-8")
    return tmp_path


def test_a_list_is_read_in_order_of_its_counts(folder: Path) -> None:
    """Rows that are none are left out, missing cells do no harm; minors are never suggested, tags for adults to adults."""
    index = Tags([folder]).look()
    assert index.find("hair", limit=9) == ("long hair", "short hair")
    assert index.find("lh", limit=9) == ("long hair",)
    assert index.find("just", limit=9) == ("just a name",)
    assert index.find("loli", limit=9, adults=True) == index.find("shota", limit=9, adults=True) == ()
    assert (index.find("nip", limit=9), index.find("nip", limit=9, adults=True)) == ((), ("nipples",))


def test_lists_are_joined_and_follow_their_files(folder: Path) -> None:
    """Of equal names the larger count holds; what comes, changes and goes is seen; strange files do no harm."""
    (folder / "other.csv").write_text("short_hair,0,9000,\n", "utf-8")
    (folder / "broken.csv").write_bytes(b"\xff\xfe\x00\x01,\n\xfftag,0,5,\n")
    (folder / "folder.csv").mkdir()
    tags = Tags([folder, folder / "missing"])
    assert tags.index is None
    assert tags.look().find("hair", limit=9) == ("short hair", "long hair")
    assert tags.look() is tags.index
    (folder / "mine.csv").unlink()
    assert tags.look().find("hair", limit=9) == ("short hair",)


@pytest.mark.parametrize(
    "name", ["loli", "lolicon", "shota_(artist)", "l0li", "toddlercon", "naked_child", "nude schoolgirl", "ロリ"]
)
def test_tags_that_sexualise_minors_are_never_suggested(name: str) -> None:
    """Whatever the list says."""
    assert not may_be_suggested(name)


@pytest.mark.parametrize(
    "name",
    ["child", "baby", "school uniform", "1girl", "long hair", "lollipop", "red panda", "assassin", "bass guitar"],
)
def test_harmless_tags_are(name: str) -> None:
    """To everybody."""
    assert may_be_suggested(name)
    assert not is_for_adults(name)


@pytest.mark.parametrize(
    "name", ["nipples", "sex", "pussy_juice", "nude", "completely_nude", "bare_shoulders_nude", "ass_grab", "porn"]
)
def test_tags_for_adults_are_known(name: str) -> None:
    """By words that stand in them."""
    assert is_for_adults(name)


def test_the_list_that_ships_is_for_everybody() -> None:
    """Several thousand words, none of them for adults, each once, as the script writes them."""
    from tools.tags.__main__ import LIST as SHIPPED
    from tools.tags.__main__ import rows

    written = rows()
    names = [name for name, _, _ in written]
    assert len(names) == len({name.casefold() for name in names}) >= 4_000
    assert not [name for name in names if is_for_adults(name) or not may_be_suggested(name)]
    lines = SHIPPED.read_text("utf-8").splitlines()
    assert len(lines) == len(written)
    assert [line.split(",", 1)[0].strip('"') for line in lines] == names
    assert tag_folders([PROJECT / "models"]) == (SHIPPED.parent,)
