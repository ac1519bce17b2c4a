"""Names of styles and seeds, the lists of what is kept, and files of styles."""

import contextlib
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui import seeds, view
from bot.discord_ui.commands.saved import NAME, PAGE, check_room, paged, read_name
from bot.discord_ui.reply import Button, Menu, Reply, Row, Text
from bot.discord_ui.seeds import check_seed, read_seed_name, seeds_card
from bot.discord_ui.styles import cards, forms, transfer
from bot.discord_ui.styles.cards import Rights, kept_words, list_card, style_card, versions_card
from bot.errors import LimitReached, RequestRefused
from inference.api import styles as files
from inference.api.request import SEED_LIMIT, Canvas, GenerationRequest, Guidance, ModelRef, Prompt, Sampling, Seeds
from storage.values import SavedSeed, Style, StyleSettings

FULL = StyleSettings(
    model="sub/painter", hash="0123", loras="ink:0.8", sampler="Euler a", steps=30, cfg=5.5, size=(512, 768)
)


def style(name: str = "ink", *, number: int = 1, owner: int = 9, prompt: str = "{prompt}, ink", **more: Any) -> Style:
    """A style."""
    known: dict[str, Any] = {"guild": None, "negative": "", "version": 1, "created": 0.0} | more
    return Style(id=number, owner=owner, name=name, prompt=prompt, **known)


def words(reply: Reply) -> str:
    """All text of a card."""
    return "\n".join(part.markdown for part in reply.parts if isinstance(part, Text))


def controls(reply: Reply) -> dict[str, Button | Menu]:
    """Buttons and menus by what is written on them."""
    items = [item for part in reply.parts if isinstance(part, Row) for item in part.items]
    menus = {item.placeholder: item for item in items if isinstance(item, Menu)}
    return menus | {item.label or item.emoji: item for item in items if isinstance(item, Button)}


def test_a_name_is_read_as_it_is_seen() -> None:
    """White space around and inside a name does not make another name; 80 characters pass."""
    assert read_name("  soft \n light ") == "soft light"
    assert read_name("x" * 80) == "x" * 80
    assert read_name("🎨") == "🎨"


@pytest.mark.parametrize(
    ("name", "says"), [("", "1 to 80"), (" \t ", "1 to 80"), ("\u200b\u2060", "seen"), ("x" * 81, "this one has 81")]
)
def test_what_is_no_name_is_a_sentence(name: str, says: str) -> None:
    """Nothing, white space, invisible signs and 81 characters are refused, each with what would be right."""
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
    assert 0 < len(name) <= NAME


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


def test_there_is_room_for_so_many() -> None:
    """One name more than the most is refused; changing one that is kept is not."""
    kept = [f"Style {n}" for n in range(100)]
    check_room(kept[1:], "new", noun="style", most=100)
    check_room(kept, "style 7", noun="style", most=100)
    with pytest.raises(LimitReached, match="100 styles"):
        check_room(kept, "new", noun="style", most=100)


def test_lists_say_what_there_is_or_how_to_begin() -> None:
    """A style shows its words, what it leaves out and sets; a server's is marked; an empty list names the command."""
    card = list_card([style(negative="blurry", settings=FULL), style("fog", number=2, owner=8)], person=9)
    assert words(card).splitlines()[1:3] == [
        "- **ink** `{prompt}, ink` · without `blurry` · ink\\:0.8, Model\\: sub/painter, Sampler\\: E…",
        "- **fog** (this server's) `{prompt}, ink`",
    ]
    assert "/style save" in words(list_card([], person=9))
    assert "New style" in controls(list_card([], person=9))
    assert "- **lucky** `7`" in words(seeds_card([SavedSeed(person=9, name="lucky", seed=7)], person=9))
    assert "/seed save" in words(seeds_card([], person=9))


