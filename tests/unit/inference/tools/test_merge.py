"""The merger against plain torch arithmetic in fp32, bit for bit; what it leaves alone; its names, its recipe, its refusals."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from inference.api.tools import Merge
from inference.engine.tools.merge import default_name
from inference.engine.tools.refusal import ToolRefused
from tests.checkpoints import write_text_file, write_tiny_checkpoint
from tests.unit.inference.tools.doing import (
    DECODER,
    INPUT,
    POSITIONS,
    do,
    few_weights,
    listed,
    metadata_of,
    read,
    same,
    write,
)

MERGED = (INPUT, "model.diffusion_model.out.2.bias")


def three(folder: Path, **options: torch.dtype) -> tuple[Path, Path, Path]:
    """Three checkpoints of one family."""
    names = ("ant", "bee", "cat")
    a, b, c = (write(folder / f"{name}.safetensors", few_weights(seed=i, **options)) for i, name in enumerate(names))
    return a, b, c


def test_weighted_sum(tmp_path: Path) -> None:
    """A (1 − M) + B M on what has “model” in its name and is in both; ids, whole numbers and the noise table stay A's."""
    a, b, _ = three(tmp_path)
    weights = read(b) | {POSITIONS: torch.zeros(1, 77, dtype=torch.int64), "alphas_cumprod": torch.ones(1000)}
    weights["model_ema.num_updates"] = torch.tensor(9, dtype=torch.int32)
    lacking = write(b, {key: value for key, value in weights.items() if key != "model.diffusion_model.out.2.bias"})
    made = do(Merge(a=str(a), b=str(lacking), multiplier=0.3))
    ours, theirs = read(a), read(lacking)
    kept = {POSITIONS, "alphas_cumprod", "model_ema.num_updates", "model.diffusion_model.out.2.bias"}
    wanted = {key: value if key in kept else (1 - 0.3) * value + 0.3 * theirs[key] for key, value in ours.items()}
    assert Path(made.paths[0]).name == "0.7(ant) + 0.3(bee).safetensors"
    assert same(read(made.paths[0]), wanted)


def test_add_difference(tmp_path: Path) -> None:
    """A + M (B − C); what C lacks counts as no difference."""
    a, b, c = three(tmp_path)
    lacking = write(c, {key: value for key, value in read(c).items() if key != DECODER})
    made = do(Merge(a=str(a), b=str(b), c=str(lacking), method="add-difference", multiplier=0.5))
    ours, theirs, base = read(a), read(b), read(lacking)
    wanted = {
        key: ours[key] + 0.5 * (theirs[key] - base[key])
        if "model" in key and key in base and ours[key].is_floating_point()
        else ours[key]
        for key in ours
    }
    assert Path(made.paths[0]).name == "ant + 0.5(bee - cat).safetensors"
    assert same(read(made.paths[0]), wanted)
    assert torch.equal(read(made.paths[0])[DECODER], ours[DECODER])


def test_halves_are_merged_in_fp32(tmp_path: Path) -> None:
    """Half-precision weights are rounded once, at the end; of two kinds the wider one is stored."""
    a, b, _ = three(tmp_path, dtype=torch.float16)
    after = read(do(Merge(a=str(a), b=str(b), multiplier=0.7)).paths[0])
    ours, theirs = read(a), read(b)
    for key in MERGED:
        exact = (1 - 0.7) * ours[key].float() + 0.7 * theirs[key].float()
        assert torch.equal(after[key], exact.half())
    wide = write(tmp_path / "wide.safetensors", few_weights(seed=1))
    after = read(do(Merge(a=str(a), b=str(wide), multiplier=0.7)).paths[0])
    assert after[INPUT].dtype == torch.float32


def test_half_precision_is_an_option(tmp_path: Path) -> None:
    """As the webui: merged weights in fp32 become halves, others stay; without interpolation all of them do."""
    a, b, _ = three(tmp_path)
    after = read(do(Merge(a=str(a), b=str(b), multiplier=1.0, half=True)).paths[0])
    theirs = read(b)
    assert torch.equal(after[INPUT], theirs[INPUT].half())
    assert after["alphas_cumprod"].dtype == torch.float32
    after = read(do(Merge(a=str(a), method="none", half=True, name="alone")).paths[0])
    assert same(after, {key: v.half() if v.dtype == torch.float32 else v for key, v in read(a).items()})


@pytest.mark.parametrize(("channels", "ending"), [(9, "inpainting"), (8, "instruct-pix2pix")])
def test_special_targets(tmp_path: Path, channels: int, ending: str) -> None:
    """An inpainting or pix2pix A takes a plain B into its first four channels; the other way round is refused."""
    a = write(tmp_path / "a.safetensors", few_weights(channels=channels))
    b, c = (write(tmp_path / f"{name}.safetensors", few_weights(seed=i)) for i, name in enumerate("bc", 1))
    made = do(Merge(a=str(a), b=str(b), multiplier=0.25))
    ours, theirs, base = read(a)[INPUT], read(b)[INPUT], read(c)[INPUT]
    wanted = ours.clone()
    wanted[:, :4] = (1 - 0.25) * ours[:, :4] + 0.25 * theirs
    assert Path(made.paths[0]).name == f"0.75(a) + 0.25(b).{ending}.safetensors"
    assert torch.equal(read(made.paths[0])[INPUT], wanted)
    made = do(Merge(a=str(a), b=str(b), c=str(c), method="add-difference", multiplier=1))
    wanted[:, :4] = ours[:, :4] + 1.0 * (theirs - base)
    assert torch.equal(read(made.paths[0])[INPUT], wanted)
    recipe = json.loads(metadata_of(made.paths[0])["sd_merge_recipe"])
    assert [recipe["is_inpainting"], recipe["is_instruct_pix2pix"]] == [channels == 9, channels == 8]
    with pytest.raises(
        ToolRefused, match=f"a.safetensors is an {ending} checkpoint and b.safetensors is not.*must be A"
    ):
        do(Merge(a=str(b), b=str(a)))


