"""The learned words that a checkpoint can use: textual inversions on the shelf, matched by tokens.

Owns which embeddings fit which text encoders. Refuses to place them: the prompt language finds them, `text` splices them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inference.api.result import Inventory, ModelFile
from inference.engine.bad_file import BadFile
from inference.engine.embeddings import Embedding, load_embedding
from inference.engine.text import TextEncoders
from inference.engine.tokenizer import tokenizer


@dataclass(frozen=True, slots=True)
class Words:
    """Learned words for one checkpoint: `vectors` by name, `by_tokens` for the prompt language, `misfits` by their tokens."""

    vectors: Mapping[str, Embedding]
    by_tokens: Mapping[tuple[int, ...], tuple[str, int]]
    misfits: Mapping[tuple[int, ...], str]

    def notes(self, text: str) -> tuple[str, ...]:
        """A sentence for each learned word in `text` that is made for another family and so stays plain words."""
        ids = tuple(tokenizer().encode(text)) if self.misfits else ()
        hits = [
            name for key, name in self.misfits.items() if any(ids[at : at + len(key)] == key for at in range(len(ids)))
        ]
        return tuple(f"The embedding “{name}” is made for another kind of model; it was left out." for name in hits)


class Lexicon:
    """Loaded embeddings, kept while their files stay the same."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], Embedding] = {}

    def words_for(self, encoders: TextEncoders, inventory: Inventory) -> Words:
        """What of `inventory` these encoders can use. A file that went bad since it was listed is passed over."""
        widths = tuple(tower.width for tower in encoders.towers)
        vectors: dict[str, Embedding] = {}
        by_tokens: dict[tuple[int, ...], tuple[str, int]] = {}
        misfits: dict[tuple[int, ...], str] = {}
        for info in inventory.embeddings:
            embedding, key = self._load(info), tuple(tokenizer().encode(info.name))
            if embedding is None or not key:
                continue
            if embedding.widths == widths:
                vectors[info.name] = embedding
                by_tokens[key] = (info.name, embedding.length)
            else:
                misfits[key] = info.name
        return Words(vectors, by_tokens, {key: name for key, name in misfits.items() if key not in by_tokens})

    def _load(self, info: ModelFile) -> Embedding | None:
        key = (info.path, info.sha256)
        if key not in self._loaded:
            try:
                self._loaded[key] = load_embedding(Path(info.path))
            except (BadFile, OSError):
                return None
        return self._loaded[key]