def test_nothing_is_cut_off() -> None:
    """Every one of many styles and seeds stands on exactly one page, and the first and last page end the way."""
    many = [style(f"s{n}", number=n) for n in range(1, 48)]
    seen: list[str] = []
    for page in range(1, 6):
        menu = controls(list_card(many, person=9, page=page))["Open a style"]
        assert isinstance(menu, Menu)
        seen += [choice.label for choice in menu.choices]
    assert seen == [each.name for each in many]
    first, last = (controls(list_card(many, person=9, page=page)) for page in (1, 99))
    for card, off, on in ((first, "◀️", "▶️"), (last, "▶️", "◀️")):
        before, after = card[off], card[on]
        assert isinstance(before, Button)
        assert isinstance(after, Button)
        assert (before.disabled, after.disabled) == (True, False)
    kept = [SavedSeed(person=9, name=f"n{n}", seed=n) for n in range(45)]
    listed = "\n".join(words(seeds_card(kept, person=9, page=page)) for page in (1, 2, 3))
    assert all(f"**n{n}**" in listed for n in range(45))
    assert paged(kept, 0, size=seeds.PAGE).number == 1


def test_a_style_card_offers_what_may_be_done() -> None:
    """Owners edit, look back, share and delete; who moderates takes back; others only look; sharing wants the right."""
    first = style(version=1)
    owner = Rights(own=True, share=True)
    assert {"Edit", "Versions", "Share here", "Delete", "All styles"} == set(
        controls(style_card(first, person=9, rights=owner))
    )
    versions, sharing = (
        controls(style_card(first, person=9, rights=Rights(own=True)))[name] for name in ("Versions", "Share here")
    )
    assert isinstance(versions, Button)
    assert isinstance(sharing, Button)
    assert versions.disabled
    assert sharing.disabled
    shared = style(guild=2, version=3)
    assert "Take it back" in controls(style_card(shared, person=9, rights=Rights(own=True)))
    assert set(controls(style_card(shared, person=8, rights=Rights(own=False, share=True)))) == {
        "Take it back",
        "All styles",
    }
    assert set(controls(style_card(shared, person=8, rights=Rights(own=False)))) == {"All styles"}
    assert "<@9>'s, shared with this server" in words(style_card(shared, person=8, rights=Rights(own=False)))


def test_a_saved_style_says_how_it_is_used() -> None:
    """Where a style has no place for the words of a request, it says where they go; a changed one says its version."""
    assert "come after" not in kept_words(style())
    assert "come after" in kept_words(style(prompt="ink"))
    assert "come after" not in kept_words(style(prompt="", settings=FULL))
    assert "(version 3)" in kept_words(style(version=3))


anything = st.text(st.characters(codec="utf-8") | st.sampled_from("*_`|<>@\\"), max_size=4000)
names = st.text(string.printable, min_size=1, max_size=NAME).map(lambda name: name.strip() or "x")


@settings(max_examples=25, deadline=None)
@given(st.lists(names, min_size=PAGE, max_size=PAGE + 1), anything, st.integers(0, 9))
async def test_discord_takes_every_card(titles: list[str], text: str, page: int) -> None:
    """Whatever people call their styles and write into them, every card is within Discord's limits."""
    sets = msgspec.structs.replace(FULL, loras=text[:900], model=text[:200])
    kept = [
        style(name, number=n, prompt=text, negative=text, guild=2, version=30, settings=sets)
        for n, name in enumerate(titles)
    ]
    saved = [SavedSeed(person=9, name=name, seed=SEED_LIMIT - 1) for name in titles]
    for card in (
        list_card(kept, person=2**63, page=page, note="x"),
        style_card(kept[0], person=9, rights=Rights(own=True), note=kept_words(kept[0])),
        versions_card(kept[:PAGE], newest=kept[0], page=page),
        cards.version_card(kept[1], newest=kept[0]),
        cards.sure_card(kept[0]),
        seeds_card([*saved, *saved], person=9, page=page),
    ):
        view.layout(card)
    forms.edit_form(kept[0])
    forms.new_form(titles[0])


def request(prompt: str, negative: str = "blur") -> GenerationRequest:
    """A request with settings of its own."""
    return GenerationRequest(
        prompt=Prompt(prompt, negative),
        canvas=Canvas(64, 128),
        seeds=Seeds(7),
        model=ModelRef("painter", "0123"),
        sampling=Sampling("euler_a", "karras", 12),
        guidance=Guidance(4.5),
    )


