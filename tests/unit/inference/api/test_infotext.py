"""What a pasted text means here: local files by hash first, old versions, other programs, and a sentence for the rest."""

import io
import json
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inference.api.faces import REPAINT, FaceRestoration
from inference.api.infotext import NoInfotext, Resolved, exif_with, infotext_in, keys, read_infotext, resolve, resolving
from inference.api.infotext.controls import read_controls
from inference.api.infotext.faces import read_faces
from inference.api.infotext.files import Shelves
from inference.api.infotext.passes import (
    read_guidance,
    read_hires,
    read_refiner,
    read_sampling,
    read_seeds,
    read_source,
)
from inference.api.infotext.reading import Reader
from inference.api.infotext.redraws import read_redraw
from inference.api.infotext.regions import read_regional, regions_text
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt
from inference.api.result import Inventory, ModelFile
from inference.api.sampling import Sampling, Seeds

SHA = "ab" * 32
INVENTORY = Inventory(
    checkpoints=(
        ModelFile("painter", "/m/painter.safetensors", "1111111111", "sd1", native=256),
        ModelFile(
            "sub/dream",
            "/m/sub/dream.safetensors",
            "abababab" + "ab",
            "sdxl",
            native=1024,
            sha256=SHA,
            old_hash="7460a6fa",
        ),
    ),
    vaes=(ModelFile("dream.vae.pt", "/m/dream.vae.pt", "3333333333", "unknown"),),
    loras=(
        ModelFile("ink-v2", "/l/ink-v2.safetensors", "444444444444", "sd1", sha256="f0" * 32),
        ModelFile("gold", "/l/gold.safetensors", "555555555555", "sd1"),
    ),
    embeddings=(ModelFile("BadHand", "/e/BadHand.pt", "666666666666", "sd1"),),
    upscalers=(ModelFile("realesr-animevideov3-x4.fp16", "/u/r.safetensors", "", "unknown"),),
)
BASE = GenerationRequest(
    prompt=Prompt("", negative="ugly"),
    canvas=Canvas(256, 256),
    seeds=Seeds(99),
    model=ModelRef("painter", "1111111111"),
)
TAIL = "Steps: 20, Sampler: Euler a, CFG scale: 5, Seed: 7, Size: 512x768"


def told(text: str) -> Resolved:
    """What a text becomes."""
    return resolve(read_infotext(text), INVENTORY, base=BASE)


def test_plain_words_keep_what_the_caller_wants() -> None:
    """A text without parameters is a prompt; model, size, seed, steps and sampler are the caller's."""
    request = told("a fox\nNegative prompt: fog").request
    wanted = msgspec.structs.replace(BASE, prompt=Prompt("a fox", "fog"))
    assert request == wanted


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Model hash: ABABABABAB, Model: whatever", "sub/dream"),
        ("Model hash: 7460a6fa", "sub/dream"),
        ("Model: dream", "sub/dream"),
        ("Model: painter", "painter"),
        (f'Hashes: {{"model": "{SHA[:10]}"}}, Model: gone', "sub/dream"),
    ],
)
def test_models_are_found_by_hash_first(said: str, name: str) -> None:
    """A hash of any kind finds its file whatever it is called; without one the name counts; nothing is noted."""
    resolved = told(f"a fox\n{TAIL}, {said}")
    assert resolved.request.model.name == name
    assert resolved.notes == ()


def test_missing_models_are_named() -> None:
    """A model that is not here is named, and the caller's paints; one of the same name but another hash is named too."""
    resolved = told(f"a fox\n{TAIL}, Model hash: 9999999999, Model: mystery")
    assert resolved.request.model == ModelRef("painter", "1111111111")
    assert resolved.notes == ("The model “mystery” [9999999999] is not here; “painter” painted instead.",)
    resolved = told(f"a fox\n{TAIL}, Model hash: 9999999999, Model: painter")
    assert resolved.notes == ("The model “painter” [9999999999] is not here; “painter” was taken, which may differ.",)


def test_vaes_of_old_and_new_texts() -> None:
    """A named VAE is taken by hash; a new text without one means the checkpoint's own, an old one leaves the usual choice."""
    dream = f"a fox\n{TAIL}, Model: dream"
    assert told(f"{dream}, VAE hash: 3333333333, VAE: renamed.pt").request.model.vae == "Automatic"
    assert told(f"{dream}, Version: v1.9.0").request.model.vae == "None"
    assert told(f"{dream}, Version: v1.5.0").request.model.vae == "Automatic"
    assert told(f"a fox\n{TAIL}, VAE: soft.pt").notes == (
        "The VAE “soft.pt” is not here; the model's usual one was taken.",
    )


