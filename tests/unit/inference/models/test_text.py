"""Tokens and conditioning where no vectors exist: SD2, SDXL, odd letters, embeddings in every file form."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import save_file
from transformers import CLIPTextModelWithProjection

from inference.engine.bad_file import BadFile
from inference.engine.checkpoint import Checkpoint
from inference.engine.embeddings import Embedding, load_embedding
from inference.engine.text import encode_chunks, encode_texts, padded
from inference.engine.tokenizer import END, START, tokenizer
from tests.checkpoints import write_tiny_checkpoint

Load = Callable[[Path], Checkpoint]


@dataclass(frozen=True)
class Window:
    """A window of plain words."""

    tokens: tuple[int, ...]
    multipliers: tuple[float, ...] = (1.0,) * 77
    fixes: tuple[tuple[int, str], ...] = field(default=())


def window(text: str, **more: Any) -> Window:
    """`text` as one window with neutral weights."""
    ids = tokenizer().encode(text)
    return Window((START, *ids, *[END] * (76 - len(ids))), **more)


def test_known_ids() -> None:
    """The tokenizer gives CLIP's published ids, in whatever case and spacing."""
    want = [320, 1125, 539, 320, 2368]
    assert tokenizer().encode("a photo of a cat") == want
    assert tokenizer().encode("  A Photo\n of\ta  CAT ") == want
    assert tokenizer().encode("") == []


def test_odd_letters_are_cleaned_as_in_training() -> None:
    """Curly quotes, HTML entities, full-width letters and ligatures give the ids of their plain forms."""
    for odd, plain in (("“cat’s”", '"cat\'s"'), ("a &amp; b", "a & b"), ("ｃａｔ　！", "cat !"), ("ﬁsh", "fish")):
        assert tokenizer().encode(odd) == tokenizer().encode(plain)


@given(text=st.text(max_size=60))
def test_every_text_has_ids(text: str) -> None:
    """Any text gives ids below the start token, and cleaning does not depend on what stands around it."""
    ids = tokenizer().encode(text)
    assert all(0 <= number < START or number == END for number in ids)


def test_open_clip_pads_with_zero() -> None:
    """After the first end token an open_clip window holds zeros, a CLIP-L window end tokens."""
    tokens = (START, 5, END, END, END)
    assert padded(tokens, 0) == [START, 5, END, 0, 0]
    assert padded(tokens, END) == list(tokens)


def test_sd2_takes_the_last_but_one_layer_whatever_is_asked(tmp_path: Path, load: Load) -> None:
    """SD2's conditioning is the normed last hidden state but one, and clip skip changes nothing."""
    text = load(write_tiny_checkpoint(tmp_path / "a.safetensors", family="sd2")).text
    model = text.towers[0].model
    ids = torch.tensor([padded(window("a red fox").tokens, 0)])
    want = model.final_layer_norm(model(ids, output_hidden_states=True).hidden_states[-2])
    for skip in (1, 2, 3):
        assert torch.allclose(encode_chunks(text, [window("a red fox")], clip_skip=skip).context, want, atol=1e-6)


def test_sdxl_joins_two_towers_and_pools_the_first_window(tmp_path: Path, load: Load) -> None:
    """SDXL's context is both towers' bare last state but one; its pooled vector is G's, of the first window, never weighted."""
    text = load(write_tiny_checkpoint(tmp_path / "a.safetensors", family="sdxl")).text
    chunks = [window("a red fox"), window("in snow")]
    result = encode_chunks(text, chunks)
    big = CLIPTextModelWithProjection(text.towers[1].model.config).eval()
    big.text_model.load_state_dict(text.towers[1].model.state_dict())
    assert text.towers[1].projection is not None
    big.text_projection.weight.data = text.towers[1].projection.T.clone()
    with torch.no_grad():
        for number, chunk in enumerate(chunks):
            part = result.context[0, 77 * number : 77 * number + 77]
            small = text.towers[0].model(torch.tensor([chunk.tokens]), output_hidden_states=True).hidden_states[-2]
            both = big(torch.tensor([padded(chunk.tokens, 0)]), output_hidden_states=True)
            assert torch.allclose(part, torch.cat([small[0], both.hidden_states[-2][0]], -1), atol=1e-5)
            if number == 0:
                assert result.pooled is not None
                assert torch.allclose(result.pooled, both.text_embeds, atol=1e-5)
    weighed = encode_chunks(text, [window("a red fox", multipliers=(1.0, 1.5, *[1.0] * 75)), chunks[1]])
    assert torch.equal(weighed.pooled, result.pooled)  # type: ignore[arg-type]
    assert not torch.allclose(weighed.context, result.context)


