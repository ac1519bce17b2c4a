"""The default model's tools, on sprites drawn here and networks of a few thousand weights."""

import io
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel

from inference.engine.layout import clip_sources, unet_sources, vae_sources
from tools.default_model.bank import Bank
from tools.default_model.build import sprites as read_sources
from tools.default_model.captions import NUMBERS, PLACE_WORDS, caption, evaluation_caption
from tools.default_model.drawing import Sprites, compose, load_sprites
from tools.default_model.evaluate import Row, chosen_scenes, sentences, table, variety
from tools.default_model.export import MODEL, fold_scale, ldm_layout, with_decoder
from tools.default_model.judge import to_native
from tools.default_model.overfit import caption_gap
from tools.default_model.painter import PainterTrainer, signal_levels
from tools.default_model.sampling import euler_a, schedule
from tools.default_model.shapes import SCALE, TEXT, UNET, VAE
from tools.default_model.sheet import contact_sheet
from tools.default_model.text import PARTS, Vocabulary, facts, full_embedding, resume, small_text_model
from tools.default_model.training import Run, load_state, save_state
from tools.default_model.vae import VaeTrainer, latent_loss, picture_bank
from tools.default_model.world import (
    BACKGROUNDS,
    LABELS,
    OBJECTS,
    PAINT,
    STYLES,
    Scene,
    all_scenes,
    held_out_scenes,
    training_scenes,
    varied,
    varied_scenes,
)

SMALL_VAE = {**VAE, "block_out_channels": [4, 4, 8, 8], "norm_num_groups": 2}
SMALL_UNET = {
    **UNET,
    "block_out_channels": [8, 8, 16],
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "cross_attention_dim": 8,
}


@pytest.fixture
def sprites() -> Sprites:
    """A grey disc for every label and style."""
    disc = Image.new("RGBA", (128, 128))
    ImageDraw.Draw(disc).ellipse((8, 8, 120, 120), fill=(128, 128, 128, 255))
    return {(label, style): disc for label in LABELS for style in STYLES}


@pytest.fixture
def run(tmp_path: Path, sprites: Sprites) -> Run:
    """A run on the processor whose data folder has the discs as sprites, packed as `build` packs them."""
    packed = io.BytesIO()
    sprites["apple", "flat"].save(packed, "WEBP")
    about = [{"label": source, "style": style} for source, _ in OBJECTS.values() for style in STYLES.values()]
    offsets = np.arange(len(about) + 1) * len(packed.getvalue())
    np.savez(
        tmp_path / "sprites.npz",
        blob=np.frombuffer(packed.getvalue() * len(about), np.uint8),
        offsets=offsets,
        meta=np.frombuffer(json.dumps(about).encode(), np.uint8),
    )
    return Run(data=tmp_path, device=torch.device("cpu"), minutes=1, threads=1, batch=2, rate=1e-2, resume=False)