def test_loras_are_renamed_to_the_file_with_their_hash() -> None:
    """A tag's name follows its hash to the local file; the same name with another hash is noted; unknown ones stay."""
    resolved = told(
        f'a <lora:ink:0.7> <lora:gold:1> <lora:x:1>\n{TAIL}, Lora hashes: "ink: 444444444444, gold: 777777777777"'
    )
    assert resolved.request.prompt.positive == "a <lora:ink-v2:0.7> <lora:gold:1> <lora:x:1>"
    assert resolved.notes == ("The LoRA “gold” here is another file than the picture's; it may differ.",)
    whole = told(f'a <lora:ink:1>\n{TAIL}, Hashes: {{"lora:ink": "f0f0f0f0f0"}}')
    assert whole.request.prompt.positive == "a <lora:ink-v2:1>"


def test_civitais_resources_become_tags() -> None:
    """LoRAs that Civitai lists beside the prompt are worn; those that are not here are named; its model is looked up."""
    listed = json.dumps(
        [
            {"type": "checkpoint", "modelVersionId": 1, "modelName": "dream", "modelVersionName": "v1, final"},
            {"type": "lora", "weight": 0.6, "modelVersionId": 2, "modelName": "gold"},
            {"type": "lora", "weight": 1, "modelVersionId": 3, "modelName": "Lost, one"},
            {"type": "embed", "modelVersionId": 4, "modelName": "badhand"},
        ]
    )
    resolved = told(
        f"a fox\n{TAIL}, Clip skip: 2, Created Date: 2024-05-01T12:00:00.0Z, "
        f"Civitai resources: {listed}, Civitai metadata: {{}}"
    )
    assert resolved.request.prompt.positive == "a fox <lora:gold:0.6>"
    assert resolved.request.prompt.clip_skip == 2
    assert resolved.request.model.name == "sub/dream"
    assert resolved.notes == ("The LoRA “Lost, one” is not here; it was left out.",)


def test_embeddings_are_checked() -> None:
    """Learned words that are missing, or are other files, are named."""
    notes = told(f'a\n{TAIL}, TI hashes: "badhand: 123412341234, easy: c74b4e810b03"').notes
    assert notes == (
        "The embedding “badhand” here is another file than the picture's; it may differ.",
        "The embedding “easy” [c74b4e810b03] is not here; its name is plain words.",
    )


@pytest.mark.parametrize(
    ("sampler", "schedule", "expected"),
    [
        ("DPM++ 2M Karras", None, ("dpmpp_2m", "automatic")),
        ("DPM++ 2M", None, ("dpmpp_2m", "uniform")),
        ("DPM++ 2M", "Karras", ("dpmpp_2m", "automatic")),
        ("DPM++ 2M", "Automatic", ("dpmpp_2m", "automatic")),
        ("Euler a", None, ("euler_a", "automatic")),
        ("Restart", None, ("restart", "automatic")),
        ("Euler", "SGM Uniform", ("euler", "sgm_uniform")),
        ("k_euler_ancestral", None, ("euler_a", "automatic")),
    ],
)
def test_samplers_of_all_times(sampler: str, schedule: str | None, expected: tuple[str, str]) -> None:
    """Joint names, bare names from before 1.9.0 (uniform then) and other programs' ids are understood."""
    more = f", Schedule type: {schedule}" if schedule else ""
    sampling = told(f"a\nSteps: 9, Sampler: {sampler}, Seed: 1{more}").request.sampling
    assert (sampling.sampler, sampling.schedule, sampling.steps) == (*expected, 9)


def test_old_versions_mean_what_they_meant() -> None:
    """Old timelines, padded conditions, half-precision noise tables and refiner steps follow from the version."""
    old = told(
        "a [b:c:5]\nSteps: 9, Sampler: DDIM, Seed: 1, Refiner: dream, Refiner switch at: 0.7, Version: v1.5.2"
    ).request
    assert (old.prompt.old_timelines, old.prompt.pad_conds, old.sampling.downcast_alphas) == (True, "v0", True)
    assert old.refiner is not None
    assert old.refiner.by_steps
    new = told("a [b:c:5]\nSteps: 9, Sampler: DDIM, Seed: 1, Version: v1.10.1").request
    assert (new.prompt.old_timelines, new.prompt.pad_conds, new.sampling.downcast_alphas) == (False, "", False)


