"""Write `docs/infotext.md`, the table of what is honoured of a parameter text. Run: python -m tools.infotext_page."""

from pathlib import Path

from inference.api.infotext.keys import documentation

PAGE = Path(__file__).resolve().parent.parent / "docs" / "infotext.md"

if __name__ == "__main__":
    PAGE.write_text(documentation(), encoding="utf-8")
