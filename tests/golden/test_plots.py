"""Plots, prompt matrices, prompts from a file and grids against the webui's own (`xyz.json`, `images.json`; README)."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageColor

from bot.discord_ui.series.drawing import image_grid
from bot.errors import RequestRefused
from bot.requests.plots import changes, lines, matrix
from bot.requests.plots.axes import AXES, AxisRow, apply, written
from bot.requests.plots.changes import Here
from bot.requests.plots.layout import grid_shape
from bot.requests.plots.order import axis_order, cells, seed_offset
from bot.requests.plots.values import label_of, read_list, read_values
from bot.settings import LimitSettings
from inference.api.infotext.names import find_sampler
from inference.api.lookup import AUTOMATIC
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Sampling, Seeds
from inference.api.result import Inventory, ModelFile

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
PLOTS: Mapping[str, list[dict[str, Any]]] = json.loads((FOLDER / "xyz.json").read_text(encoding="utf-8"))
GRIDS: Mapping[str, Any] = json.loads((FOLDER / "images.json").read_text(encoding="utf-8"))

SHELF = Inventory(vaes=(ModelFile("vaeA.pt", "models/VAE/vaeA.pt", "", "sd1"),))
BASE = GenerationRequest(
    prompt=Prompt("x"), canvas=Canvas(64, 64), seeds=Seeds(1000), model=ModelRef("m"), sampling=Sampling(steps=10)
)


def nothing(styles: str) -> GenerationRequest:
    """No style changes anything here."""
    del styles
    return BASE


HERE = Here(inventory=SHELF, limits=LimitSettings(), restyled=nothing, random_seed=lambda: 1)


def axis(label: str) -> AxisRow:
    """The row of this label, for what begins from words."""
    return next(row for row in AXES if row.label == label and row.where != "img")


def test_the_axes_are_the_webuis() -> None:
    """Labels, kinds, costs and what an axis is for agree, in the same order; Easel's own come behind them."""
    ours = [
        {
            "label": row.label,
            "type": row.kind,
            "cost": row.cost,
            "txt2img_only": row.where == "txt",
            "img2img_only": row.where == "img",
        }
        for row in AXES
        if not row.ours
    ]
    assert ours == PLOTS["axis_options"]
    assert not any(row.ours for row in AXES[: len(ours)])


@pytest.mark.parametrize("row", PLOTS["axis_parse"], ids=lambda row: f"{row['axis']}: {row['values']!r}")
def test_values(row: dict[str, Any]) -> None:
    """A text becomes the original's values and legends; where the original raises, ours refuses in a sentence."""
    ours = axis(row["axis"])
    if row["error"]:
        with pytest.raises(RequestRefused):
            _ = [apply(ours, value, BASE, HERE) for value in read_values(ours.kind, row["values"])]
        return
    values = read_values(ours.kind, row["values"])
    parsed: list[Any] = row["parsed"]
    if ours.kind == "float":
        assert list(values) == pytest.approx(parsed, abs=1e-9)
        assert all(isinstance(value, float) for value in values)
    else:
        assert [list(value) if isinstance(value, tuple) else value for value in values] == parsed
    assert [written(ours, value) for value in values] == row["labels"]


@pytest.mark.parametrize("row", PLOTS["order"], ids=str)
def test_order_and_seeds(row: dict[str, Any]) -> None:
    """The same axis goes outermost, cells come in the same order, and each has the same seed."""
    rows = [axis(label) for label in row["axes"]]
    costs = (row["costs"][0], row["costs"][1], row["costs"][2])
    assert tuple(each.cost for each in rows) == costs
    outer, second, _ = axis_order(costs)
    assert ("xyz"[outer], "xyz"[second]) == (row["outer_axis"], row["second_axis"])
    values = [
        read_values(each.kind, text) if each.label != "Nothing" else ("",)
        for each, text in zip(rows, row["values"], strict=True)
    ]
    counts = (len(values[0]), len(values[1]), len(values[2]))
    vary = (row["vary_seeds_xyz"][0], row["vary_seeds_xyz"][1], row["vary_seeds_xyz"][2])
    ours = list(cells(counts, costs))
    assert [list(cell) for cell in ours] == row["cells_ix_iy_iz"]
    seeds: list[int] = []
    for cell in ours:
        request = BASE
        for each, index, among in zip(rows, cell, values, strict=True):
            if each.label == "Seed":
                request = apply(each, among[index], request, HERE)
        seeds.append(request.seeds.seed + seed_offset(cell, counts, vary=vary))
    assert seeds == row["seeds"]


@pytest.mark.parametrize("row", PLOTS["search_replace"], ids=lambda row: row["values"])
def test_search_and_replace(row: dict[str, Any]) -> None:
    """Each value stands where the first one stood, in both texts; a first value that stands nowhere is refused."""
    base = Prompt(row["prompt"], row["negative_prompt"])
    request = GenerationRequest(prompt=base, canvas=BASE.canvas, seeds=BASE.seeds, model=BASE.model)
    values = [str(value) for value in read_values("str", row["values"])]
    if row["error"]:
        with pytest.raises(RequestRefused, match="did not find"):
            changes.replaced(request, first=values[0], value=values[0])
        return
    ours = [changes.replaced(request, first=values[0], value=value).prompt for value in values]
    assert [[prompt.positive, prompt.negative] for prompt in ours] == row["results"]


@pytest.mark.parametrize("row", PLOTS["prompt_order"], ids=lambda row: row["values"])
def test_prompt_order(row: dict[str, Any]) -> None:
    """Every order of the words, in the original's order, put into the prompt as the original does."""
    orders = [order for order in read_values("str_permutations", row["values"]) if isinstance(order, tuple)]
    assert [list(order) for order in orders] == row["permutations"]
    assert [label_of(order) for order in orders] == row["labels"]
    assert [changes.reordered(row["prompt"], order) for order in orders] == row["results"]