def test_hires_fix_old_and_new() -> None:
    """Hires fix is read with its upscaler, prompts and models; an old text's first pass size turns into it."""
    new = told(
        f"a\n{TAIL}, Denoising strength: 0.4, Hires upscale: 1.5, Hires steps: 8, Hires upscaler: R-ESRGAN AnimeVideo, "
        'Hires prompt: "b, c", Hires sampler: DDIM, Hires checkpoint: dream [abababab]'
    ).request.hires
    assert new is not None
    assert (new.scale, new.steps, new.denoising_strength, new.prompt, new.sampler) == (1.5, 8, 0.4, "b, c", "ddim")
    assert new.upscaler == "realesr-animevideov3-x4.fp16"
    assert new.model == ModelRef("sub/dream", "ababababab")
    old = told(
        "a\nSteps: 9, Sampler: Euler a, Seed: 1, Size: 768x1024, Denoising strength: 0.7, First pass size: 0x0"
    ).request
    assert (old.canvas, old.hires and old.hires.resize) == (Canvas(448, 640), (768, 1024))


def test_what_is_missing_is_said_in_sentences() -> None:
    """Everything that changes the picture and cannot be honoured is said; what has no effect is not."""
    resolved = told(
        f"a\n{TAIL}, Denoising strength: 0.5, Face restoration: CodeFormer, ADetailer model: face.pt, ADetailer prompt: x, "
        "ControlNet 0: y, Token merging ratio: 0, User: me, Batch size: 4, Foo bar: 1, Version: v1.9.0"
    )
    assert resolved.notes == (
        "It began from another picture (denoising strength 0.5), which a text does not carry; only its words were painted.",
        "The ControlNet of the text is not here; the picture was painted without it.",
        "The face restorer “CodeFormer” is not here; faces stayed as they were painted.",
        "ADetailer painted faces or hands again, which is not done here.",
        "Unknown settings were left out: Foo bar.",
    )


def test_numbers_without_sense_are_replaced_and_said() -> None:
    """Values out of bounds are bounded, nonsense gives way to the usual, and each is said."""
    resolved = told("a\nSteps: 900, Sampler: Turbo 9, CFG scale: seven, Seed: -1, Size: 30x5000, Clip skip: 44")
    request = resolved.request
    assert (request.sampling.steps, request.guidance.cfg_scale, request.seeds.seed) == (150, 7.0, 99)
    assert (request.canvas, request.prompt.clip_skip) == (Canvas(64, 4096), 12)
    assert request.sampling.sampler == Sampling().sampler
    assert len(resolved.notes) == 5
    assert "“CFG scale: seven” is not a number; 7 was taken." in resolved.notes


def test_old_networks_become_tags() -> None:
    """Hypernetworks and the old extension's LoRAs were keys once; they are tags now."""
    prompt = told(
        f"a\n{TAIL}, Hypernet: anime, Hypernet strength: 0.6, AddNet Enabled: True, AddNet Module 1: LoRA, "
        "AddNet Model 1: gold(55aa55aa55aa), AddNet Weight A 1: 0.8, AddNet Weight B 1: 0.8"
    ).request.prompt.positive
    assert prompt == "a<hypernet:anime:0.6>\n<lora:gold:0.8>"


def picture(kind: str, **more: object) -> bytes:
    """A small picture of `kind`."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "text", ["a fox\nSteps: 20, Sampler: Euler a, Seed: 1", "狐, 「x」\nSteps: 20, Sampler: Euler a, Seed: 1"]
)
def test_texts_come_out_of_pictures(text: str) -> None:
    """PNG chunks of all three kinds, and the EXIF comment of PNG, JPEG and WebP, give back the text."""
    plain, packed, international = PngInfo(), PngInfo(), PngInfo()
    plain.add_text("parameters", text)
    packed.add_text("parameters", text, zip=True)
    international.add_itxt("parameters", text, zip=True)
    for info in (plain, packed, international):
        assert infotext_in(picture("PNG", pnginfo=info)) == text
    for kind in ("PNG", "JPEG", "WEBP"):
        assert infotext_in(picture(kind, exif=exif_with(text))) == text
    with Image.open(io.BytesIO(picture("JPEG", exif=exif_with(text)))) as opened:
        assert opened.getexif().get_ifd(0x8769)[0x9286] == b"UNICODE\0" + text.encode("utf-16-be")


def test_novelais_pictures_are_understood() -> None:
    """NovelAI's description and JSON give prompt, sampler, seed, its ENSD and clip skip."""
    info = PngInfo()
    info.add_text("Software", "NovelAI")
    info.add_text("Description", "a fox, {night}")
    info.add_text(
        "Comment", json.dumps({"steps": 28, "sampler": "k_dpmpp_2m", "seed": 42, "scale": 11.0, "uc": "lowres"})
    )
    request = told(infotext_in(picture("PNG", pnginfo=info))).request
    assert (request.prompt.positive, request.prompt.negative) == ("a fox, {night}", "lowres")
    assert (request.prompt.clip_skip, request.sampling.ensd, request.seeds.seed) == (2, 31337, 42)
    assert (request.sampling.sampler, request.sampling.steps, request.guidance.cfg_scale) == ("dpmpp_2m", 28, 11.0)
    assert request.canvas == Canvas(64, 64)


