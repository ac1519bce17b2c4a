"""The converter, bit for bit: what changes and what must not, parts, averages, a baked VAE, and refusals that leave nothing."""

import json
import struct
from pathlib import Path

import pytest
import torch

from inference.api.tools import Advanced, Convert
from inference.engine.tools.convert import default_name
from inference.engine.tools.refusal import ToolRefused
from tests.checkpoints import write_hostile_checkpoint, write_text_file, write_tiny_checkpoint
from tests.unit.inference.tools.doing import (
    DECODER,
    INPUT,
    POSITIONS,
    WORD,
    did,
    do,
    few_weights,
    listed,
    metadata_of,
    read,
    same,
    write,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkpoint in fp32."""
    return write(tmp_path / "fox.v2.safetensors", few_weights(), {"modelspec.title": "Fox", "sshs_model_hash": "12"})


HALF = (torch.float32, torch.float64, torch.bfloat16)


@pytest.mark.parametrize(
    ("precision", "dtype", "changed"),
    [
        ("fp16", torch.float16, HALF),
        ("bf16", torch.bfloat16, (torch.float32, torch.float64, torch.float16)),
        ("fp8_e4m3fn", torch.float8_e4m3fn, (*HALF, torch.float16)),
        ("fp8_e5m2", torch.float8_e5m2, (*HALF, torch.float16)),
        ("fp32", torch.float32, ()),
    ],
)
@pytest.mark.parametrize("ending", [".safetensors", ".ckpt"])
def test_precision(tmp_path: Path, precision, dtype: torch.dtype, changed, ending: str) -> None:
    """Each kind of numbers that is meant changes as torch changes it, every other keeps its bits; fp32 changes nothing."""
    weights = few_weights() | {
        "model.double": torch.randn(3, 2, dtype=torch.float64),
        "model.brain": torch.randn(3, 2).bfloat16(),
        "model.half": torch.randn(3, 2).half(),
        "model.eight": torch.randn(3, 2).to(torch.float8_e5m2),
        "model.count": torch.tensor([2**40, -1]),
        "model.flag": torch.tensor([True, False]),
        "model.none": torch.zeros(0, 4),
    }
    path = write(tmp_path / f"a{ending}", weights)
    made = do(Convert(source=str(path), precision=precision, formats=("safetensors", "ckpt")))
    wanted = {key: value.to(dtype) if value.dtype in changed else value for key, value in weights.items()}
    assert [Path(each).name for each in made.paths] == [f"a-{precision}.safetensors", f"a-{precision}.ckpt"]
    assert all(same(read(each), wanted) for each in made.paths)
    assert made.bytes == sum(Path(each).stat().st_size for each in made.paths)


def test_wide_numbers_lie_where_their_size_divides_the_place(source: Path) -> None:
    """A mapped tensor must be aligned: the payload begins at a multiple of eight, and each tensor at one of its number's size."""
    data = Path(do(Convert(source=str(source))).paths[0]).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert (8 + length) % 8 == 0
    sizes = {"I64": 8, "F32": 4, "I32": 4, "F16": 2}
    fields = json.loads(data[8 : 8 + length])
    assert all(row["data_offsets"][0] % sizes[row["dtype"]] == 0 for key, row in fields.items() if key[0] != "_")


def test_averages(source: Path) -> None:
    """Without them: every key with `model_ema.` goes. Only them: they take the place of the weights that they average."""
    weights = read(source)
    bare = read(do(Convert(source=str(source), precision="fp32", pruning="no-ema")).paths[0])
    assert same(bare, {key: value for key, value in weights.items() if "model_ema." not in key})
    only = read(do(Convert(source=str(source), precision="fp32", pruning="ema-only")).paths[0])
    wanted = dict(bare)
    wanted[INPUT] = weights["model_ema.diffusion_modelinput_blocks00weight"]
    wanted["model.diffusion_model.out.2.bias"] = weights["model_ema.diffusion_modelout2bias"]
    wanted |= {key: weights[key] for key in ("model_ema.num_updates", "model_ema.decay")}
    assert same(only, wanted)


def test_parts(source: Path) -> None:
    """Each part is converted, copied or left out by itself."""
    command = Convert(source=str(source), unet="copy", vae="delete", clip="convert", other="copy", pruning="no-ema")
    after, weights = read(do(command).paths[0]), read(source)
    assert after.keys() == {key for key in weights if not key.startswith(("first_stage_model", "model_ema"))}
    assert after[INPUT].dtype == after["alphas_cumprod"].dtype == torch.float32
    assert torch.equal(after[WORD], weights[WORD].half())
    with pytest.raises(ToolRefused, match="Nothing would be left"):
        do(Convert(source=str(source), unet="delete", vae="delete", clip="delete", other="delete", name="x"))


def test_names_of_novelai(tmp_path: Path) -> None:
    """Text encoders without the level `text_model.` get it; it is said."""
    weights = few_weights()
    for key in (WORD, POSITIONS):
        weights[key.replace("text_model.", "")] = weights.pop(key)
    path = write(tmp_path / "a.ckpt", weights)
    made = do(Convert(source=str(path), precision="fp32"))
    assert same(read(made.paths[0]), few_weights())
    assert "2 weights of the text encoder had old names" in made.notes[0]


def test_ids_of_places(tmp_path: Path) -> None:
    """They become whole numbers always, right ones when asked, and are added where SD1 lacks them; wrong ones are told."""
    ids = torch.arange(77, dtype=torch.float32).unsqueeze(0)
    ids[0, 5], ids[0, 76] = 4.5, 80
    path = write(tmp_path / "a.safetensors", few_weights() | {POSITIONS: ids})
    assert torch.equal(read(do(Convert(source=str(path))).paths[0])[POSITIONS], ids.to(torch.int64))
    made = do(Convert(source=str(path), fix_clip=True))
    assert Path(made.paths[0]).stem == "a-fp16-clip-fix"
    assert "2 position ids were wrong (5, 76)" in made.notes[0]
    right = torch.arange(77).unsqueeze(0)
    assert torch.equal(read(made.paths[0])[POSITIONS], right)
    without = {key: value for key, value in few_weights().items() if key != POSITIONS}
    made = do(Convert(source=str(write(tmp_path / "b.safetensors", without)), fix_clip=True))
    assert torch.equal(read(made.paths[0])[POSITIONS], right)
    assert "were missing" in made.notes[0]
    made = do(Convert(source=str(write(tmp_path / "c.safetensors", few_weights())), fix_clip=True))
    assert "were right" in made.notes[0]
    other = {key: value for key, value in without.items() if not key.startswith("cond_stage")}
    made = do(Convert(source=str(write(tmp_path / "d.safetensors", other)), fix_clip=True))
    assert POSITIONS not in read(made.paths[0])


def test_junk(tmp_path: Path) -> None:
    """What trainers leave in stays unless it is to go."""
    junk = {
        f"{name}.x": torch.ones(2) for name in ("embedding_manager.embedder", "lora_te_text_model", "control_model")
    }
    path = write(tmp_path / "a.safetensors", few_weights() | junk)
    assert junk.keys() <= read(do(Convert(source=str(path))).paths[0]).keys()
    assert same(read(do(Convert(source=str(path), precision="fp32", drop_junk=True)).paths[0]), few_weights())


@pytest.mark.parametrize("prefix", ["", "first_stage_model."])
def test_a_baked_vae_has_its_prefix(source: Path, prefix: str) -> None:
    """Its weights replace the checkpoint's own under `first_stage_model.`, converted with that part; losses stay outside."""
    vae = {f"{prefix}decoder.conv_in.bias": torch.ones(16), f"{prefix}decoder.conv_in.weight": torch.ones(16, 4, 3, 3)}
    beside = write(
        source.parent / "VAE" / "good.ckpt", vae | {"loss.logvar": torch.ones(1), "model_ema.x": torch.ones(1)}
    )
    after = read(do(Convert(source=str(source), bake_vae=str(beside))).paths[0])
    wanted = {key: value.half() if value.dtype == torch.float32 else value for key, value in read(source).items()}
    wanted[DECODER] = torch.ones(16, 4, 3, 3).half()
    wanted["first_stage_model.decoder.conv_in.bias"] = torch.ones(16).half()
    assert same(after, wanted)


def test_a_vae_of_diffusers_is_baked_under_a_checkpoints_names(tmp_path: Path) -> None:
    """The VAE of a real layout, written with diffusers' names, gives the checkpoint that it came from."""
    from inference.engine.layout import vae_sources
    from tests.checkpoints import tiny_config

    path = write_tiny_checkpoint(tmp_path / "a.safetensors")
    weights = read(path)
    from diffusers import AutoencoderKL

    vae = AutoencoderKL(**tiny_config()["vae"])
    named = {name: weights[place.key] for name, place in vae_sources(vae.state_dict(), vae.config).items()}
    named = {
        name: value[:, :, 0, 0].contiguous() if value.ndim == 4 and "attentions" in name else value
        for name, value in named.items()
    }
    beside = write(tmp_path / "diffusers.safetensors", named)
    blank = {key: torch.zeros_like(value) if key.startswith("first_stage") else value for key, value in weights.items()}
    other = write(tmp_path / "blank.safetensors", blank)
    assert same(read(do(Convert(source=str(other), precision="fp32", bake_vae=str(beside))).paths[0]), weights)


def test_vaes_that_do_not_fit(source: Path) -> None:
    """Another shape, a part of one, none at all, one that is deleted at once: refused with what is wrong."""
    shape, part = (
        {"decoder.conv_in.weight": torch.ones(8, 4, 3, 3)},
        {"decoder.conv_in.weight": torch.ones(16, 4, 3, 3)},
    )
    cases = (
        (shape | {"decoder.conv_in.bias": torch.ones(16)}, "has the shape"),
        (part, "lacks 1 weights"),
        ({"x": torch.ones(1)}, "is no VAE"),
    )
    for weights, words in cases:
        beside = write(source.parent / "v.safetensors", weights)
        with pytest.raises(ToolRefused, match=words):
            do(Convert(source=str(source), bake_vae=str(beside)))
    with pytest.raises(ToolRefused, match="baked in and deleted"):
        do(Convert(source=str(source), bake_vae=str(source), vae="delete"))
    assert listed(source.parent) == ["fox.v2.safetensors", "v.safetensors"]


def test_names(source: Path) -> None:
    """The stem up to its first dot and what was done, or a name of one's own; never the source, and no path."""
    path = "/models/fox.v2.ckpt"
    assert default_name(Convert(source=path)) == "fox-fp16"
    assert (
        default_name(Convert(source=path, precision="fp32", pruning="ema-only", fix_clip=True))
        == "fox-fp32-ema-only-clip-fix"
    )
    assert Path(do(Convert(source=str(source), name="my fox (1)")).paths[0]).name == "my fox (1).safetensors"
    for name in ("../x", "a/b", "CON", "nul.x", "a\u202eb", " x", "x\x00", "a" * 300):
        with pytest.raises(ToolRefused, match="name"):
            do(Convert(source=str(source), name=name))
    for overwrite in (False, True):
        with pytest.raises(ToolRefused, match="not overwritten"):
            do(Convert(source=str(source), name="fox.v2", overwrite=overwrite))


def test_another_file_is_overwritten_only_when_asked(source: Path) -> None:
    """A target that exists is refused and stays as it is; with `overwrite` it is replaced in one step."""
    other = source.with_name("fox-fp16.safetensors")
    other.write_bytes(b"precious")
    with pytest.raises(ToolRefused, match=r"already a file fox-fp16\.safetensors"):
        do(Convert(source=str(source)))
    assert other.read_bytes() == b"precious"
    do(Convert(source=str(source), overwrite=True))
    assert read(other)[INPUT].dtype == torch.float16


def test_metadata_and_config_go_along(source: Path) -> None:
    """Free text stays but for hashes of the old file; a config beside the source is copied, notes of its hash left out."""
    source.with_suffix(".json").write_text(json.dumps({"native": 64, "sha256": "12"}), encoding="utf-8")
    source.with_suffix(".yaml").write_text("parameterization: v", encoding="utf-8")
    made = do(Convert(source=str(source)))
    assert metadata_of(made.paths[0]) == {"format": "pt", "modelspec.title": "Fox"}
    assert json.loads(source.with_name("fox-fp16.json").read_text("utf-8")) == {"native": 64}
    assert source.with_name("fox-fp16.yaml").read_text("utf-8") == "parameterization: v"
    source.with_name("fox-fp16.json").write_text("mine", encoding="utf-8")
    made = do(Convert(source=str(source), overwrite=True))
    assert "stays as it is" in made.notes[0]
    assert source.with_name("fox-fp16.json").read_text("utf-8") == "mine"


def test_numbers_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """A weight beyond half precision's range is named, with what would do; infinite ones that were there already pass."""
    path = write(tmp_path / "a.safetensors", few_weights() | {INPUT: torch.full((8, 4, 3, 3), 70_000.0)})
    with pytest.raises(ToolRefused, match=f"{INPUT}.*70,000.*bf16"):
        do(Convert(source=str(path)))
    assert listed(tmp_path) == ["a.safetensors"]
    do(Convert(source=str(path), precision="bf16"))
    weights = few_weights()
    weights[INPUT][0, 0] = torch.inf
    do(Convert(source=str(write(tmp_path / "b.safetensors", weights))))


def test_bad_sources(tmp_path: Path) -> None:
    """A text file, a pickle with code, a file that is not there, an empty one: a sentence each, and no code runs."""
    marker = tmp_path / "ran"
    folder = tmp_path / "m"
    cases = (
        (write_text_file(folder / "t.safetensors"), "is a text file"),
        (write_hostile_checkpoint(folder / "h.ckpt", marker), "would run"),
        (folder / "gone.safetensors", "There is no file"),
        (write(folder / "e.ckpt", {}), "holds no weights"),
    )
    before = listed(folder)
    for path, words in cases:
        with pytest.raises(ToolRefused, match=words):
            do(Convert(source=str(path)))
    assert listed(folder) == before
    assert not marker.exists()


def test_progress_ends_whole(source: Path) -> None:
    """The last that is told is all of it, and it never goes back."""
    _, told = did(Convert(source=str(source), formats=("safetensors", "ckpt")))
    steps = [report for report in told if isinstance(report, Advanced)]
    assert [each.done for each in steps] == sorted(each.done for each in steps)
    assert steps[-1].done == steps[-1].total
