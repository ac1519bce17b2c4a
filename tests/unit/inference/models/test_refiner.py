"""SDXL's refiner: told from its keys, loaded like every checkpoint, conditioned as diffusers conditions it, and painting."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_open_clip_checkpoint
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
    StableDiffusionXLImg2ImgPipeline,
)
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from msgspec.structs import replace
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

from inference.api.errors import FailureCode
from inference.api.request import (
    Canvas,
    GenerationRequest,
    Guidance,
    Hires,
    ModelRef,
    Prompt,
    Refiner,
    Sampling,
    Seeds,
    SourcePicture,
)
from inference.api.wire import EngineSettings, Event, Failed, Finished, Submit
from inference.engine.checkpoint import Checkpoint
from inference.engine.conditions import encode_prompt
from inference.engine.families import DATA
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.guidance import NoiseLevels
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from tests.checkpoints import tiny_config, write_tiny_checkpoint

CPU = torch.device("cpu")
PREFIX = "conditioner.embedders.0.model."
REQUEST = GenerationRequest(
    prompt=Prompt("a red fox, snow", "blurry"),
    canvas=Canvas(64, 96),
    seeds=Seeds(7),
    model=ModelRef("base", vae="None"),
    sampling=Sampling(sampler="euler", steps=4),
    guidance=Guidance(cfg_scale=3.0),
)
ALONE = replace(REQUEST, model=ModelRef("refiner", vae="None"))


def _pipeline(path: Path) -> Any:
    """Diffusers' own pipeline over its own conversion of the weights at `path`."""
    weights, config = load_file(path), tiny_config("sdxl_refiner")
    unet: Any = UNet2DConditionModel(**config["unet"]).eval()
    unet.load_state_dict(convert_ldm_unet_checkpoint(dict(weights), config["unet"]))
    tower: Any = CLIPTextModelWithProjection(CLIPTextConfig(**config["text_encoder_2"])).eval()
    tower.load_state_dict(convert_open_clip_checkpoint(tower, dict(weights), prefix=PREFIX), strict=True)
    build: Any = StableDiffusionXLImg2ImgPipeline
    return build(
        vae=None,
        text_encoder=None,
        text_encoder_2=tower,
        tokenizer=None,
        tokenizer_2=CLIPTokenizer.from_pretrained(DATA / "clip_tokenizer", pad_token="!", model_max_length=77),
        unet=unet,
        scheduler=EulerDiscreteScheduler(),
        requires_aesthetics_score=True,
        add_watermarker=False,
    )


