"""Pre-train the text encoder on what a caption says, thousands of times cheaper than through the painter's loss.

Every position from the end of the sentence on must tell the object, its colour and the background through linear
heads. The painter's cross-attention, which begins by averaging over the 77 positions, so sees the whole caption at once.
Only tokens of the captions have rows of their own; all other words share one trained "unknown word" row.
"""

import random
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tools.default_model.captions import caption, evaluation_caption
from tools.default_model.shapes import TEXT
from tools.default_model.training import Run, load_state, rate_at, save_state
from tools.default_model.world import (
    BACKGROUNDS,
    COLOURS,
    COUNTS,
    LABELS,
    PLACES,
    STYLES,
    Scene,
    held_out_scenes,
    training_scenes,
    varied,
)

TOKENIZER = Path(__file__).parents[2] / "inference/engine/data/clip_tokenizer"
END = TEXT["eos_token_id"]
# how many answers each fact has: label, colour (or none), background, count, place, style
PARTS = [len(LABELS), len(COLOURS) + 1, len(BACKGROUNDS), len(COUNTS), len(PLACES), len(STYLES)]


class Vocabulary:
    """The tokens that captions use, numbered from 1; 0 is every other word."""

    def __init__(self, known: list[int]) -> None:
        self.known = known
        self._row = torch.zeros(TEXT["vocab_size"], dtype=torch.long)
        self._row[torch.tensor(known)] = torch.arange(1, len(known) + 1)
        self.tokenizer = CLIPTokenizer(
            vocab=str(TOKENIZER / "vocab.json"), merges=str(TOKENIZER / "merges.txt"), model_max_length=77
        )

    @classmethod
    def of_captions(cls) -> "Vocabulary":
        """Collect the tokens of every training sentence."""
        chance, empty = random.Random(0), cls([TEXT["bos_token_id"], END])
        scenes = [scene for scene in training_scenes() for _ in range(24)]
        said = [caption(varied(scene, chance=chance), chance=chance) for scene in scenes]
        spoken = sorted(
            {word for sentence in said for word in sentence.replace(",", " ,").split()}
        )  # no token spans two words
        return cls(sorted(set(empty.tokens(spoken).flatten().tolist())))

    def tokens(self, sentences: list[str]) -> Tensor:
        """CLIP token ids, int64 [N, 77], padded with the end token."""
        return torch.tensor(self.tokenizer(sentences, padding="max_length", truncation=True, max_length=77).input_ids)

    def rows(self, sentences: list[str]) -> Tensor:
        """Rows of the small embedding, int64 [N, 77]."""
        return self._row[self.tokens(sentences)]


def small_text_model(known: int) -> CLIPTextModel:
    """The text encoder with one row a known token, and row 0 for all others."""
    ends = {
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
    }  # only the pooled output reads these; nobody reads that
    model = CLIPTextModel(CLIPTextConfig(**{**TEXT, **ends, "vocab_size": known + 1}))
    nn.init.normal_(model.get_input_embeddings().weight, std=0.2)
    return model


def full_embedding(small: Tensor, known: list[int]) -> Tensor:
    """Spread the small embedding [known + 1, 128] over CLIP's 49,408 rows."""
    rows = small[0].expand(TEXT["vocab_size"], -1).clone()
    rows[torch.tensor(known)] = small[1:]
    return rows


def facts(scenes: list[Scene]) -> Tensor:
    """What the heads must tell, int64 [N, 6]: label, colour (0 for none), background, count, place and style."""
    styles = tuple(STYLES)
    return torch.tensor(
        [
            (
                LABELS.index(s.label),
                COLOURS.index(s.colour) + 1 if s.colour else 0,
                BACKGROUNDS.index(s.background),
                COUNTS.index(s.count),
                PLACES.index(s.place),
                styles.index(s.style),
            )
            for s in scenes
        ]
    )


