"""One checkpoint file into modules that compute: UNet, VAE and text towers, on a device, offline.

Owns: which weight goes where (through `layout`), what is checked before a model is believed, the noise table and the
kind of prediction. Refuses to know of memory limits (`residency`) and of prompts.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from inference.api.result import ModelFile
from inference.engine.bad_file import BadFile, BrokenModel
from inference.engine.families import INPAINTING, Family, Tower, identify, input_channels
from inference.engine.layout import Source, clip_sources, open_clip_sources, unet_sources, vae_sources
from inference.engine.networks.merge import Wardrobe
from inference.engine.noise_table import default_alphas, zero_terminal
from inference.engine.text import TextEncoders, TextTower
from inference.engine.weights import WeightsFile

Prediction = Literal["epsilon", "v_prediction"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model. `alphas_cumprod` is (1000,) fp32 on the CPU, `bytes` the memory of its weights, `native` in pixels.

    A latent is the VAE's output times `vae_scale`. `wardrobe` merges LoRAs into it and takes them off again.
    """

    info: ModelFile
    family: Family
    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text: TextEncoders
    alphas_cumprod: Tensor
    prediction: Prediction
    native: int
    bytes: int
    vae_scale: float
    wardrobe: Wardrobe


def load_checkpoint(info: ModelFile, *, device: torch.device, dtype: torch.dtype) -> Checkpoint:
    """Load the file of `info` onto `device` in `dtype`. Raises BrokenModel with a sentence for whoever asked for it."""
    try:
        with WeightsFile(Path(info.path)) as file:
            return _load(info, file, device=device, dtype=dtype)
    except BrokenModel:
        raise
    except BadFile as error:
        raise BrokenModel(f"The model “{info.name}” cannot be used: it {error}") from error
    except OSError as error:
        raise BrokenModel(f"The model “{info.name}” cannot be read: {error.strerror or error}.") from error


def _load(info: ModelFile, file: WeightsFile, *, device: torch.device, dtype: torch.dtype) -> Checkpoint:
    family = identify(file.shapes)
    config = read_config(Path(info.path), family)
    if input_channels(file.shapes) == INPAINTING:
        config["unet"] = config["unet"] | {"in_channels": INPAINTING}
    place: dict[str, Any] = {"device": device, "dtype": dtype}
    unet = load_unet(file, config["unet"], **place)
    vae = load_vae_weights(file, config["vae"], **place)
    towers = tuple(_load_tower(file, tower, config[tower.section], **place) for tower in family.towers)
    prediction, terminal = _prediction(file, family, config, unet)
    modules: list[nn.Module] = [unet, vae, *(tower.model for tower in towers)]
    return Checkpoint(
        info=info,
        family=family,
        unet=unet,
        vae=vae,
        text=TextEncoders(family, towers),
        alphas_cumprod=_alphas(file, family, terminal=terminal),
        prediction=prediction,
        native=native_size(config, family),
        bytes=sum(map(module_bytes, modules)),
        vae_scale=float(config["vae"].get("scaling_factor", family.vae_scale)),
        wardrobe=Wardrobe(unet, [tower.model for tower in towers], config=unet.config),
    )


def check_whole(file: WeightsFile) -> None:
    """Raise BadFile unless the checkpoint in `file` has every weight, each in the right shape. Reads no weight."""
    family = identify(file.shapes)
    config = read_config(file.path, family)
    if input_channels(file.shapes) == INPAINTING:
        config["unet"] = config["unet"] | {"in_channels": INPAINTING}
    unet: Any = blueprint(lambda: UNet2DConditionModel(**_known(config["unet"])))
    vae: Any = blueprint(lambda: AutoencoderKL(**_known(config["vae"])))
    parts = [
        ("UNet", unet, unet_sources(unet.state_dict(), unet.config)),
        ("VAE", vae, vae_sources(vae.state_dict(), vae.config)),
    ]
    for tower in family.towers:
        settings = CLIPTextConfig(**config[tower.section])
        model = blueprint(lambda settings=settings: CLIPTextModel(settings))
        named = clip_sources if tower.layout == "clip" else open_clip_sources
        parts.append(("text encoder", model, named(model.state_dict(), prefix=tower.prefix)))
    for part, module, sources in parts:
        blanks = module.state_dict()
        places = {name: _found(file, name, sources[name]) for name in blanks}
        _check_none_missing([sources[name].key for name, place in places.items() if place is None], part)
        for name, place in places.items():
            assert place is not None  # noqa: S101 - none is missing
            _check_shape(file, place, tuple(blanks[name].shape))


def module_bytes(module: nn.Module) -> int:
    """Memory of a module's weights in bytes."""
    return sum(weight.numel() * weight.element_size() for weight in module.parameters())