@pytest.mark.parametrize("negative", ["blurry", ""])
def test_it_answers_as_diffusers_refiner_does(
    tmp_path: Path, load: Callable[[Path], Checkpoint], negative: str
) -> None:
    """Context, pooled vector, size, scores and the UNet's answer are those of diffusers' own refiner pipeline.

    Of an empty negative prompt the vectors are zeros, as in the webui and in the pipeline's own reading of SDXL.
    """
    path = write_tiny_checkpoint(tmp_path / "refiner.safetensors", family="sdxl_refiner")
    pipeline, checkpoint = _pipeline(path), load(path)
    given: Any = {"prompt": REQUEST.prompt.positive, "negative_prompt": negative or None, "device": CPU}
    with torch.no_grad():
        pipeline.register_to_config(force_zeros_for_empty_prompt=True)
        context, without, pooled, unpooled = pipeline.encode_prompt(**given, do_classifier_free_guidance=True)
        size: Any = (96, 64)
        scores: Any = (6.0, 2.5)
        ids = pipeline._get_add_time_ids(size, (0, 0), size, *scores, size, (0, 0), size, torch.float32, 8)
    guide = encode_prompt(
        replace(REQUEST, prompt=replace(REQUEST.prompt, negative=negative)),
        checkpoint,
        text=REQUEST.prompt.positive,
        dtype=torch.float32,
        device=CPU,
    )
    rows = guide.ask(0, 9.0).rows
    x, sigma = torch.randn(1, 4, 12, 8, generator=torch.Generator().manual_seed(1)), 2.5
    levels = NoiseLevels(checkpoint.alphas_cumprod)
    model = PaintingModel(checkpoint.unet, checkpoint.vae, 1.0, "epsilon", levels)
    with torch.inference_mode():
        have = Forwards().evaluate(model, [Row(x, sigma, row) for row in rows])
        for row, answer, *told in zip(rows, have, (context, without), (pooled, unpooled), ids, strict=True):
            assert row.pooled is not None
            assert row.sizes is not None
            assert torch.allclose(row.context, told[0], atol=1e-5)
            assert torch.allclose(row.pooled, told[1], atol=1e-5)
            assert torch.equal(row.sizes, told[2].float())
            eps = pipeline.unet(
                x / (sigma**2 + 1) ** 0.5,
                levels.timestep(sigma),
                encoder_hidden_states=told[0],
                added_cond_kwargs={"text_embeds": told[1], "time_ids": told[2].float()},
            ).sample
            assert torch.allclose(answer, (x - sigma * eps)[0], atol=1e-4)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio with a tiny SDXL, a refiner, an SD 1 checkpoint, and a LoRA for the SDXL."""
    root = tmp_path_factory.mktemp("models")
    folder = root / "Stable-diffusion"
    write_tiny_checkpoint(folder / "base.safetensors", family="sdxl")
    write_tiny_checkpoint(folder / "refiner.safetensors", family="sdxl_refiner")
    write_tiny_checkpoint(folder / "old.safetensors")
    layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
    parts = {"lora_down.weight": torch.ones(2, 16), "lora_up.weight": torch.ones(32, 2)}
    (root / "Lora").mkdir()
    save_file(
        {f"{layer}.{part}": value for part, value in parts.items()},
        root / "Lora" / "warm.safetensors",
        metadata={"ss_base_model_version": "sdxl_base_v1-0"},
    )
    return Studio(
        EngineSettings(roots=(str(root),), cache=str(tmp_path_factory.mktemp("cache")), device="cpu", threads=1)
    )


def _last(studio: Studio, request: GenerationRequest, attachments: dict[str, bytes] | None = None) -> Event:
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    engine.submit(Submit(0, request, attachments=attachments or {}))
    while engine.running:
        engine.turn()
    return events[-1]


def _painted(studio: Studio, request: GenerationRequest, attachments: dict[str, bytes] | None = None) -> np.ndarray:
    event = _last(studio, request, attachments)
    assert isinstance(event, Finished), event
    with Image.open(io.BytesIO(event.images[0].data)) as picture:
        return np.asarray(picture).astype(np.int16)


def test_it_is_found_as_what_it_is(studio: Studio) -> None:
    """On the list the refiner has a family of its own."""
    found = {file.name: file.family for file in studio.inventory.checkpoints}
    assert found == {"base": "sdxl", "refiner": "sdxl_refiner", "old": "sd1"}


def test_it_takes_over_from_an_sdxl_checkpoint(studio: Studio) -> None:
    """From the start it paints all, at the end nothing, in between it changes the picture; in a second pass too."""
    base, alone = _painted(studio, REQUEST), _painted(studio, ALONE)
    refiner = Refiner(ModelRef("refiner", vae="None"), 0.5)
    between = _painted(studio, replace(REQUEST, refiner=refiner))
    assert base.shape == alone.shape == between.shape == (96, 64, 3)
    assert np.array_equal(_painted(studio, replace(REQUEST, refiner=replace(refiner, switch_at=0.0))), alone)
    assert np.array_equal(_painted(studio, replace(REQUEST, refiner=replace(refiner, switch_at=1.0))), base)
    assert min(np.abs(between - other).max() for other in (base, alone)) > 4
    hires = replace(REQUEST, hires=Hires(scale=1.5, upscaler="latent", steps=2))
    assert _painted(studio, replace(hires, refiner=refiner)).shape == (144, 96, 3)


def test_it_goes_over_a_picture_alone(studio: Studio) -> None:
    """With img2img it is a checkpoint like others, and other words give another picture."""
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(4).integers(0, 256, (96, 64, 3), dtype=np.uint8)).save(data, "PNG")
    request = replace(ALONE, source=SourcePicture("picture", denoising_strength=0.5))
    over = _painted(studio, request, {"picture": data.getvalue()})
    other = replace(request, prompt=Prompt("a house", "blurry"))
    assert over.shape == (96, 64, 3)
    assert np.abs(over - _painted(studio, other, {"picture": data.getvalue()})).max() > 0


def test_a_lora_stays_with_the_model_that_it_is_made_for(studio: Studio) -> None:
    """Taking over, it paints on without the base's LoRA, which the card says; alone it refuses it by name."""
    prompt = Prompt("a red fox <lora:warm:1>")
    event = _last(studio, replace(REQUEST, prompt=prompt, refiner=Refiner(ModelRef("refiner"), 0.5)))
    assert isinstance(event, Finished)
    assert event.notes == (
        "“refiner” went on without LoRAs: The LoRA “warm” is made for Stable Diffusion XL; “refiner” is a "
        "Stable Diffusion XL refiner model.",
    )
    event = _last(studio, replace(ALONE, prompt=prompt))
    assert isinstance(event, Failed)
    assert event.code == FailureCode.BROKEN_MODEL


def test_it_refines_no_other_family(studio: Studio) -> None:
    """A latent of Stable Diffusion 1 means something else: refused before anything is painted."""
    old = ModelRef("old", vae="None")
    event = _last(studio, replace(REQUEST, model=old, refiner=Refiner(ModelRef("refiner"), 0.5)))
    assert isinstance(event, Failed)
    assert event.code == FailureCode.BAD_REQUEST
    assert event.message == (
        "The refiner “refiner” is a Stable Diffusion XL refiner model and cannot go on with a picture of the "
        "Stable Diffusion 1 model “old”; choose one of the same family."
    )
