"""Choices in prompts are drawn as the library draws them, and a prompt without any passes as it is."""

import warnings
from itertools import pairwise
from pathlib import Path

import pytest
from dynamicprompts.generators import CombinatorialPromptGenerator, RandomPromptGenerator
from dynamicprompts.wildcards import WildcardManager

from bot.errors import LimitReached, RequestRefused
from bot.requests.dynamic import combine, draw, is_template, wildcards_in
from bot.requests.wildcards import Wildcards

SEEDS = (5, 6, 7, 2**32 - 1)
TEMPLATES = (
    "a {red|green|blue} bird",
    "{2$$a|b|c} and {1-2$$ or $$x|y|z}",
    "{0.2::rare|5::common} {-2$$a|b|c}",
    "__animal__ with a __place/sky__",
    "{2$$ and $$__animal__}",
    "__heavy__",
    "__*a*__",
    "__sky__",
    "__unknown__ {a|b}",
    "${c={red|blue}} ${c} on ${c}, ${d=!{red|blue}} ${d} on ${d}",
    "{~a|b} {a{b|c}|d}",
    "[a|b] (c:1.2) {d|e} <lora:x:{.5|.8}> BREAK x",
    "%{in a ... house$${red|blue}}",
    "{a|b} # and a comment\nnext",
)
PLAIN = (
    "a cat",
    "[a|b] (c:1.2) <lora:x:0.8> BREAK",
    "50% of $5 # no comment",
    "a__b",
    "x { y",
    "} {",
    "____",
    " two  spaces\n",
    "a // b",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of wildcards, of every kind that the library reads."""
    (tmp_path / "place").mkdir()
    (tmp_path / "animal.txt").write_text("# a comment\ncat\ndog\n\nowl\ncat\n", "utf-8")
    (tmp_path / "place" / "sky.txt").write_text("clouds\n{sun|moon}set\nstars of __animal__\n", "utf-8")
    (tmp_path / "more.yaml").write_text("heavy:\n  - 9::often\n  - {text: never, weight: 1}\n  - 2::twice\n", "utf-8")
    (tmp_path / "signs.json").write_text('{"price": ["50% off", "$5", "a__b"]}', "utf-8")
    return tmp_path


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_picture_is_drawn_with_its_seed(template: str, folder: Path) -> None:
    """Picture i's words are those that the library itself draws for seed + i."""
    wanted = RandomPromptGenerator(WildcardManager(folder)).generate(template, len(SEEDS), seeds=list(SEEDS))
    drawn = draw(template, "", seeds=SEEDS, wildcards=Wildcards([folder]))
    assert [positive for positive, _ in drawn] == wanted


@pytest.mark.parametrize("template", [t for t in TEMPLATES if t and "unknown" not in t and "~" not in t])
def test_combinations_come_in_the_librarys_order(template: str, folder: Path) -> None:
    """Every combination, once, as the library's combinatorial generator tells them; `~` is drawn by chance even so."""
    wanted = CombinatorialPromptGenerator(WildcardManager(folder)).generate(template, 1000)
    combined = combine(template, "", seed=1, limit=1000, wildcards=Wildcards([folder]))
    assert [positive for positive, _ in combined] == wanted


def test_the_negative_prompt_is_drawn_with_the_same_seed(folder: Path) -> None:
    """The same template on both sides gives the same words; combined, they are multiplied, the negative changing fastest."""
    wildcards = Wildcards([folder])
    assert all(a == b for a, b in draw("{a|b|c|d}", "{a|b|c|d}", seeds=range(20), wildcards=wildcards))
    assert combine("{a|b}", "{x|y}", seed=1, limit=10, wildcards=wildcards) == (
        ("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"),
    )  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_a_prompt_without_choices_passes_byte_for_byte(text: str) -> None:
    """Weights, alternations, tags, comments and lone signs are none of this language's business."""
    assert not is_template(text)
    assert draw(text, text, seeds=(1, 2), wildcards=Wildcards()) == ((text, text),) * 2


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("50% {a}", "50% a"),
        ("$5 {a}", "$5 a"),
        ("a__b {a}", "a__b a"),
        ("x { {a}", "x { a"),
        ("50%{a}", "50%a"),
        ("{$5}", "$5"),
        ("__price__", None),
    ],
)
def test_signs_beside_choices_stay(text: str, drawn: str | None, folder: Path) -> None:
    """Signs that the library would stumble over come out as they were, also those inside of a wildcard's file."""
    [(positive, _)] = draw(text, "", seeds=(3,), wildcards=Wildcards([folder]))
    assert positive == drawn if drawn is not None else positive in {"50% off", "$5", "a__b"}