def test_texts_in_one_call_match_texts_alone(tmp_path: Path, load: Load) -> None:
    """Without emphasis, encoding together changes nothing but the number of windows."""
    text = load(write_tiny_checkpoint(tmp_path / "a.safetensors")).text
    short, long = [window("one")], [window("two"), window("three")]
    together = encode_texts(text, [short, long])
    assert torch.allclose(together[0].context[:, :77], encode_chunks(text, short).context, atol=1e-6)
    assert torch.allclose(together[1].context, encode_chunks(text, long).context, atol=1e-6)


def test_a_learned_word_of_one_token_acts_like_that_token(tmp_path: Path, load: Load) -> None:
    """Vectors copied from a token's row give that token's conditioning, in the right place."""
    text = load(write_tiny_checkpoint(tmp_path / "a.safetensors")).text
    (cat,) = tokenizer().encode("cat")
    row = text.towers[0].model.embeddings.token_embedding.weight[cat].detach().clone()
    learned = {"whiskers": Embedding("whiskers", (row.unsqueeze(0),))}
    placed = encode_chunks(text, [window("a red dog", fixes=((2, "whiskers"),))], embeddings=learned)
    assert torch.equal(placed.context, encode_chunks(text, [window("a red cat")]).context)


def _card(table: dict[str, Any]) -> bytes:
    return json.dumps(table, default=lambda value: {"TORCHTENSOR": value.tolist()}).encode()


def _hide(data: bytes, picture: Image.Image) -> Image.Image:
    """Put `data` into the low bits left and right of `picture`, as the webui's cards do."""
    packed = np.frombuffer(zlib.compress(data), np.uint8)
    height = picture.height
    width = -(-len(packed) // (height * 3))
    stream, state = [], 0
    for _ in range(height * width * 3):
        state = (1664525 * state + 1013904223) % 2**32
        stream.append(state % 255 & 0x0F)
    whole = np.zeros((height, 2 * width + picture.width + 2, 3), np.uint8)
    for start, nibbles in ((0, packed & 15), (width + picture.width + 2, packed >> 4)):
        block = np.resize(nibbles, height * width * 3) ^ np.array(stream, np.uint8)
        whole[:, start : start + width] = block.reshape(height, width, 3) | 0xF0
    whole[:, width + 1 : width + 1 + picture.width] = np.asarray(picture)
    return Image.fromarray(whole)


def test_every_form_of_textual_inversion_is_read(tmp_path: Path) -> None:
    """Old pickles, diffusers' tables, safetensors, SDXL pairs and picture cards give the same vectors."""
    vectors = torch.arange(8.0).reshape(2, 4)
    table = {"string_to_param": {"*": vectors}, "name": "glimmer"}
    torch.save({**table, "string_to_param": torch.nn.ParameterDict({"*": vectors})}, tmp_path / "a.pt")
    torch.save(table, tmp_path / "b.pt")
    torch.save({"<glimmer>": vectors}, tmp_path / "c.bin")
    save_file({"emb_params": vectors}, tmp_path / "d.safetensors")
    save_file({"<any>": vectors}, tmp_path / "e.safetensors")
    save_file({"clip_l": vectors, "clip_g": vectors.repeat(1, 2)}, tmp_path / "f.safetensors")
    info = PngInfo()
    info.add_text("sd-ti-embedding", base64.b64encode(_card(table)).decode())
    noise = np.random.default_rng(0).integers(1, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "g.png", pnginfo=info)
    _hide(_card(table), Image.fromarray(noise)).save(tmp_path / "h.png")
    for path in sorted(tmp_path.iterdir()):
        embedding = load_embedding(path)
        assert torch.equal(embedding.vectors[0], vectors), path.name
        assert embedding.name == ("glimmer" if path.suffix == ".png" else path.stem)
        assert embedding.widths == ((4, 8) if path.stem == "f" else (4,))
        assert embedding.length == 2


def test_what_is_no_textual_inversion_is_refused(tmp_path: Path) -> None:
    """Several tensors, too many vectors, NaN, unequal pairs and plain pictures are refused with the reason."""
    good = torch.ones(2, 4)
    for table, words in (
        ({"a": good, "b": good + 1}, "holds 2"),
        ({"emb_params": torch.ones(76, 4)}, "76 vectors"),
        ({"emb_params": good * float("nan")}, "not finite"),
        ({"clip_l": good, "clip_g": torch.ones(3, 4)}, "different number"),
    ):
        save_file(table, tmp_path / "a.safetensors")
        with pytest.raises(BadFile, match=words):
            load_embedding(tmp_path / "a.safetensors")
    Image.new("RGB", (8, 8), "white").save(tmp_path / "p.png")
    with pytest.raises(BadFile, match="picture without"):
        load_embedding(tmp_path / "p.png")
    torch.save([1, 2], tmp_path / "l.pt")
    with pytest.raises(BadFile, match="holds no table"):
        load_embedding(tmp_path / "l.pt")