def test_recipe(tmp_path: Path) -> None:
    """The metadata names the files by hash and how they were merged, and carries the recipes of merged files on."""
    a, b, c = three(tmp_path)
    first = Path(do(Merge(a=str(a), b=str(b), multiplier=0.5, name="ab")).paths[0])
    second = do(
        Merge(a=str(first), b=str(b), c=str(c), method="add-difference", multiplier=0.5, half=True, discard="^alphas")
    )
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, b, c)]
    told = metadata_of(second.paths[0])
    assert told["format"] == "pt"
    assert json.loads(told["sd_merge_recipe"]) == {
        "type": "webui",
        "primary_model_hash": hashes[0],
        "secondary_model_hash": hashes[1],
        "tertiary_model_hash": hashes[2],
        "interp_method": "Add difference",
        "multiplier": 0.5,
        "save_as_half": True,
        "custom_name": "",
        "config_source": 0,
        "bake_in_vae": "None",
        "discard_weights": "^alphas",
        "is_inpainting": False,
        "is_instruct_pix2pix": False,
    }
    models = json.loads(told["sd_merge_models"])
    assert models.keys() == {*hashes, hashlib.sha256(a.read_bytes()).hexdigest()}
    assert models[hashes[0]]["sd_merge_recipe"]["multiplier"] == 0.5
    assert models[hashes[0]]["name"] == "ab.safetensors"
    assert models[hashes[1]]["sd_merge_recipe"] is None
    assert "alphas_cumprod" not in read(second.paths[0])


def test_names() -> None:
    """Rounded to two places, as the webui names merges."""
    files = {"a": "/m/ant.v1.safetensors", "b": "/m/bee.ckpt", "c": "/m/cat.ckpt"}
    assert default_name(Merge(**files, multiplier=0.333)) == "0.67(ant.v1) + 0.33(bee)"
    assert default_name(Merge(**files, method="add-difference", multiplier=1.0)) == "ant.v1 + 1.0(bee - cat)"
    assert default_name(Merge(**files, method="none")) == "ant.v1"


def test_a_vae_is_baked_in_and_the_format_chosen(tmp_path: Path) -> None:
    """The merge carries the other VAE, as a `.ckpt`, with the config of B."""
    a, b, _ = three(tmp_path)
    b.with_suffix(".yaml").write_text("b", encoding="utf-8")
    vae = {"decoder.conv_in.bias": torch.ones(16), "decoder.conv_in.weight": torch.ones(16, 4, 3, 3)}
    beside = write(tmp_path / "v.safetensors", vae)
    made = do(Merge(a=str(a), b=str(b), bake_vae=str(beside), format="ckpt", config="B", name="m"))
    assert torch.equal(read(made.paths[0])[DECODER], torch.ones(16, 4, 3, 3))
    assert (tmp_path / "m.yaml").read_text("utf-8") == "b"


def test_what_is_refused(tmp_path: Path) -> None:
    """Two families, factors outside, checkpoints too few or too many, no checkpoint, patterns that are none or never end."""
    a, b, c = map(str, three(tmp_path))
    other = str(write_tiny_checkpoint(tmp_path / "xl.safetensors", family="sdxl"))
    wide = few_weights() | {"model.diffusion_model.out.2.bias": torch.ones(5)}
    cases = (
        (
            Merge(a=a, b=other),
            "Stable Diffusion 1, xl.safetensors of Stable Diffusion XL: only checkpoints of one family",
        ),
        (Merge(a=a, b=b, multiplier=1.5), "goes from 0"),
        (Merge(a=a, b=b, multiplier=float("nan")), "goes from 0"),
        (Merge(a=a), "B is missing"),
        (Merge(a=a, b=b, method="add-difference"), "C is missing"),
        (Merge(a=a, b=b, c=c), "no use for a checkpoint C"),
        (Merge(a=a, method="none"), "not overwritten"),
        (Merge(a=a, b=b, config="C"), "no checkpoint C"),
        (Merge(a=a, b=str(write_text_file(tmp_path / "t.safetensors"))), "is a text file"),
        (Merge(a=a, b=str(write(tmp_path / "v.safetensors", {"decoder.conv_in.weight": torch.ones(1)}))), "VAE alone"),
        (Merge(a=a, b=str(write(tmp_path / "w.safetensors", wide))), "out.2.bias.*has the shape"),
        (Merge(a=a, b=b, discard="("), "no regular expression"),
        (Merge(a=a, b=b, discard="x" * 2000), "at most 1,000"),
        (Merge(a=a, b=b, discard="."), "nothing would be left"),
        (Merge(a=a, b=b, discard=r"^(\w|\w\w|\.)+[A-Z]$"), "takes too long"),
    )
    before = listed(tmp_path)
    for command, words in cases:
        with pytest.raises(ToolRefused, match=words):
            do(command)
    assert listed(tmp_path) == before
