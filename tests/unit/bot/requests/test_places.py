"""Words for places: the grammar, what it makes of the words, and the way back."""

import pytest

from bot.errors import RequestRefused
from bot.requests.derive import again, edited, vary
from bot.requests.drafts import ImagineDraft
from bot.requests.places import CELLS, GRID, Box, boxes_named, laid_out, put, read_places, says_places, spoken
from inference.api.regional import Regional
from tests.unit.bot.requests.shelf import AROUND, asked

CAT_AND_DOG = "left: a red cat | right: a blue dog | everywhere: in a meadow"


def places_of(text: str) -> list[tuple[tuple[str, ...], str]]:
    """Names and words of each place."""
    return [(each.names, each.words) for each in read_places(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CAT_AND_DOG, [(("left",), "a red cat"), (("right",), "a blue dog"), (("everywhere",), "in a meadow")]),
        (
            "a meadow | Top-Left: sun\nb2: moon",
            [(("everywhere",), "a meadow"), (("top left",), "sun"), (("b2",), "moon")],
        ),
        ("a1 + c2-c3: x", [(("a1", "c2 c3"), "x")]),
        ("bottomright: x, | centre: y", [(("bottom right",), "x"), (("middle",), "y")]),
        ("left: | right: y", [(("right",), "y")]),
    ],
)
def test_places_are_read(text: str, expected: list[tuple[tuple[str, ...], str]]) -> None:
    """Case, spelling and white space do not count; words before the first place are everywhere's; empty places are none."""
    assert places_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a cat",
        "time: 12:30",
        "a [left: b|right: c] d",
        "{left: a|right: b}",
        "(left:1.3)",
        "to the left: a cat",
        "a|b",
        "portrait: x",
    ],
)
def test_ordinary_prompts_have_no_places(text: str) -> None:
    """A place stands at the beginning or behind a bar that no brackets enclose; everything else is words."""
    assert not says_places(text)
    with pytest.raises(RequestRefused, match="left: a red cat"):
        laid_out(text)


def test_an_open_bracket_hides_no_place() -> None:
    """A sad face is not a bracket, nor is an escaped one."""
    assert places_of("left: sad :( | right: happy")[1] == (("right",), "happy")
    assert places_of(r"left: a \( b | right: c)")[1] == (("right",), "c)")


def test_halves_are_the_extensions_own_regions() -> None:
    """Two sides are 1:2 with 0:0 and 0:1 behind the whole, with the weights that the extension begins with."""
    layout = laid_out(CAT_AND_DOG)
    assert layout.prompt == "in a meadow AND a red cat, in a meadow AND a blue dog, in a meadow"
    assert [(each.divisions, each.rows[0], each.columns[0], each.weight) for each in layout.regions] == [
        ((1, 1), 0, 0, 0.2),
        ((1, 2), 0, 0, 0.8),
        ((1, 2), 0, 1, 0.8),
    ]


def test_the_middle_makes_thirds_of_its_neighbours_side() -> None:
    """Between left and right it is a column, between top and bottom a row, alone the cell in the middle."""
    columns = [each.columns for each in laid_out("left: a | middle: b | right: c").regions[1:]]
    assert columns == [(0, 1), (1, 2), (2, 3)]
    rows = [(each.divisions, each.rows) for each in laid_out("top: a | middle: b | bottom: c").regions[1:]]
    assert rows == [((3, 1), (0, 1)), ((3, 1), (1, 2)), ((3, 1), (2, 3))]
    alone = laid_out("middle: a").regions[1]
    assert (alone.divisions, alone.rows, alone.columns) == ((3, 3), (1, 2), (1, 2))


def test_what_no_place_covers_is_guided_by_the_words_of_the_whole() -> None:
    """Nothing of the picture is left to chance: gaps are regions of their own, of the same words."""
    layout = laid_out("top left: the sun | everywhere: a beach")
    assert layout.prompt.split(" AND ")[2:] == ["a beach", "a beach"]
    assert sum(
        (each.rows[1] - each.rows[0]) * (each.columns[1] - each.columns[0]) / (each.divisions[0] * each.divisions[1])
        for each in layout.regions[1:]
    ) == pytest.approx(1.0)


def test_words_cannot_leave_their_part() -> None:
    """AND, comments, tags and a number at the end stay what they are within one place."""
    layout = laid_out("left: salt AND pepper # hm\nright: at 12:30 <lora:ink:0.5> | everywhere: <lora:ink:0.5> x")
    assert layout.prompt == "x AND salt and pepper, x AND at 12:30, x <lora:ink:0.5>"
    assert laid_out("left: a | right: at 12:30").prompt == "a, at 12:30 :1 AND a AND at 12:30 :1"


