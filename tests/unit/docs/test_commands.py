"""docs/commands.md is complete and current."""

from bot.settings import PROJECT
from tools.commands_page import all_entries, page


def test_the_page_is_what_the_tool_writes() -> None:
    """`python -m tools.commands_page` would change nothing."""
    assert (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8") == page()


def test_every_command_and_option_is_there() -> None:
    """Each command has its heading, and each of its options a row."""
    text = page()
    for entry in all_entries():
        assert text.count(f"\n### `{entry.written}`\n") == 1
        section = text.split(f"\n### `{entry.written}`\n")[1].split("\n##")[0]
        for option in entry.options:
            assert f"| {option.name} |" in section or f"| **{option.name}** |" in section