def test_a_seed_decides_a_scene_whole(sprites: Sprites) -> None:
    """Pictures can be made again from their seed, and another seed moves the object."""
    scene = Scene("apple", "green", "white")
    first, again, other = (compose(scene, sprites=sprites, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_scene_has_the_colours_it_names(sprites: Sprites) -> None:
    """The background is exact; the object's middle is nearest to its colour among all paints."""
    picture = compose(Scene("apple", "green", "pink"), sprites=sprites, seed=3).astype(int)
    assert tuple(picture[0, 0]) == PAINT["pink"]
    nearest = min(PAINT, key=lambda name: np.abs(picture[64, 64] - np.array(PAINT[name])).sum())
    assert nearest == "green"


def test_no_held_out_sentence_is_ever_a_training_caption() -> None:
    """The judge's sentences are new: other scenes, in other words."""
    chance = random.Random(0)
    trained = {caption(varied(scene, chance=chance), chance=chance) for scene in training_scenes() for _ in range(12)}
    asked = {said for wide in (False, True) for said in sentences(chosen_scenes(wide=wide))}
    assert not trained & asked
    assert len(asked) >= 120
    assert len(held_out_scenes()) >= 60
    assert not set(held_out_scenes()) & set(training_scenes())
    assert len(held_out_scenes()) + len(training_scenes()) == len(all_scenes())


def test_captions_and_facts_follow_the_scene() -> None:
    """The same chance says the same, and says object, colour and background."""
    scene = Scene("star", "red", "blue")
    said = [caption(scene, chance=random.Random(4)) for _ in range(2)]
    assert said[0] == said[1]
    assert all(word in said[0] for word in ("star", "red", "blue"))
    assert facts([scene, Scene("apple", None, "white")]).tolist()[1] == [0, 0, 0, 0, 0, 0]
    wide = Scene("apple", None, "white", count=3, place="left", style="3d")
    assert facts([wide]).tolist() == [[0, 0, 0, 2, 1, 1]]


@pytest.mark.parametrize(
    ("scene", "known"),
    [
        (Scene("cat", "red", "blue", count=2), NUMBERS[2]),
        (Scene("fish", None, "pink", count=3), NUMBERS[3]),
        (Scene("cat", "red", "blue", place="left"), PLACE_WORDS["left"]),
        (Scene("cat", None, "white", style="3d"), ("3d",)),
    ],
)
def test_a_caption_says_what_is_unusual(scene: Scene, known: tuple[str, ...]) -> None:
    """Count, place and style are in every sentence of a scene that has them, in training as in evaluation."""
    chance = random.Random(1)
    for _ in range(60):
        for said in (caption(scene, chance=chance), evaluation_caption(scene, chance=chance)):
            assert any(word in said for word in known)
            assert scene.background in said or scene.background == "white"


def test_what_is_varied_is_held_out_with_its_combination() -> None:
    """A count or a style never lets a held-out combination into training; count and place are never both said."""
    for scene in varied_scenes(300, seed=1):
        assert not scene.held_out
        assert scene.count == 1 or scene.place == "middle"
    asked = varied_scenes(300, seed=1, held_out=True, plain=0.0)
    assert asked == varied_scenes(300, seed=1, held_out=True, plain=0.0)
    assert all(scene.held_out and (scene.count, scene.place) != (1, "middle") for scene in asked)


def _solid(picture: np.ndarray, background: str) -> np.ndarray:
    return np.abs(picture.astype(int) - np.array(PAINT[background])).sum(-1) > 30


@pytest.mark.parametrize("size", [(128, 128), (192, 128), (128, 192), (256, 256)])
@pytest.mark.parametrize(("place", "axis", "before"), [("left", 1, True), ("right", 1, False), ("top", 0, True)])
def test_an_object_stands_where_the_scene_says(
    sprites: Sprites, size: tuple[int, int], place: str, axis: int, before: bool
) -> None:
    """In every size all of it is drawn, and its middle lies well to that side."""
    drawn = compose(Scene("apple", "red", "blue", place=place), sprites=sprites, seed=4, size=size)
    assert drawn.shape == (size[1], size[0], 3)
    solid = _solid(drawn, "blue")
    middle = np.argwhere(solid)[:, axis].mean() / solid.shape[axis]
    assert middle < 0.4 if before else middle > 0.6
    assert not solid[:, [0, -1]].any()
    assert not solid[[0, -1]].any()


@pytest.mark.parametrize("size", [(128, 128), (192, 128), (128, 192), (256, 256)])
@pytest.mark.parametrize("count", [2, 3])
def test_several_objects_stand_apart(sprites: Sprites, size: tuple[int, int], count: int) -> None:
    """As many discs as the scene says, none touching another, none cut by the border."""
    for seed in range(5):
        drawn = compose(Scene("apple", "red", "blue", count=count), sprites=sprites, seed=seed, size=size)
        assert _islands(_solid(drawn, "blue")) == count


def _islands(solid: np.ndarray) -> int:
    """Connected parts of a mask, found by flooding each from its first pixel."""
    left, found = Image.fromarray((solid * 255).astype(np.uint8)).copy(), 0
    while (points := np.argwhere(np.asarray(left) == 255)).size:
        ImageDraw.floodfill(left, (int(points[0][1]), int(points[0][0])), 0)
        found += 1
    return found


@pytest.mark.parametrize("scene", [Scene("apple", "red", "blue"), Scene("apple", "red", "blue", place="right")])
def test_an_object_is_drawn_alike_in_every_size(sprites: Sprites, scene: Scene) -> None:
    """It is as large in pixels and lies on the same part of a cell, to the pixel that the seed moves it by."""
    found = set()
    for size in [(192, 128), (192, 192), (256, 256)]:
        for seed in range(6):
            points = np.argwhere(_solid(compose(scene, sprites=sprites, seed=seed, size=size), "blue"))
            assert 90 <= np.ptp(points, axis=0).min() <= np.ptp(points, axis=0).max() <= 92
            found |= {tuple(corner) for corner in (points.min(0) - 10)[None] % 8}
    assert found <= {(y % 8, x % 8) for y in (-1, 0, 1) for x in (-1, 0, 1)}


def test_a_still_scene_moves_by_a_pixel_only(sprites: Sprites) -> None:
    """Seeds then leave the object in the middle, and others move it by whole cells."""
    scene, corners = Scene("apple", "red", "blue"), {True: set(), False: set()}
    for still, found in corners.items():
        for seed in range(12):
            points = np.argwhere(_solid(compose(scene, sprites=sprites, seed=seed, still=still), "blue"))
            found.update(points.min(0).tolist())
    assert max(corners[True]) - min(corners[True]) <= 2
    assert max(corners[False]) - min(corners[False]) >= 16


def test_pictures_of_the_solid_set_are_joined_by_code_point(tmp_path: Path) -> None:
    """One sprite of the native side for each emoji that is known and not refused, whichever form its file is named by."""
    known = [("cat face", "1F431"), ("red heart", "2764"), ("pistol", "1F52B"), ("star", "2B50")]
    emoji = [{"label": label, "hexcode": code, "group": 3, "tags": ["Pet"]} for label, code in known]
    files = {"emojibase-data/en/data.json": emoji}
    for folder in ("noto", "fluent-emoji-flat"):
        files |= {f"{folder}/icons.json": {"icons": {}}, f"{folder}/chars.json": {}}
    for name, value in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(value), encoding="utf-8")
    (tmp_path / "fluent-emoji-3d/assets").mkdir(parents=True)
    for code in ("1f431", "2764-fe0f", "1f52b"):
        Image.new("RGBA", (256, 256), (0, 200, 0, 255)).save(tmp_path / f"fluent-emoji-3d/assets/{code}.webp")
    found = list(read_sources(tmp_path))
    assert [(about["label"], about["style"], about["tags"]) for about, _ in found] == [
        ("cat face", "3d", ["pet"]),
        ("red heart", "3d", ["pet"]),
    ]
    assert all(picture.size == (128, 128) for _, picture in found)


def test_missing_drawings_are_named(run: Run) -> None:
    """A file without the 3D pictures says which are missing."""
    packed = dict(np.load(run.data / "sprites.npz"))
    about = [meta for meta in json.loads(packed["meta"].tobytes()) if (meta["label"], meta["style"]) != ("fish", "3d")]
    packed["meta"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(run.data / "sprites.npz", **packed)
    with pytest.raises(ValueError, match=r"no drawing of: fish \(3d\)\. Run the build"):
        load_sprites(run.data / "sprites.npz")


def test_an_unknown_word_gets_the_unknown_row() -> None:
    """All words that training never saw share one row of the full vocabulary."""
    words = Vocabulary.of_captions()
    rows = words.rows(["a cat", "a parliament"])
    assert rows[0, 2] > 0
    assert rows[1, 2] == 0
    small = torch.randn(len(words.known) + 1, 4)
    full = full_embedding(small, words.known)
    assert torch.equal(full[words.tokens(["a cat", "a parliament"])], small[rows])


def test_the_folded_scale_keeps_pictures_and_evens_latents() -> None:
    """After export, latents times 0.18215 have mean 0 and deviation 1, and the decoder gives the same picture."""
    torch.manual_seed(0)
    vae = AutoencoderKL(**SMALL_VAE).eval()
    pictures = torch.rand(8, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        latents = vae.encode(pictures).latent_dist.mode()
        before = vae.decode(latents).sample
        mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
        vae.load_state_dict(fold_scale(vae.state_dict(), mean=mean, std=std))
        even = vae.encode(pictures).latent_dist.mode()
        after = vae.decode(even).sample
    torch.testing.assert_close((even * SCALE).std((0, 2, 3)), torch.ones(4), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3)


def test_the_file_has_the_keys_that_the_engine_asks_for() -> None:
    """The names written are exactly those that Easel's own table reads, each once, none left over."""
    unet = UNet2DConditionModel(**SMALL_UNET)
    vae = AutoencoderKL(**SMALL_VAE)
    small = {"vocab_size": 16, "hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "eos_token_id": 2}
    text = CLIPTextModel(CLIPTextConfig(**{**TEXT, **small, "bos_token_id": 1, "pad_token_id": 2}))
    file = ldm_layout(
        unet=unet.state_dict(), vae=vae.state_dict(), text=text.state_dict(), unet_config=UNET, vae_blocks=4
    )
    asked = [
        *unet_sources(unet.state_dict(), unet.config).values(),
        *vae_sources(vae.state_dict(), vae.config).values(),
        *clip_sources(text.state_dict(), prefix="cond_stage_model.transformer.").values(),
    ]
    assert sorted(source.key for source in asked) == sorted(file)


def test_the_noise_ends_where_stable_diffusions_does() -> None:
    """Sigma runs from 0.03 to 14.6."""
    levels = signal_levels()
    sigmas = ((1 - levels) / levels).sqrt()
    assert sigmas[0].item() == pytest.approx(0.0292, abs=1e-3)
    assert sigmas[-1].item() == pytest.approx(14.61, abs=0.02)


def test_the_latents_are_held_to_mean_colours() -> None:
    """Where the first three channels are the mean colours and the fourth is empty, only their own size costs anything."""
    pictures = torch.rand(2, 3, 16, 16) * 2 - 1
    means = torch.nn.functional.avg_pool2d(pictures, 8)
    held = torch.cat([means, torch.zeros(2, 1, 2, 2)], 1)
    assert latent_loss(held, pictures).item() == pytest.approx(1e-4 * held.square().mean().item())
    assert latent_loss(held + 0.5, pictures).item() == pytest.approx(0.25, abs=1e-3)


def test_the_autoencoder_is_kept_as_its_average(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state on disk holds the averaged weights, which were measured, while training goes on from the last ones."""
    monkeypatch.setattr("tools.default_model.vae.VAE", SMALL_VAE)
    trainer = VaeTrainer(run)
    for _ in range(3):
        trainer.step(torch.rand(2, 3, 32, 32) * 2 - 1)
    last = trainer.vae.encoder.conv_in.weight
    before = last.detach().clone()
    trainer.save()
    kept = load_state(run.data / "vae.pt")
    assert torch.equal(last, before)
    assert not torch.equal(kept["model"]["encoder.conv_in.weight"], before)
    assert any(torch.equal(kept["model"]["encoder.conv_in.weight"], value) for value in trainer.average.shadow)
    assert kept["seen"] == 6


def test_a_decoder_goes_on_from_the_exported_file(run: Run) -> None:
    """Without a state it starts from the shipped weights; the encoder stays bit for bit, and export changes the decoder alone."""
    trainer = VaeTrainer(replace(run, part="decoder", rate=1e-3))
    shipped = {key: value.clone() for key, value in trainer.vae.state_dict().items()}
    for _ in range(2):
        trainer.step(torch.rand(1, 3, 32, 32) * 2 - 1)
    trainer.save()
    state = load_state(run.data / "vae.pt")
    touched = {key for key, value in state["model"].items() if not torch.equal(value, shipped[key])}
    assert touched
    assert all(key.startswith(("decoder.", "post_quant_conv.")) for key in touched)
    folded = fold_scale(state["model"], mean=state["mean"], std=state["std"])
    layout = ldm_layout(unet={}, vae=folded, text={}, unet_config=UNET, vae_blocks=4)
    exported, half = load_file(MODEL), {key: value.half() for key, value in layout.items()}
    made = with_decoder(exported, half)
    assert made.keys() == exported.keys()
    new = {key for key, value in made.items() if not torch.equal(value, exported[key])}
    assert new
    assert all(key.startswith(("first_stage_model.decoder.", "first_stage_model.post_quant_conv.")) for key in new)
    half["first_stage_model.encoder.conv_in.weight"] += 0.5
    with pytest.raises(ValueError, match="encoder is not that of"):
        with_decoder(exported, half)


def test_painting_lessons_go_on_where_they_were_left(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed run has the same weights, average, optimizer and count, so that its next step is the same too."""
    monkeypatch.setattr("tools.default_model.painter.UNET", SMALL_UNET)
    generator = torch.Generator().manual_seed(0)
    rows = torch.rand(2, 4, 8, 8, generator=generator), torch.rand(2, 77, 8, generator=generator)

    def step(trainer: PainterTrainer) -> float:
        velocity = trainer.unet(rows[0], torch.tensor([10, 900]), rows[1]).sample
        return trainer.step(velocity.square().mean(), samples=2)

    first = PainterTrainer(run)
    step(first)
    first.save()
    again = PainterTrainer(replace(run, resume=True))
    assert again.seen == 2
    assert step(again) == step(first)
    for one, other in zip(again.average.shadow, first.average.shadow, strict=True):
        assert torch.equal(one, other)


@pytest.fixture
def taught(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose data folder also has a small VAE and a small text encoder, untrained."""
    torch.manual_seed(0)
    small = {**TEXT, "hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "projection_dim": 8}
    for module in ("vae", "bank", "sampling"):
        monkeypatch.setattr(f"tools.default_model.{module}.VAE", SMALL_VAE)
    for module in ("painter", "sampling"):
        monkeypatch.setattr(f"tools.default_model.{module}.UNET", SMALL_UNET)
    monkeypatch.setattr("tools.default_model.text.TEXT", small)
    vae = AutoencoderKL(**SMALL_VAE)
    save_state(run.data / "vae.pt", {"model": vae.state_dict(), "mean": torch.zeros(4), "std": torch.ones(4)})
    words = Vocabulary.of_captions()
    save_state(run.data / "text.pt", {"model": small_text_model(len(words.known)).state_dict(), "known": words.known})
    return run


def test_lessons_come_in_every_size_and_are_renewed(taught: Run) -> None:
    """A batch is of one size with a caption's features for each picture; a renewed one changes what is kept."""
    sizes = {(64, 64): (0.5, 1.0, 4), (96, 64): (0.5, 0.5, 3)}
    bank = Bank(taught, sizes=sizes)
    shapes = {tuple(bank.lesson(step=1).latents.shape) for _ in range(20)}
    assert shapes == {(2, 4, 8, 8), (1, 4, 8, 12)}
    assert bank.lesson(step=1).spoken.shape[1:] == (77, 8)
    before = {size: bank._kept[size][0].clone() for size in sizes}
    bank.lesson(step=1)
    assert all(torch.equal(bank._kept[size][0], before[size]) for size in sizes)
    bank.lesson(step=12)
    assert not all(torch.equal(bank._kept[size][0], before[size]) for size in sizes)


def test_a_text_state_of_fewer_words_and_facts_is_taken_over() -> None:
    """What was known stays as it was, by token and by fact; what is new stays as it was made."""
    torch.manual_seed(0)
    words = Vocabulary([5, 7, 9])
    old, new = small_text_model(2), small_text_model(3)
    old_heads, heads = torch.nn.Linear(128, 35), torch.nn.Linear(128, sum(PARTS))
    fresh_row = new.get_input_embeddings().weight[2].detach().clone()
    fresh_bias = heads.bias[35:].detach().clone()
    resume(new, heads, words, {"model": old.state_dict(), "heads": old_heads.state_dict(), "known": [5, 9]})
    rows, before = new.get_input_embeddings().weight, old.get_input_embeddings().weight
    assert torch.equal(rows[[0, 1, 3]], before)
    assert torch.equal(rows[2], fresh_row)
    assert torch.equal(heads.bias[:35], old_heads.bias)
    assert torch.equal(heads.bias[35:], fresh_bias)


def test_exchanged_captions_cost_nothing_where_the_text_is_not_heard(taught: Run) -> None:
    """The gate's figure is 0 for a UNet that hears nothing, and far from it for one that follows its text alone."""
    bank = Bank(taught, sizes={(64, 64): (1.0, 1.0, 2)})
    trainer = PainterTrainer(taught)
    lesson = bank.of([Scene(label, None, "white") for label in ("cat", "rocket")], size=(64, 64))
    for name, weight in trainer.unet.named_parameters():
        if ".attn2.to_out" in name:
            torch.nn.init.zeros_(weight)
    assert caption_gap(trainer, lesson, taught) == pytest.approx(0, abs=1e-6)

    class Reader(torch.nn.Module):
        """Knows each picture by its caption: the velocity of the latents whose features are nearest."""

        def forward(self, x: torch.Tensor, steps: torch.Tensor, said: torch.Tensor) -> UNet2DConditionOutput:
            known = torch.cdist(said.flatten(1), lesson.spoken.flatten(1)).argmin(1)
            levels = signal_levels()[steps].view(-1, 1, 1, 1)
            noise = (x - levels.sqrt() * lesson.latents[known]) / (1 - levels).sqrt()
            return UNet2DConditionOutput(sample=levels.sqrt() * noise - (1 - levels).sqrt() * lesson.latents[known])

    trainer.unet = Reader()
    assert caption_gap(trainer, lesson, taught) > 100


@pytest.mark.parametrize("size", [(128, 128), (64, 96)])
def test_the_sampler_arrives_at_what_the_unet_knows(size: tuple[int, int]) -> None:
    """With a UNet that knows the one picture there is, every seed, size and guidance ends in that picture."""
    target = torch.randn(1, 4, size[1] // 8, size[0] // 8, generator=torch.Generator().manual_seed(1))

    class Knowing(torch.nn.Module):
        """The exact velocity toward the target."""

        def forward(self, x: torch.Tensor, time: torch.Tensor, _said: torch.Tensor) -> UNet2DConditionOutput:
            times, sigmas = schedule(20)
            sigma = sigmas[int((times - time).abs().argmin())]
            signal, share = 1 / (1 + sigma**2).sqrt(), sigma / (1 + sigma**2).sqrt()
            return UNet2DConditionOutput(sample=signal * (x - signal * target) / share - share * target)

    noises = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    made = euler_a(Knowing(), torch.zeros(2, 77, 8), torch.zeros(1, 77, 8), noises=noises, size=size, cfg=7.0)
    torch.testing.assert_close(made, target.expand_as(made), rtol=1e-3, atol=1e-3)


def test_variety_is_the_distance_between_pictures() -> None:
    """None for the same picture again and again, all of 255 between black and white."""
    black = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    assert variety(black.repeat(3, 1, 1, 1)) == pytest.approx(0, abs=1e-3)
    assert variety(torch.cat([black, black + 255])) == pytest.approx(255)


def test_the_judge_sees_every_size_alike(run: Run) -> None:
    """Larger pictures are made small by their mean colours; native ones are left alone."""
    scenes = [Scene("apple", "red", background) for background in BACKGROUNDS]
    native = picture_bank(run.data, scenes, seed=1)
    assert to_native(native) is native
    assert torch.equal(to_native(native.repeat_interleave(2, -1)), native)


def test_figures_become_a_table() -> None:
    """Percent in every cell that was asked, an empty one where it was not."""
    rows = [
        Row(name="one", object=1.0, colour=0.986, background=1.0, seen={}),
        Row(name="two", object=0.5, colour=0.5, background=0.5, seen={"count": 0.25}),
    ]
    assert table(rows).splitlines()[2:] == [
        "| one | 100 % | 99 % | 100 % |  |  |  |",
        "| two | 50 % | 50 % | 50 % | 25 % |  |  |",
    ]


def test_a_sheet_holds_every_picture(tmp_path: Path) -> None:
    """Each picture lies unchanged in its place, in rows of so many columns."""
    pictures = torch.randint(0, 256, (5, 3, 16, 32), dtype=torch.uint8)
    contact_sheet(pictures, ["a long sentence of several words"] * 5, path=tmp_path / "a/sheet.png", columns=2)
    sheet = np.asarray(Image.open(tmp_path / "a/sheet.png"))
    assert sheet.shape == (3 * (16 + 12 + 24), 2 * (32 + 12), 3)
    assert np.array_equal(sheet[110:126, 6:38], pictures[4].permute(1, 2, 0).numpy())