def effect_of(row: AxisRow, value: object) -> dict[str, Any]:
    """What `value` does to 64 x 64 and 10 steps, in the original's words; what it takes no notice of, or takes for the usual,
    we refuse, and it counts as what it would take it for.
    """
    said: dict[str, Any] = {"width": 64, "height": 64, "sampler_name": None, "override_settings": {}, "styles": []}
    text = str(value)
    match row.label:
        case "Size":
            said["width"], said["height"] = changes.read_size(text) or (64, 64)
        case "Styles":
            said["styles"] = read_list(text)
        case "VAE":
            said["override_settings"] = {"sd_vae": changes.read_vae(text, SHELF) or AUTOMATIC}
        case "UniPC Order":
            order = apply(row, value, BASE, HERE).sampling.unipc.order  # type: ignore[arg-type]
            said["override_settings"] = {"uni_pc_order": order}
        case "Always discard next-to-last sigma":
            said["override_settings"] = {"always_discard_next_to_last_sigma": bool(changes.read_switch(text))}
        case "Clip skip":
            skip = apply(row, value, BASE, HERE).prompt.clip_skip  # type: ignore[arg-type]
            said["override_settings"] = {"CLIP_stop_at_last_layers": skip}
        case _:
            found = find_sampler(text)
            assert found is not None
            assert apply(row, text, BASE, HERE).sampling.sampler == found.id
            said["sampler_name"] = text
    return said


@pytest.mark.parametrize("row", PLOTS["other_axes"], ids=lambda row: row["axis"])
def test_what_other_axes_do(row: dict[str, Any]) -> None:
    """Sizes, styles, VAEs, orders, switches, layers and samplers mean what they mean to the original."""
    ours = axis(row["axis"])
    values = read_values(ours.kind, row["values"])
    assert [effect_of(ours, value) for value in values] == row["results"]


def test_what_the_original_overlooks_is_refused() -> None:
    """A size, VAE or switch that means nothing is a sentence, not a cell like all others."""
    for label, value in (("Size", "bad"), ("Size", "12x"), ("VAE", "zzz"), ("SGM noise multiplier", "yes")):
        with pytest.raises(RequestRefused):
            apply(axis(label), value, BASE, HERE)


@pytest.mark.parametrize("row", PLOTS["prompt_matrix"], ids=str)
def test_prompt_matrix(row: dict[str, Any]) -> None:
    """The same prompts in the same order, the same seeds, and as many rows."""
    ours = matrix.expand(row["text"], delimiter=row["delimiter"], at_start=row["put_at_start"])
    assert list(ours.prompts) == row["expanded"]
    assert [row["seed"] + index * row["different_seeds"] for index in range(len(ours.prompts))] == row["seeds"]
    assert matrix.layout_of(ours).rows == row["grid_rows"]
    assert math.ceil(len(ours.prompts) / row["batch_size"]) == row["n_iter"]


@pytest.mark.parametrize("row", PLOTS["prompts_from_file"], ids=lambda row: row["line"])
def test_a_line_of_a_file(row: dict[str, Any]) -> None:
    """A command line means the same arguments; where the original raises, ours says that it is none."""
    if "error" in row:
        with pytest.raises(lines.NotACommand):
            lines.read_line(row["line"])
        return
    assert lines.read_line(row["line"]) == row["args"]


@pytest.mark.parametrize(
    "row", PLOTS["prompts_from_file_runs"], ids=lambda row: f"{row['position']} {row['base_prompt']}"
)
def test_a_whole_file(row: dict[str, Any]) -> None:
    """Every line becomes the original's job: texts joined, seeds advanced, what it does not say as the command has it."""
    ours = lines.read_lines(
        row["text"],
        prompt=row["base_prompt"],
        negative=row["base_negative"],
        seed=row["base_seed"],
        pictures=row["batch_size"] * row["n_iter"],
        advance=row["iterate_seed"],
        position=row["position"],
    )
    usual = {"steps": 20, "cfg_scale": 7.0, "width": 64, "height": 64, "n_iter": row["n_iter"]}
    jobs = [
        {"prompt": line.prompt, "negative_prompt": line.negative, "seed": line.seed}
        | {name: line.args.get(name, value) for name, value in usual.items()}
        for line in ours
    ]
    assert jobs == row["jobs"]


@pytest.mark.parametrize("row", GRIDS["grid"], ids=str)
def test_shape_of_a_grid(row: dict[str, Any]) -> None:
    """As many rows and columns as the original, for each of its settings."""
    setting = row["n_rows_setting"]
    rows = (
        {-1: None, 0: row["batch_size"]}.get(setting, setting) if row["rows_argument"] is None else row["rows_argument"]
    )
    assert grid_shape(row["n"], rows=rows, even=row["prevent_empty_spots"]) == (row["rows"], row["cols"])


@pytest.mark.parametrize("name", ["grid_mixed", "grid_mixed_bg"])
def test_pictures_of_unequal_size(name: str) -> None:
    """Smaller pictures stand in the middle of their cells, on the ground that is asked for."""
    with np.load(FOLDER / "images.npz") as arrays:
        inputs = [Image.fromarray(arrays[each]) for each in GRIDS["grid_mixed"]["inputs"]]
        expected = arrays[name]
    ground = ImageColor.getrgb(GRIDS["grid_mixed"]["background" + name.removeprefix("grid_mixed")])
    ours = np.asarray(image_grid(inputs, ground=(ground[0], ground[1], ground[2])), dtype=int)
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() <= 1
