"""The learned words that a checkpoint can use: textual inversions on the shelf, matched by tokens.

Owns which embeddings fit which text encoders. Refuses to place them: the prompt language finds them, `text` splices them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from inference.api.result import Inventory, ModelFile
from inference.engine.bad_file import BadFile
from inference.engine.embeddings import Embedding, load_bundled, load_embedding
from inference.engine.networks.merge import AdapterSet
from inference.engine.text import TextEncoders
from inference.engine.tokenizer import tokenizer


@dataclass(frozen=True, slots=True)
class Words:
    """Learned words for one checkpoint: `vectors` by name, `by_tokens` for the prompt language.

    `misfits` says by the tokens of a word why it cannot be used, `spoilt` the same of words that a worn LoRA should have
    brought along, whose names nobody can read. `hashes` are those of the files on the shelf, by name.
    """

    vectors: Mapping[str, Embedding]
    by_tokens: Mapping[tuple[int, ...], tuple[str, int]]
    misfits: Mapping[tuple[int, ...], str]
    hashes: Mapping[str, str] = field(default_factory=dict[str, str])
    spoilt: tuple[str, ...] = ()

    def notes(self, text: str) -> tuple[str, ...]:
        """A sentence for each learned word in `text` that cannot be used and so stays plain words, and for spoilt ones."""
        return (*self.spoilt, *(self.misfits[key] for key in _found(self.misfits, text)))

    def hashes_in(self, text: str) -> dict[str, str]:
        """Hashes of the learned words that are in `text`, by name, for those whose file is on the shelf and hashed."""
        names = [self.by_tokens[key][0] for key in _found(self.by_tokens, text)]
        return {name: self.hashes[name] for name in names if self.hashes.get(name)}


def _found(keys: Collection[tuple[int, ...]], text: str) -> list[tuple[int, ...]]:
    """Those of `keys` (token ids) that occur in `text`, in its order."""
    if not keys:
        return []
    lengths, ids = sorted({len(key) for key in keys}, reverse=True), tuple(tokenizer().encode(text))
    pieces = (ids[at : at + length] for at in range(len(ids)) for length in lengths)
    return list(dict.fromkeys(piece for piece in pieces if piece in keys))


class Lexicon:
    """Loaded embeddings, kept while their files stay the same."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], tuple[Embedding, ...]] = {}
        self._names: dict[str, tuple[int, ...]] = {}

    def words_for(self, encoders: TextEncoders, inventory: Inventory, adapters: AdapterSet = ()) -> Words:
        """What of `inventory` these encoders can use, and what the worn `adapters` bring along; the shelf's words win.

        A file that went bad since it was listed, or whose own words are bad, is passed over with a sentence.
        """
        widths = tuple(tower.width for tower in encoders.towers)
        worn = {adapter.path for adapter in adapters}
        offered: list[tuple[str, Embedding]] = []
        misfits: dict[tuple[int, ...], str] = {}
        spoilt: list[str] = []
        for info in (info for info in inventory.loras if info.path in worn):
            try:
                offered += [(embedding.name, embedding) for embedding in self._load(info, load_bundled)]
            except (BadFile, OSError) as error:
                spoilt.append(f"The learned words inside the LoRA “{info.name}” were left out: {_reason(error)}")
        for info in inventory.embeddings:
            try:
                offered += [(info.name, embedding) for embedding in self._load(info, _alone)]
            except (BadFile, OSError) as error:
                misfits[self._tokens(info.name)] = f"The embedding “{info.name}” was left out: {_reason(error)}"
        vectors: dict[str, Embedding] = {}
        by_tokens: dict[tuple[int, ...], tuple[str, int]] = {}
        for name, embedding in offered:
            key = self._tokens(name)
            if key and embedding.widths == widths:
                vectors[name] = embedding
                by_tokens[key] = (name, embedding.length)
            elif key:
                misfits[key] = f"The embedding “{name}” is made for another kind of model; it was left out."
        return Words(
            vectors,
            by_tokens,
            {key: why for key, why in misfits.items() if key and key not in by_tokens},
            {info.name: info.hash for info in inventory.embeddings},
            tuple(spoilt),
        )

    def _load(self, info: ModelFile, read: Callable[[Path], tuple[Embedding, ...]]) -> tuple[Embedding, ...]:
        key = (info.path, info.sha256)
        if key not in self._loaded:
            self._loaded[key] = read(Path(info.path))
        return self._loaded[key]

    def _tokens(self, name: str) -> tuple[int, ...]:
        if name not in self._names:
            self._names[name] = tuple(tokenizer().encode(name))
        return self._names[name]


def _reason(error: BadFile | OSError) -> str:
    return f"it {error}" if isinstance(error, BadFile) else f"it cannot be read: {error.strerror or error}."


def _alone(path: Path) -> tuple[Embedding, ...]:
    return (load_embedding(path),)