def test_too_many_places_are_a_sentence() -> None:
    """Sixteen regions are the most."""
    cells = "a1+a3+b2+c1+c3: x | a2+b1+b3+c2: y | a1: z | a2: z | a3: z | b1: z | b2: z | b3: z | c1: z"
    with pytest.raises(RequestRefused, match="17 regions"):
        laid_out(cells)


def test_a_wish_with_places_and_styles() -> None:
    """Every part wears the style, LoRAs stand at the end, borders are as soft as suits the picture or as was said."""
    request = asked(prompt=CAT_AND_DOG, places=True, style="soft", lora="ink")
    assert request.prompt.positive == (
        "in a meadow, soft light, pastel AND a red cat, in a meadow, soft light, pastel AND "
        "a blue dog, in a meadow, soft light, pastel <lora:ink:0.7>"
    )
    assert request.regional is not None
    assert (request.regional.feather, request.regional.end_step) == (request.canvas.width // 16, 150)
    hard = asked(prompt=CAT_AND_DOG, places=True, feather=0)
    assert hard.regional is not None
    assert hard.regional.feather == 0
    with pytest.raises(RequestRefused, match="0 to 512 pixels"):
        asked(prompt=CAT_AND_DOG, places=True, feather=513)
    assert asked(prompt=CAT_AND_DOG).regional is None


def test_places_live_on_in_what_is_made_after_it() -> None:
    """Again and vary keep the regions; an edit moves words, keeps the parts or, as plain words, gives the regions up."""
    request = asked(prompt=CAT_AND_DOG, places=True)
    assert again(request, 5).regional == request.regional  # type: ignore[union-attr]
    varied = vary(request, strong=False, count=1, random_seed=lambda: 3, picture_sha="ab" * 32)
    assert varied.regional == request.regional
    assert request.regional is not None
    assert spoken(request.prompt.positive, request.regional) == CAT_AND_DOG

    def edit(prompt: str) -> tuple[Regional | None, str]:
        new, _ = edited(request, ImagineDraft(prompt=prompt), **AROUND)
        return new.regional, new.prompt.positive

    assert edit(CAT_AND_DOG) == (request.regional, request.prompt.positive)
    regional, prompt = edit("top: a red cat | bottom: a blue dog")
    assert prompt == "a red cat, a blue dog AND a red cat AND a blue dog"
    assert regional is not None
    assert regional.regions[1].divisions == (2, 1)
    assert regional.feather == request.regional.feather
    assert edit("x AND y AND z")[0] == request.regional
    assert edit("a cat")[0] is None


def test_regions_made_elsewhere_are_shown_as_they_are() -> None:
    """A text that says the same is there only where one makes exactly these regions."""
    request = asked(prompt=CAT_AND_DOG, places=True)
    assert request.regional is not None
    assert spoken("a AND b", request.regional) is None
    odd = Regional((request.regional.regions[0], *request.regional.regions[:0:-1]))
    assert spoken(request.prompt.positive, odd) == CAT_AND_DOG.replace("left", "x").replace("right", "left").replace(
        "x", "right"
    )


def test_cells_change_hands() -> None:
    """Words put into cells take them from other cells, in as few boxes as cover them; sides stay; no words empty them."""
    text = put("left: a | everywhere: x", ["a1", "a2", "b1"], "the moon")
    assert text == "left: a | a1-a2+b1: the moon | everywhere: x"
    text = put(text, ["a1"], "the\nsun")
    assert text == "left: a | a2+b1: the moon | a1: the sun | everywhere: x"
    assert put(text, ["a2", "b1", "z9"], " ") == "left: a | a1: the sun | everywhere: x"
    assert put("", [], "words") == ""
    assert [each.boxes for each in read_places(put("", CELLS, "all"))] == [((0, 0, GRID, GRID),)]


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("", ()),
        ("everywhere", ()),
        ("left", ((0, 0, 6, 3),)),
        ("Top-Right", ((0, 3, 3, 6),)),
        ("a1 + c3", ((0, 0, 2, 2), (4, 4, 6, 6))),
    ],
)
def test_places_by_name(text: str, boxes: tuple[Box, ...]) -> None:
    """A side, cells or several of them; nothing and everywhere are no bounds."""
    assert boxes_named(text) == boxes


@pytest.mark.parametrize("text", ["somewhere", "left: a cat", "left | right", "a9", "left +", "left:"])
def test_what_is_no_place_is_a_sentence(text: str) -> None:
    """Words, colons and unknown cells name no place."""
    with pytest.raises(RequestRefused, match="is no place"):
        boxes_named(text)
