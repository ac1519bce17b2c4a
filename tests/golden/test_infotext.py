"""Parameter texts against the webui's own (`infotext.json`, and `names` of `schedules.json`; how they were made: README)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from inference.api.catalog import SCHEDULES
from inference.api.infotext.defaults import first_pass_size
from inference.api.infotext.names import canonical, split_names
from inference.api.infotext.parsing import parse_parameters
from inference.api.infotext.quoting import quote, unquote
from inference.api.infotext.writing import Facts, write_infotext
from inference.api.styles import read_styles

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
VECTORS: dict[str, Any] = json.loads((FOLDER / "infotext.json").read_text(encoding="utf-8"))
NAMES: list[dict[str, Any]] = json.loads((FOLDER / "schedules.json").read_text(encoding="utf-8"))["names"]
STYLES = read_styles(VECTORS["styles_csv"])
SCHEDULE_LABELS = {row.id: row.label for row in SCHEDULES}
USES_ENSD = ("Euler a", "DPM2 a", "DPM++ 2S a", "DPM fast", "DPM adaptive")


@pytest.mark.parametrize("row", VECTORS["parse"], ids=lambda row: row["text"][:40])
def test_reading(row: dict[str, Any]) -> None:
    """A text becomes the webui's parameters: the same keys with the same values, defaults and old versions' rules included."""
    found = parse_parameters(
        row["text"], styles=STYLES, mode=row.get("infotext_styles", "Apply if any"), skip=row.get("skip_fields", ())
    )
    assert found == row["result"]


def facts_from(row: dict[str, Any]) -> Facts:
    """A case's parameters and options, as facts."""
    params, options, index = row["params"], row["options"], row["index"]
    named = options.get("add_model_name_to_info", True)
    ensd = options.get("eta_noise_seed_delta", 0) if params["sampler_name"] in USES_ENSD and params["eta"] != 0 else 0
    extra = {
        key: value[index] if isinstance(value, list) else value
        for key, value in params["extra_generation_params"].items()
    }
    return Facts(
        prompt=row["all_prompts"][index],
        negative=row["all_negative_prompts"][index],
        steps=params["steps"],
        sampler=params["sampler_name"],
        schedule=params["scheduler"],
        cfg_scale=params["cfg_scale"],
        image_cfg_scale=params["image_cfg_scale"],
        seed=row["all_seeds"][index],
        face_restoration="CodeFormer" if params["restore_faces"] else None,
        width=params["width"],
        height=params["height"],
        model_hash=params["sd_model_hash"],
        model=params["sd_model_name"] if named else None,
        vae_hash=params["sd_vae_hash"],
        vae=params["sd_vae_name"],
        variation_seed=row["all_subseeds"][index],
        variation_strength=params["subseed_strength"],
        resize_from=(params["seed_resize_from_w"], params["seed_resize_from_h"]),
        clip_skip=options.get("CLIP_stop_at_last_layers", 1),
        ensd=ensd,
        rng=options.get("randn_source", "GPU"),
        tiling=params["tiling"],
        extra=extra,
        version="v1.10.1" if options.get("add_version_to_infotext", True) else None,
        user=params["user"] if options.get("add_user_name_to_info", False) else None,
    )


@pytest.mark.parametrize("row", VECTORS["generate"], ids=lambda row: row["text"][:40])
def test_writing(row: dict[str, Any]) -> None:
    """The same facts give the webui's text, letter for letter."""
    assert write_infotext(facts_from(row)) == row["text"]


@pytest.mark.parametrize("row", VECTORS["quote"], ids=lambda row: str(row["value"]))
def test_quoting(row: dict[str, Any]) -> None:
    """Values are quoted and unquoted as the webui does it."""
    if row["value"] is not None:
        assert quote(row["value"]) == row["quoted"]
    if row["unquoted"] is not None:
        assert unquote(row["quoted"]) == row["unquoted"]


@pytest.mark.parametrize("row", VECTORS["old_hires_first_pass"], ids=lambda row: str(row["size"]))
def test_first_pass_of_old_hires_fix(row: dict[str, Any]) -> None:
    """Old texts that leave the first pass open mean the webui's size."""
    assert list(first_pass_size(*row["size"])) == row["first_pass"]


@pytest.mark.parametrize(
    "row", NAMES, ids=lambda row: f"{row['sampler']}-{row['scheduler']}-{row['convert_automatic']}"
)
def test_names_of_samplers(row: dict[str, Any]) -> None:
    """Old joint names are taken apart as in the webui; what it replaces silently by its first sampler is unknown here."""
    sampler, schedule = split_names(row["sampler"] or "", row["scheduler"])
    wanted, label = row["result"]
    if sampler is None:
        assert wanted == "DPM++ 2M"
        assert (row["sampler"] or "") not in (wanted, f"{wanted} {label}")
        return
    schedule = schedule or "automatic"
    if row["convert_automatic"]:
        schedule = canonical(sampler, schedule)
    assert (sampler.label, SCHEDULE_LABELS[schedule]) == (wanted, label)