def read_config(path: Path, family: Family) -> dict[str, Any]:
    """The family's configuration, with what lies beside the checkpoint at `path` laid over it section by section.

    Beside it: `<stem>.json` with sections unet, vae, text_encoder, text_encoder_2, and with `prediction_type`, `native` and
    `cfg_scale`; or the original `<stem>.yaml`, of which only the kind of prediction is read. Raises BadFile when the json
    is damaged.
    """
    config: dict[str, Any] = {**family.config(), "prediction_type": None, "native": None}
    for key, value in _beside(path).items():
        if isinstance(config.get(key), dict):
            if isinstance(value, dict):  # the webui keeps a VAE's name under `vae` in files of this name
                config[key] = config[key] | value
        else:
            config[key] = value
    yaml = path.with_suffix(".yaml")
    if config["prediction_type"] is None and yaml.is_file():
        spoken = re.search(r"parameterization:\s*[\"']?(\w+)", yaml.read_text(encoding="utf-8", errors="replace"))
        config["prediction_type"] = "v_prediction" if spoken and spoken[1] == "v" else "epsilon"
    return config


def _beside(path: Path) -> Mapping[str, Any]:
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        value = json.loads(beside.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"has a file {beside.name} beside it that is no JSON; repair or remove that.") from error
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def native_size(config: Mapping[str, Any], family: Family) -> int:
    """Side in pixels that a checkpoint was trained for: said outright, or its UNet's latent side times the VAE's factor."""
    if isinstance(config.get("native"), int):
        return int(config["native"])
    if config.get("prediction_type") == "v_prediction" and family.id == "sd2":
        return 768
    return int(config["unet"]["sample_size"]) * 2 ** (len(config["vae"]["block_out_channels"]) - 1)


def usual_guidance(config: Mapping[str, Any]) -> float:
    """The guidance that the config beside a checkpoint asks for, 0 where it asks for none or for nonsense."""
    said = config.get("cfg_scale")
    if not isinstance(said, int | float) or isinstance(said, bool):
        return 0.0
    return float(said) if 1 <= said <= 30 else 0.0


def load_unet(
    file: WeightsFile, config: Mapping[str, Any], *, device: torch.device, dtype: torch.dtype
) -> UNet2DConditionModel:
    """The UNet in `file`. Raises BadFile when weights are missing, left over, of another shape or not finite."""
    unet = cast("UNet2DConditionModel", blueprint(lambda: UNet2DConditionModel(**_known(config))))
    sources = unet_sources(unet.state_dict(), unet.config)
    _fill(unet, file, sources, part="UNet", device=device, dtype=dtype)
    used = {source.key for source in sources.values()}
    left = [key for key in file if key.startswith("model.diffusion_model.") and key not in used]
    if left:
        raise BadFile(
            f"holds {len(left)} weights that its kind of UNet does not have, such as “{left[0]}”; "
            "a config with its widths is needed beside the file."
        )
    return unet


def load_vae_weights(
    file: WeightsFile,
    config: Mapping[str, Any],
    *,
    device: torch.device,
    dtype: torch.dtype,
    prefix: str = "first_stage_model.",
) -> AutoencoderKL:
    """The VAE in `file`, under `prefix` or under diffusers' own names. Raises BadFile as `load_unet` does."""
    vae = cast("AutoencoderKL", blueprint(lambda: AutoencoderKL(**_known(config))))
    _fill(vae, file, vae_sources(vae.state_dict(), vae.config, prefix=prefix), part="VAE", device=device, dtype=dtype)
    return vae


def _load_tower(
    file: WeightsFile, tower: Tower, config: Mapping[str, Any], *, device: torch.device, dtype: torch.dtype
) -> TextTower:
    settings = CLIPTextConfig(**config)
    model = cast("CLIPTextModel", blueprint(lambda: CLIPTextModel(settings)))
    named = clip_sources if tower.layout == "clip" else open_clip_sources
    place: dict[str, Any] = {"device": device, "dtype": dtype}
    _fill(model, file, named(model.state_dict(), prefix=tower.prefix), part="text encoder", **place)
    cast("Any", model.embeddings).position_ids = torch.arange(
        settings.max_position_embeddings, device=device
    ).unsqueeze(0)
    if not tower.projected:
        return TextTower(model, tower.padding)
    projection = _taken(
        file, Source(tower.prefix + "text_projection"), (settings.hidden_size, int(settings.projection_dim or 0))
    )
    return TextTower(model, tower.padding, projection.to(device, dtype, copy=True))