def train(run: Run) -> None:
    """Leave `text.pt`: weights, known tokens, and how many held-out sentences are read right."""
    run.start()
    path = run.data / "text.pt"
    words = Vocabulary.of_captions()
    model = small_text_model(len(words.known)).to(run.device)
    heads = nn.Linear(TEXT["hidden_size"], sum(PARTS)).to(run.device)
    if run.resume and path.exists():
        resume(model, heads, words, load_state(path))
    optimizer = torch.optim.AdamW([*model.parameters(), *heads.parameters()], lr=run.rate, betas=(0.9, 0.98))
    scenes, chance = training_scenes(), random.Random(1)
    step = 0
    for gone in run.clock():
        for group in optimizer.param_groups:
            group["lr"] = rate_at(gone, step=step, warmup=30, peak=run.rate)
        chosen = [varied(scene, chance=chance) for scene in chance.choices(scenes, k=run.batch)]
        rows = words.rows([caption(scene, chance=chance) for scene in chosen])
        ends = rows == words._row[END]  # noqa: SLF001
        # unknown words must not disturb the known ones around them: the little words are made unknown at times
        rows = torch.where((torch.rand(rows.shape) < 0.5) & _is_little(rows, words), 0, rows)
        loss = _loss(
            heads(model(rows.to(run.device)).last_hidden_state), facts(chosen).to(run.device), ends.to(run.device)
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        if step % 50 == 0:
            print(f"text {gone:4.0%} step {step} loss {loss.item():.4f}", flush=True)
    right = read_right(model, heads, words, run)
    weights = {"model": model.state_dict(), "heads": heads.state_dict(), "known": words.known, "right": right}
    save_state(path, {**weights, "optimizer": optimizer.state_dict(), "step": step})
    print(f"text saved: {step} steps, {right:.3f} of held-out sentences in unseen phrasings read right", flush=True)


@torch.no_grad()
def resume(model: CLIPTextModel, heads: nn.Linear, words: Vocabulary, old: dict[str, Any]) -> None:
    """Take over a state, also one that knew fewer words and fewer facts: what is new there stays as it was made."""
    state, rows = dict(old["model"]), {token: row for row, token in enumerate(old["known"], 1)}
    name = next(key for key in state if key.endswith("token_embedding.weight"))
    merged = model.get_input_embeddings().weight.detach().clone()
    merged[0] = state[name][0]
    for row, token in enumerate(words.known, 1):
        if token in rows:
            merged[row] = state[name][rows[token]]
    model.load_state_dict({**state, name: merged})
    told = len(old["heads"]["bias"])
    heads.weight[:told], heads.bias[:told] = old["heads"]["weight"], old["heads"]["bias"]


def _is_little(rows: Tensor, words: Vocabulary) -> Tensor:
    little = words.rows(["a an on of in with front picture drawing background"])[0]
    little = little[(little != words._row[END]) & (little != words._row[TEXT["bos_token_id"]])]  # noqa: SLF001
    return torch.isin(rows, little)


def _loss(told: Tensor, wanted: Tensor, ends: Tensor) -> Tensor:
    parts = told.split(PARTS, dim=-1)
    total = told.new_zeros(())
    for part, answer in zip(parts, wanted.unbind(1), strict=True):
        total = total + F.cross_entropy(part[ends], answer[:, None].expand_as(ends)[ends])
    return total


@torch.no_grad()
def read_right(model: CLIPTextModel, heads: nn.Linear, words: Vocabulary, run: Run) -> float:
    """Share of held-out scenes, in phrasings never trained on, of which all facts are told right at position 76."""
    chance = random.Random(2)
    scenes = [varied(scene, chance=chance) for scene in held_out_scenes() for _ in range(3)]
    rows = words.rows([evaluation_caption(scene, chance=chance) for scene in scenes]).to(run.device)
    told = heads(model(rows).last_hidden_state[:, -1])
    parts = told.split(PARTS, dim=-1)
    same = torch.stack([part.argmax(-1) for part in parts], 1).cpu() == facts(scenes)
    return float(same.all(1).float().mean())
