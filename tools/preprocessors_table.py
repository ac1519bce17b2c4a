"""Writes the table of preprocessors into `docs/control.md`, between its two marks. Run: python -m tools.preprocessors_table."""

from pathlib import Path

from inference.api.preprocessors import PREPROCESSORS, PreprocessorRow
from inference.engine.annotators.networks import KINDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "control.md"
SHIPPED = {"movenet", "mlsd"}
"""Kinds of network of which a file comes with Easel."""
BEGIN, END = "<!-- preprocessors: python -m tools.preprocessors_table -->", "<!-- end of preprocessors -->"


def table() -> str:
    """The catalogue's rows in Markdown."""
    lines = ["| kind | what it makes | resolution; sliders | network | in texts |", "|---|---|---|---|---|"]
    for row in PREPROCESSORS:
        names = ", ".join(f"`{name}`" for name in row.modules)
        cells = (f"**{row.label}** `{row.id}`", row.help, _numbers(row), _networks(row), names)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _numbers(row: PreprocessorRow) -> str:
    resolution = (
        "the picture's" if not row.resolution else f"{row.resolution}, fixed" if row.fixed else str(row.resolution)
    )
    sliders = [f"{slider.label} {slider.low:g}–{slider.high:g} ({slider.default:g})" for slider in row.sliders]
    return "; ".join([resolution, *sliders])


def _networks(row: PreprocessorRow) -> str:
    return " or ".join(KINDS[kind].file + " (comes with Easel)" * (kind in SHIPPED) for kind in row.networks)


def written(page: str) -> str:
    """`page` with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
