"""Suggestions while somebody types."""

from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui import options
from inference.api.result import Inventory, ModelFile

SHELF = Inventory(
    checkpoints=(
        ModelFile("anime/ink", "a.safetensors", "aaaaaaaaaa", "sd1"),
        ModelFile("painter", "b.safetensors", "", "unknown"),
        ModelFile("x" * 300, "c.safetensors", "cccccccccc", "sdxl"),
    ),
    loras=tuple(ModelFile(f"fur {n}", f"{n}.safetensors", "", "sd1") for n in range(40)),
)


def test_samplers_are_found_by_what_is_typed() -> None:
    """Part of a label is enough, labels are shown and ids are sent; names that begin with the text come first."""
    assert [each.name for each in options.samplers("eul")][:1] == ["Euler a"]
    assert options.samplers("euler a")[0].value == "euler_a"
    assert options.samplers("no such thing") == ()


def test_models_are_sent_by_hash() -> None:
    """A checkpoint with a hash is sent by it, however long its name; one without is sent by name."""
    assert [each.value for each in options.models(SHELF, "")] == ["aaaaaaaaaa", "painter", "cccccccccc"]
    assert options.models(SHELF, "ink")[0].name == "anime/ink · SD 1"


def test_a_list_of_loras_is_completed_at_its_end() -> None:
    """What stands before the last comma stays, weights and all."""
    assert options.loras(SHELF, "ink:0.8, fur 3")[0].value == "ink:0.8, fur 3"
    assert len(options.loras(SHELF, "fur")) == 25


@given(st.text(max_size=300), st.lists(st.text(max_size=150), max_size=60))
def test_discord_would_take_every_suggestion(typed: str, saved: list[str]) -> None:
    """At most 25, each with 1 to 100 characters shown and sent, whatever is typed and saved."""
    for found in (
        options.samplers(typed),
        options.models(SHELF, typed),
        options.loras(SHELF, typed),
        options.names(saved, typed),
    ):
        assert len(found) <= 25
        assert all(0 < len(each.name) <= 100 and 0 < len(each.value) <= 100 for each in found)