def test_pictures_without_a_text_say_why() -> None:
    """A bare picture, a ComfyUI workflow and something that is no picture each get their own sentence."""
    comfy = PngInfo()
    comfy.add_text("workflow", "{}")
    for data, words in (
        (picture("PNG"), "carries no parameters"),
        (picture("PNG", pnginfo=comfy), "ComfyUI workflow"),
        (b"GIF89a", "neither a PNG"),
    ):
        with pytest.raises(NoInfotext, match=words):
            infotext_in(data)


def test_regions_are_read_as_the_extension_writes_them() -> None:
    """Divisions, positions (with ranges), weights and the end step; what is broken is left out with a sentence."""
    said = "divisions=1:1,1:2,4:4 positions=0:0,0:1,1-3:0-4 weights=0.2,0.8,-0.5 end at step=12"
    found = told(f'a AND b AND c\n{TAIL}, Latent Couple: "{said}"')
    regional = found.request.regional
    assert regional is not None
    assert (regional.end_step, [region.weight for region in regional.regions]) == (12, [0.2, 0.8, -0.5])
    assert [(region.rows, region.columns) for region in regional.regions] == [
        ((0, 1), (0, 1)),
        ((0, 1), (1, 2)),
        ((1, 3), (0, 4)),
    ]
    assert regions_text(regional) == said
    for broken in ("on", "divisions=1:2 positions=0:0", said.replace("1-3", "3-1"), said.replace("1:2", "0:2")):
        found = told(f'a AND b\n{TAIL}, Latent Couple: "{broken}"')
        assert found.request.regional is None
        assert any("Latent Couple" in note for note in found.notes), broken


def test_faces_are_mended_by_what_is_here() -> None:
    """By the file's name, by its kind as the webui writes it, or painted over; weight and visibility by Easel's own keys."""
    shelf = msgspec.structs.replace(
        INVENTORY, faces=(ModelFile("GFPGANv1.4", "/m/GFPGAN/GFPGANv1.4.pth", "", "gfpgan"),)
    )
    for said, wanted in (
        ("GFPGAN", FaceRestoration("GFPGANv1.4")),
        ("gfpganv1.4, Face restoration visibility: 0.8", FaceRestoration("GFPGANv1.4", 0.5, 0.8)),
        ("repaint, Face restoration weight: 0.3", FaceRestoration(REPAINT, 0.3)),
        ("None", None),
    ):
        found = resolve(read_infotext(f"a\n{TAIL}, Face restoration: {said}"), shelf, base=BASE)
        assert found.request.faces == wanted, said


def test_the_table_of_keys_is_what_is_read() -> None:
    """Every key in the table of what is honoured is really asked for, and every key that is asked for is in it."""
    text = (
        f"a\n{TAIL}, Denoising strength: 0.4, Refiner: dream, Hires upscaler: Lanczos, Hires sampler: DDIM, "
        f"Init image hash: {SHA}, Mask hash: {SHA}, Mask blur Y: 3, Upscaler for img2img: Lanczos"
    )
    infotext = read_infotext(text)
    reader, shelves = Reader(infotext.parameters), Shelves(INVENTORY, (), [])
    for read in (read_hires, read_source, read_refiner):
        read(reader, shelves)
    read_regional(reader)
    read_faces(reader, INVENTORY)
    read_redraw(reader, shelves)
    read_controls(reader, INVENTORY, sourced=False)
    read_sampling(reader, BASE.sampling)
    read_guidance(reader, BASE.guidance)
    read_seeds(reader, BASE.seeds)
    resolving._model(reader, shelves, BASE)
    resolving._prompt(reader, shelves, BASE.prompt)
    resolving._canvas(reader, BASE.canvas, None, same=True)
    prefixes = "AddNet ", "ControlNet ", "Control "
    asked = {key for key in reader.asked if not key.startswith(prefixes)} | set(prefixes)
    elsewhere = {
        "Tiling",
        "Token merging ratio",
        "Extra noise",
        "TI hashes",
        "Hypernet",
        "Hypernet strength",
        "First pass size",
    }
    beside = {"Prompt", "Negative prompt", "Version"}
    assert asked | elsewhere == {row.key for row in keys.HONOURED} | beside


def test_the_page_of_keys_is_up_to_date() -> None:
    """docs/infotext.md is what the table says."""
    page = Path(__file__).parents[4] / "docs" / "infotext.md"
    assert page.read_text(encoding="utf-8") == keys.documentation()