def test_an_unknown_wildcard_stays_as_it_is() -> None:
    """It may be words; also where every combination is wanted, of which it is none."""
    assert draw("__nope__ {a}", "", seeds=(1,), wildcards=Wildcards()) == (("__nope__ a", ""),)
    assert combine("__nope__ {a|b}", "", seed=1, limit=9, wildcards=Wildcards()) == (
        ("__nope__ a", ""), ("__nope__ b", ""),
    )  # fmt: skip
    assert wildcards_in("__nope__ __~a/b__ __{x|y}__ __c(v=1)__") == ("nope", "a/b", "c")


TREBLING = "".join(
    f"${{{name}=${{{before}}} ${{{before}}} ${{{before}}}}}" for before, name in pairwise("abcdefghijklm")
)
ENDLESS = "${a=x x}" + TREBLING + "${m}"
REFUSED = (
    ("{0::a|0::b}", "cannot be read"),
    ("{a$$b}", "cannot be read"),
    ("${a=b}", "cannot be read"),
    ("${v} {a|b}", r"\${v} has no value"),
    ("${a=${a}} ${a}", "names itself"),
    ("__loop__", "names itself|too many choices"),
    ("{" * 9 + "a" + "}" * 9, "8 deep"),
    ("{a|b}" * 61, "at most 60 choices"),
    ("{" + "a|" * 500 + "b}", "at most 60 choices with 400 parts"),
    (ENDLESS, "too many choices"),
)


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_what_cannot_be_drawn_is_one_sentence(text: str, sentence: str, folder: Path) -> None:
    """Nothing runs for ever, nothing but a sentence comes out, and nothing is warned of."""
    (folder / "loop.txt").write_text("a __loop__\n", "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for act in (
            lambda: draw(text, "", seeds=(1,), wildcards=Wildcards([folder])),
            lambda: draw("a", text, seeds=(1,), wildcards=Wildcards([folder])),
        ):
            with pytest.raises(RequestRefused, match=sentence):
                act()


def test_too_many_combinations_are_refused() -> None:
    """With how many there may be."""
    with pytest.raises(LimitReached, match="more than 100 combinations"):
        combine("{a|b|c|d|e|f}{a|b|c|d|e|f}{a|b|c|d|e|f}", "", seed=1, limit=100, wildcards=Wildcards())


def test_files_that_come_and_go_are_seen(folder: Path) -> None:
    """Names and values follow the folder; the first of two folders wins; strange files and names do no harm."""
    (folder / "broken.yaml").write_text("{a: [", "utf-8")
    (folder / "notes.md").write_text("not a wildcard", "utf-8")
    wildcards = Wildcards([folder, folder / "missing"])
    assert wildcards.names == ()
    assert wildcards.look() == ("animal", "heavy", "place/sky", "price")
    assert wildcards.values("animal") == ("cat", "dog", "owl")
    assert wildcards.values("../animal") == wildcards.values("nope") == ()
    (folder / "animal.txt").write_text("zebra\n", "utf-8")
    assert draw("__animal__", "", seeds=(1,), wildcards=wildcards) == (("zebra", ""),)
    (folder / "animal.txt").unlink()
    assert wildcards.look() == ("heavy", "place/sky", "price")
    other = folder.parent / "other"
    other.mkdir(exist_ok=True)
    (other / "price.txt").write_text("free\n", "utf-8")
    assert Wildcards([other, folder]).values("price") == ("free",)


def test_names_of_text_files_need_no_library(folder: Path) -> None:
    """They are the library's own, and listing them does not make the parsers that drawing needs."""
    for strange in ("more.yaml", "signs.json"):
        (folder / strange).unlink()
    (folder / "place" / "Two words.v2.txt").write_text("a\n", "utf-8")
    wildcards = Wildcards([folder])
    assert set(wildcards.look()) == WildcardManager(folder).get_collection_names()
    assert wildcards._drawer is None
    assert wildcards.values("animal") == ("cat", "dog", "owl")


def test_a_wildcard_of_many_lines_is_drawn_from_but_not_unfolded(folder: Path) -> None:
    """One of 6,000 lines is chosen at once; several of them, or all, are refused in a sentence."""
    (folder / "big.txt").write_text("\n".join(f"word {number}" for number in range(6000)), "utf-8")
    wildcards = Wildcards([folder])
    [(positive, _)] = draw("__big__", "", seeds=(1,), wildcards=wildcards)
    assert positive.startswith("word ")
    for act in (
        lambda: draw("{2$$__big__}", "", seeds=(1,), wildcards=wildcards),
        lambda: combine("__big__", "", seed=1, limit=10, wildcards=wildcards),
    ):
        with pytest.raises(LimitReached, match="6,000 lines"):
            act()
