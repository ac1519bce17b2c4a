"""docs/control.md is held to what it describes: the preprocessors of the catalogue, their networks and folders."""

from bot.settings import PROJECT
from inference.api.preprocessors import PREPROCESSORS
from inference.engine.annotators.networks import identify
from inference.engine.annotators.resolution import MAX_MAP_PIXELS
from inference.engine.discovery import KINDS
from tools.preprocessors_table import SHIPPED, table, written

TEXT = (PROJECT / "docs" / "control.md").read_text(encoding="utf-8")


def test_the_table_is_what_the_tool_writes() -> None:
    """`python -m tools.preprocessors_table` would change nothing; every preprocessor has its row."""
    assert written(TEXT) == TEXT
    assert all(table().count(f"** `{row.id}` |") == 1 for row in PREPROCESSORS)


def test_the_folders_of_networks_are_told() -> None:
    """Every folder in which networks of preprocessors are looked for stands on the page."""
    (kind,) = (kind for kind in KINDS if kind.shelf == "annotators")
    assert all(folder in TEXT for folder in kind.folders)


def test_what_ships_is_told() -> None:
    """The picture and both networks are there; the largest map is the one that is said."""
    assert (PROJECT / "docs" / "pictures" / "preprocessors.png").is_file()
    files = (PROJECT / "models" / "annotators").glob("m*.fp16.safetensors")
    assert {identify(path).family for path in files} >= SHIPPED
    assert MAX_MAP_PIXELS == 4096 * 4096