def _known(config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` without diffusers' bookkeeping entries."""
    return {key: value for key, value in config.items() if not key.startswith("_")}


def blueprint(build: Callable[[], nn.Module]) -> nn.Module:
    """A module without memory for its weights. Raises BadFile when the config makes no module."""
    try:
        with torch.device("meta"):
            return build().eval().requires_grad_(False)
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError) as error:
        raise BadFile(f"has a config beside it that makes no model ({error}).") from error


def _fill(
    module: nn.Module,
    file: WeightsFile,
    sources: Mapping[str, Source],
    *,
    part: str,
    device: torch.device,
    dtype: torch.dtype,
) -> None:
    """Give `module`, built without memory, its weights. Raises BadFile when they are missing, misshapen or not finite."""
    state: dict[str, Tensor] = {}
    missing: list[str] = []
    for name, blank in module.state_dict().items():
        source = _found(file, name, sources[name])
        if source is None:
            missing.append(sources[name].key)
        else:
            state[name] = _taken(file, source, tuple(blank.shape)).to(device, dtype, copy=True)
    _check_none_missing(missing, part)
    check_finite(state, part)
    module.load_state_dict(state, strict=True, assign=True)
    module.requires_grad_(requires_grad=False)


def _check_none_missing(missing: Sequence[str], part: str) -> None:
    if missing:
        raise BadFile(
            f"lacks {len(missing)} of the {part}'s weights, such as “{missing[0]}”; it is damaged or of another kind."
        )


def _found(file: WeightsFile, name: str, source: Source) -> Source | None:
    """Where the weight really is: at its place, without the `text_model.` level (old files), or under diffusers' name."""
    for key in (source.key, source.key.replace(".text_model.", "."), name):
        if key in file:
            return Source(key, source.third, transposed=source.transposed)
    return None


def _taken(file: WeightsFile, source: Source, shape: tuple[int, ...]) -> Tensor:
    """The weight at `source` in the form in which a module wants it. Raises BadFile when its shape is another."""
    _check_shape(file, source, shape)
    value = file.read(source.key)
    if source.third is not None:
        value = value.chunk(3)[source.third]
    return value.T if source.transposed else value.reshape(shape)


def _check_shape(file: WeightsFile, source: Source, shape: tuple[int, ...]) -> None:
    if source.key not in file:
        raise BadFile(f"lacks the weight “{source.key}”; it is damaged or of another kind.")
    stored = file.shapes[source.key]
    want = shape[::-1] if source.transposed else shape
    if source.third is not None:
        want = (3 * want[0], *want[1:])
    if stored != want and not (len(want) == 2 and stored == (*want, 1, 1)):
        raise BadFile(
            f"holds “{source.key}” with the shape {stored} where {want} is needed; it is damaged, "
            "of another kind, or needs a config with its widths beside it."
        )


def check_finite(state: Mapping[str, Tensor], part: str) -> None:
    """Raise BadFile when any weight is NaN or infinite. One sum a tensor: a sum of finite halves in fp32 is finite."""
    sums = torch.stack([value.sum(dtype=torch.float32) for value in state.values()]).isfinite().cpu()
    if not bool(sums.all()):
        name = list(state)[int(sums.int().argmin())]
        raise BadFile(f"holds numbers in the {part} that are not finite (first in “{name}”); it is damaged.")


def _prediction(
    file: WeightsFile, family: Family, config: Mapping[str, Any], unet: UNet2DConditionModel
) -> tuple[Prediction, bool]:
    """What the UNet predicts, and whether its noise table ends at zero signal: marks in the file, config, or a trial."""
    terminal = "ztsnr" in file
    if "v_pred" in file:
        return "v_prediction", terminal
    spoken = config.get("prediction_type") or file.metadata.get("modelspec.prediction_type")
    if spoken in ("v", "v_prediction"):
        return "v_prediction", terminal
    if spoken is None and family.id == "sd2" and _answers_like_v(unet):
        return "v_prediction", terminal
    return "epsilon", terminal


@torch.inference_mode()
def _answers_like_v(unet: UNet2DConditionModel) -> bool:
    """Whether an SD2 UNet predicts v: given almost pure noise, it then answers about minus the picture (webui's trial)."""
    weight = next(unet.parameters())
    sample = torch.full((1, int(unet.config["in_channels"]), 8, 8), 0.5, device=weight.device, dtype=weight.dtype)
    context = torch.full((1, 2, int(unet.config["cross_attention_dim"])), 0.5, device=weight.device, dtype=weight.dtype)
    answer = unet(sample, torch.tensor([999], device=weight.device), encoder_hidden_states=context).sample
    return float((answer.float() - sample.float()).mean()) < -1


def _alphas(file: WeightsFile, family: Family, *, terminal: bool) -> Tensor:
    """The noise table: the file's own for SD1 and SD2 where it has one (a half-precision one included), else the usual."""
    table = default_alphas()
    if not family.xl and "alphas_cumprod" in file:
        table = file.read("alphas_cumprod").float().clone()
        good = table.shape == (1000,) and bool(((table > 0) & (table <= 1)).all()) and bool((table.diff() <= 0).all())
        if not good:
            raise BadFile("holds a noise table (alphas_cumprod) that does not fall from 1 to 0 in 1,000 steps.")
    return zero_terminal(table) if terminal else table
