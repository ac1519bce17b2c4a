"""Judge the training states as they stand: the gate of the VAE, and the painter where there is one, before any export."""

from tools.default_model.evaluate import Case, drawn_rows, load_judge, painted_row, table
from tools.default_model.sampling import folded_vae, from_states
from tools.default_model.sheet import contact_sheet
from tools.default_model.training import Run, load_state

CASES = {
    Case(128): (48, 8),
    Case(256): (16, 4),
    Case(256, wide=True): (16, 4),
}  # case -> pictures and columns of its sheet


def main(run: Run) -> None:
    """Print shares of right answers, and leave a `progress-N.png` for each case in the data folder."""
    run.start()
    judge = load_judge(run)
    print(table(drawn_rows(run, judge, folded_vae(load_state(run.data / "vae.pt")))))
    if not (run.data / "painter.pt").exists():
        return
    artist, rows = from_states(run), []
    for number, (case, (many, columns)) in enumerate(CASES.items(), 1):
        row, pictures, said = painted_row(judge, artist, case)
        rows.append(row)
        contact_sheet(pictures[:many], said[:many], path=run.data / f"progress-{number}.png", columns=columns)
    print(table(rows))
