"""The last word of a prompt becomes a tag, a wildcard, a network or a flag, and the rest of it stays."""

import pytest

from bot.completion.heads import LIMIT, Heads
from bot.completion.index import Tag, TagIndex
from bot.completion.prompts import Shelf, completed
from bot.errors import NotFound
from inference.api.result import ModelFile


def file(name: str, **more: object) -> ModelFile:
    """A found file."""
    return ModelFile(name, f"/models/{name}.safetensors", "0123456789", "sd1", **more)  # type: ignore[arg-type]


SHELF = Shelf(
    tags=TagIndex([Tag("long hair"), Tag("hat"), Tag("cat (animal)"), Tag("hair ribbon"), Tag("in the snow")]),
    wildcards=("animal", "place/sky", "place/sea"),
    loras=(file("ink", weight=0.8, triggers=("ink drawing", "lines")), file("Fur")),
    hypernetworks=(file("grain"),),
    embeddings=(file("easynegative"),),
    flags=("ar", "all", "seed"),
)


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("a girl with long ha", ("a girl with long hair",)),
        ("a girl, ha", ("a girl, long hair", "a girl, hat", "a girl, hair ribbon")),
        ("red, LONG_H", ("red, long hair",)),
        ("(long h", ("(long hair",)),
        ("{red|long h", ("{red|long hair",)),
        ("anim", (r"cat \(animal\)",)),
        ("a cat in the sn", ("a cat in the snow",)),
        ("easyn", ("easynegative",)),
        ("a __", ("a __animal__", "a __place/sky__", "a __place/sea__")),
        ("a __sk", ("a __place/sky__",)),
        ("{2$$__pl", ("{2$$__place/sky__", "{2$$__place/sea__")),
        ("__animal__ and __an", ("__animal__ and __animal__",)),
        ("a <lora:in", ("a <lora:ink:0.8> ink drawing, lines",)),
        ("a <in", ("a <lora:ink:0.8> ink drawing, lines", "a <hypernet:grain:1>")),
        ("a <l:f", ("a <lora:Fur:1>",)),
        ("a <h:", ("a <hypernet:grain:1>",)),
        ("a <e:ea", ("a easynegative",)),
        ("a cat --a", ("a cat --ar", "a cat --all")),
        ("a cat —s", ("a cat --seed",)),
    ],
)
def test_the_end_of_a_prompt_is_completed(typed: str, becomes: tuple[str, ...]) -> None:
    """The first choice is what was typed, so that it is not lost; the others keep everything before the word."""
    found = completed(typed, SHELF)
    assert found[0] == typed
    assert found[1:] == becomes


@pytest.mark.parametrize(
    "typed",
    ["", "a cat, ", "zzz", "__animal__", "__animal__ ", "a <lora:ink:1>", "a -- ", "--zzz", "<zzz", "__zz"],
)
def test_where_nothing_fits_nothing_is_suggested(typed: str) -> None:
    """Not even what was typed."""
    assert completed(typed, SHELF) == ()


def test_no_more_than_the_limit() -> None:
    """Discord takes 25."""
    shelf = Shelf(tags=TagIndex(Tag(f"hair {number}") for number in range(100)))
    assert len(completed("ha", shelf, limit=25)) == 25


def test_a_long_prompt_fits_into_a_choice_and_comes_back_whole() -> None:
    """A sign stands for the beginning, also of what is typed behind it, and only for the same person."""
    heads = Heads()
    text = ", ".join(f"word {number}" for number in range(60))
    shown = heads.shown(text, 7)
    assert len(shown) <= LIMIT
    assert shown.startswith("⟦")
    assert text.endswith(shown.rpartition("…")[2])
    assert heads.whole(f"{shown}, and more", 7) == f"{text}, and more"
    again = heads.shown(heads.whole(f"{shown}, and more", 7), 7)
    assert heads.whole(again, 7) == f"{text}, and more"
    with pytest.raises(NotFound, match="type or paste it once more"):
        heads.whole(shown, 8)
    with pytest.raises(NotFound):
        Heads().whole(shown, 7)
    short = "x" * LIMIT
    assert heads.shown(short, 7) == short
    assert heads.whole("⟦not a sign⟧…", 7) == "⟦not a sign⟧…"


def test_beginnings_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were not used for longest make room."""
    monkeypatch.setattr("bot.completion.heads.KEPT", 1_000)
    heads = Heads()
    first, *others = (f"{number} " + "x" * 400 for number in range(5))
    shown = heads.shown(first, 1)
    for text in others:
        heads.shown(text, 1)
    with pytest.raises(NotFound):
        heads.whole(shown, 1)
    assert heads.whole(heads.shown(others[-1], 1), 1) == others[-1]
