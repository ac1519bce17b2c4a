"""Whatever is typed, completing it is harmless: no error, nothing lost, nothing longer than Discord takes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.completion.heads import LIMIT, Heads
from bot.completion.index import Tag, TagIndex
from bot.completion.prompts import Shelf, completed
from inference.api.result import ModelFile

PIECES = st.sampled_from(
    [
        "long",
        "ha",
        " ",
        ", ",
        "__",
        "animal",
        "<",
        "<lora:",
        ">",
        ":",
        "--",
        "—",
        "a",
        "(",
        "{",
        "|",
        "\n",
        "*",
        "_",
        "⟦",
        "⟧…",
        "é",
        "猫",
    ]
)
TYPED = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=80).map("".join))
LORA = ModelFile("ink", "/ink.safetensors", "0123456789", "sd1", triggers=("ink drawing",))
SHELF = Shelf(
    tags=TagIndex([Tag("long hair", ("/lh",)), Tag("ha (x)"), Tag("猫"), Tag("é_a")]),
    wildcards=("animal", "a/b"),
    loras=(LORA,),
    embeddings=(ModelFile("easy", "/easy.pt", "0123456789", "sd1"),),
    flags=("ar", "seed"),
)


@given(TYPED)
@settings(max_examples=300, deadline=None)
def test_anything_can_be_completed(text: str) -> None:
    """At most 25 choices, the text itself first, each once."""
    found = completed(text, SHELF)
    assert len(found) <= 25
    assert len(set(found)) == len(found)
    assert not found or (found[0] == text and len(found) > 1)


@given(TYPED.filter(lambda text: not text.lstrip().startswith("⟦")), st.integers(0, 2**60), st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_any_prompt_comes_back_whole(text: str, person: int, more: str) -> None:
    """As a choice it has at most a hundred characters; sent, with more behind it, it is what it was."""
    heads = Heads()
    shown = heads.shown(text, person)
    assert len(shown) <= LIMIT
    assert heads.whole(shown + more, person) == text + more


@given(st.lists(st.text(min_size=1, max_size=30), max_size=30), st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_tags_are_searched_for_anything(names: list[str], typed: str) -> None:
    """Each found tag is one of the list, at most as many as asked for."""
    index = TagIndex(Tag(name) for name in names)
    assert len(index.find(typed, limit=7)) <= 7
    assert len(index.find(f"*{typed}", limit=7)) <= 7