async def test_the_form_of_a_picture() -> None:
    """It begins with the picture's words behind {prompt} and all boxes ticked; a picture of too many words leaves a place."""
    form = forms.picture_form(5, request("a fox <lora:ink:0.8>")).to_dict()
    fields = [row["component"] for row in form["components"]]
    assert fields[1]["value"] == "{prompt}, a fox"
    assert fields[2]["value"] == "blur"
    told = [(option["value"], option["label"]) for option in fields[3]["options"]]
    assert told == [
        ("model", "Model: painter"),
        ("loras", "LoRAs: ink:0.8"),
        ("sampler", "Sampler: Euler a Karras"),
        ("steps", "Steps: 12"),
        ("cfg", "CFG scale: 4.5"),
        ("size", "Size: 64 × 128"),
    ]
    assert all(option["default"] for option in fields[3]["options"])
    long = forms.picture_form(5, request("x" * 9000)).to_dict()
    assert "value" not in long["components"][1]["component"]


def test_only_what_is_ticked_is_carried() -> None:
    """A hash goes with its model, and names that are no setting are nothing."""
    assert forms.carried_only(FULL, ("model", "steps", "nonsense")) == StyleSettings(
        model="sub/painter", hash="0123", steps=30
    )
    assert forms.carried_only(FULL, ()) == StyleSettings()


CSV = "name,prompt,negative_prompt\n"


def test_an_import_keeps_what_is_new_and_says_what_it_left() -> None:
    """New ones, next versions (which keep what they set), word for word the same, and refused ones with their reason."""
    own = [style("Ink", prompt="old", settings=FULL), style("fog", prompt="fog")]
    rows = transfer.read_file(
        f"{CSV}ink,new ink,\nfog,fog,\nsea,blue,red\n{'x' * 81},a,b\nvoid,,\n".encode("utf-8-sig")
    )
    plan = transfer.plan_import(rows, own)
    assert [text.name for text in plan.new] == ["sea"]
    assert [(text.name, text.prompt, text.settings) for text in plan.changed] == [("ink", "new ink", FULL)]
    assert plan.same == 1
    assert [why for _, why in plan.left_out] == [
        "A name may have at most 80 characters; this one has 81.",
        "A style needs words (what it adds to a prompt, or what it keeps out of the picture) or a setting.",
    ]
    told = words(transfer.imported_card(plan))
    assert "1 style new · 1 as the next version of one of yours · 1 here already" in told
    assert "at most 80 characters" in told


def test_an_export_is_what_an_import_reads() -> None:
    """The file that is sent is read again, all of it here already; what the format has no room for is told."""
    own = [style("Ink", negative="a, “b”\nc", settings=FULL), style("#1", prompt="x", number=2)]
    rows = files.read_styles(transfer.write_file(own).decode("utf-8-sig"))
    assert transfer.plan_import(rows, own).same == 1
    assert "what 1 of them set" in transfer.exported_words(own)
    assert "# in front" in transfer.exported_words(own)


def test_an_import_stops_at_the_most() -> None:
    """What is over the most that one person may keep is left out by name."""
    own = [style(f"s{n}", prompt="x") for n in range(transfer.MOST - 1)]
    plan = transfer.plan_import([files.Style("a", "b"), files.Style("c", "d")], own)
    assert [text.name for text in plan.new] == ["a"]
    assert plan.left_out == (("c", "500 styles are the most that one person may keep."),)


@pytest.mark.parametrize(("data", "says"), [
    (b"", "no table of styles"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a text in UTF-8"),
    (b"<html><body>404</body></html>", "no table of styles"),
    (b"title,words\na,b\n", "no table of styles"),
    (CSV.encode(), "holds no styles"),
    (CSV.encode() + b"a,b\n" * 300_000, "1 MiB can be read"),
    (CSV.encode() + b'a,"' + b"x" * 200_000, "cannot be read as a table"),
    (CSV.encode() + "".join(f"s{n},x,\n" for n in range(2001)).encode(), "holds 2,001 styles"),
    (b"\xff\xfe\x00", "not a text in UTF-8"),
    (b'"' * 1000, "no table of styles"),
])  # fmt: skip
def test_a_hostile_file_is_a_sentence(data: bytes, says: str) -> None:
    """Nothing, pictures, web pages, other tables, huge files and fields."""
    with pytest.raises(RequestRefused, match=says):
        transfer.read_file(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_styles_or_a_sentence(data: bytes) -> None:
    """No file makes an error that nobody foresaw."""
    with contextlib.suppress(RequestRefused):
        transfer.plan_import(transfer.read_file(CSV.encode() + data), [])
