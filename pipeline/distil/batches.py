"""From articles to padded batches; every batch is a pure function of (seed, position)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pipeline.distil.augment import Unit, disturb
from pipeline.distil.config import TextConfig
from pipeline.distil.corpus import Corpus
from pipeline.distil.pieces import Pieces, SpecialIds, WordPieces

Pair = tuple[Pieces, Pieces]
_MAX_WORD = 24  # pieces; longer "words" are web addresses and debris


@dataclass(frozen=True)
class Position:
    """Place in the endless stream: the next batch to be read."""

    epoch: int = 0
    shard: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Packed:
    """One packed sequence: pieces of its units for both models, without special tokens."""

    units: list[Pair]
    student_length: int
    teacher_length: int


@dataclass(frozen=True)
class Batch:
    """Padded arrays of B sequences, S student and T teacher positions, U units in all.

    Attributes:
        student_ids, teacher_ids: masked and unmasked input; int64 (B, S) and (B, T).
        student_keys, teacher_keys: False at padding; bool (B, S) and (B, T).
        student_at, teacher_at: flat positions (row * length + column) of the pieces, in the order of units.
        student_unit, teacher_unit: the unit of each of those pieces, 0 to U - 1.
        masked_at, labels: flat student positions whose piece is to be predicted, and those pieces.
        units: U.
        tokens: student pieces without padding, special tokens included.
    """

    student_ids: torch.Tensor
    teacher_ids: torch.Tensor
    student_keys: torch.Tensor
    teacher_keys: torch.Tensor
    student_at: torch.Tensor
    teacher_at: torch.Tensor
    student_unit: torch.Tensor
    teacher_unit: torch.Tensor
    masked_at: torch.Tensor
    labels: torch.Tensor
    units: int
    tokens: int

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        moved: dict[str, Any] = {
            field.name: value.to(device)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), torch.Tensor)
        }
        return replace(self, **moved)


def _flatten(
    rows: Sequence[Sequence[Pieces]], special: SpecialIds, multiple: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pad rows of unit pieces: ids (B, L), keys (B, L), flat positions (N,), unit numbers (N,)."""
    lengths = [sum(map(len, row)) for row in rows]
    width = -(-(max(lengths) + 2) // multiple) * multiple
    ids = np.full((len(rows), width), special.pad, dtype=np.int64)
    keys = np.zeros((len(rows), width), dtype=np.bool_)
    at = []
    for r, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        ids[r, 0] = special.bos
        ids[r, 1 : length + 1] = [p for pieces in row for p in pieces]
        ids[r, length + 1] = special.eos
        keys[r, : length + 2] = True
        at.append(np.arange(r * width + 1, r * width + 1 + length))
    sizes = [len(pieces) for row in rows for pieces in row]
    return ids, keys, np.concatenate(at), np.repeat(np.arange(len(sizes)), sizes)


def collate(
    sequences: Sequence[Packed],
    student: SpecialIds,
    teacher: SpecialIds,
    config: TextConfig,
    rng: np.random.Generator,
) -> Batch:
    """Pad sequences and mask whole words of the student's input."""
    multiple = config.length_multiple
    rows_s = [[unit[0] for unit in s.units] for s in sequences]
    rows_t = [[unit[1] for unit in s.units] for s in sequences]
    ids, keys, at, unit = _flatten(rows_s, student, multiple)
    t_ids, t_keys, t_at, t_unit = _flatten(rows_t, teacher, multiple)
    units = int(unit[-1]) + 1
    chosen = rng.permutation(units)[: max(1, round(units * config.mask))]
    # 0 leaves a unit alone, 1 hides it, 2 replaces it by chance tokens, 3 keeps but predicts it.
    action = np.zeros(units, dtype=np.int8)
    action[chosen] = rng.choice(np.array([1, 2, 3], dtype=np.int8), len(chosen), p=[0.8, 0.1, 0.1])
    of_piece = action[unit]
    masked_at = at[of_piece > 0]
    flat = ids.reshape(-1)
    labels = flat[masked_at].copy()
    flat[at[of_piece == 1]] = student.mask
    chance = at[of_piece == 2]
    flat[chance] = rng.integers(4, student.size - 1, len(chance))
    as_tensor = torch.from_numpy
    return Batch(
        as_tensor(ids), as_tensor(t_ids), as_tensor(keys), as_tensor(t_keys),
        as_tensor(at), as_tensor(t_at), as_tensor(unit), as_tensor(t_unit),
        as_tensor(masked_at), as_tensor(labels), units, int(keys.sum()),
    )  # fmt: skip


class Packer:
    """Packs consecutive sentences of one article, never across articles.

    Attributes:
        dropped: words left out so far because a model has no pieces for them, or too many.
    """

    def __init__(self, config: TextConfig, student: WordPieces, teacher: WordPieces) -> None:
        self.dropped = 0
        self._config = config
        self.student = student
        self.teacher = teacher

    def _pairs(self, units: Sequence[Unit]) -> list[Pair]:
        pairs = []
        for seen, original in units:
            s, t = self.student(seen), self.teacher(original)
            if 0 < len(s) <= _MAX_WORD and 0 < len(t) <= _MAX_WORD:
                pairs.append((s, t))
        self.dropped += len(units) - len(pairs)
        return pairs

    def _target(self, rng: np.random.Generator) -> int:
        c = self._config
        low, high = c.min_target, c.max_tokens
        if rng.random() < c.short_fraction:
            low, high = c.short_target, c.min_target
        return int(rng.integers(min(low, high), high + 1)) - 2

    def pack(self, sentences: Sequence[Sequence[Unit]], rng: np.random.Generator) -> Iterator[Packed]:
        """Fill sequences with whole sentences; only a sentence longer than a sequence is cut."""
        c = self._config
        limit_s, limit_t = c.max_tokens - 2, c.teacher_max_tokens - 2
        units: list[Pair] = []
        s_len = t_len = 0
        target = self._target(rng)
        for sentence in sentences:
            pairs = self._pairs(sentence)
            s_add, t_add = sum(len(p[0]) for p in pairs), sum(len(p[1]) for p in pairs)
            if units and (s_len + s_add > target or t_len + t_add > limit_t):
                yield Packed(units, s_len, t_len)
                units, s_len, t_len, target = [], 0, 0, self._target(rng)
            if s_add > limit_s or t_add > limit_t:
                for pair in pairs:
                    if s_len + len(pair[0]) > limit_s or t_len + len(pair[1]) > limit_t:
                        yield Packed(units, s_len, t_len)
                        units, s_len, t_len = [], 0, 0
                    units.append(pair)
                    s_len, t_len = s_len + len(pair[0]), t_len + len(pair[1])
            else:
                units.extend(pairs)
                s_len, t_len = s_len + s_add, t_len + t_add
        if units:
            yield Packed(units, s_len, t_len)


def group(sequences: list[Packed], config: TextConfig) -> list[list[Packed]]:
    """Sort by length and cut into groups of at most batch_tokens padded student tokens."""
    m = config.length_multiple
    width = {id(s): -(-(s.student_length + 2) // m) * m for s in sequences}
    ordered = sorted(sequences, key=lambda s: (width[id(s)], s.teacher_length))
    groups: list[list[Packed]] = []
    current: list[Packed] = []
    for s in ordered:
        if current and (len(current) + 1) * width[id(s)] > config.batch_tokens:
            groups.append(current)
            current = []
        current.append(s)
    if current:
        groups.append(current)
    return groups


class Stream:
    """Endless shuffled batches of the training articles."""

    def __init__(self, corpus: Corpus, packer: Packer, config: TextConfig, seed: int) -> None:
        self._corpus = corpus
        self._packer = packer
        self._config = config
        self._seed = seed
        self.train_articles = train_articles(corpus, config)

    def _shard(self, epoch: int, shard: int) -> list[list[Packed]]:
        """Groups of one shard in random order; empty when the epoch is over."""
        order = np.random.default_rng([self._seed, 1, epoch]).permutation(self.train_articles)
        size = self._config.shard_articles
        chosen = order[shard * size : (shard + 1) * size].tolist()
        rng = np.random.default_rng([self._seed, 2, epoch, shard])
        sequences: list[Packed] = []
        for article in chosen:
            lines = [disturb(s, self._config, rng) for s in self._corpus.sentences(article)]
            sequences.extend(self._packer.pack(lines, rng))
        groups = group(sequences, self._config)
        return [groups[i] for i in rng.permutation(len(groups))]

    def batches(self, start: Position) -> Iterator[tuple[Batch, Position]]:
        """Batches from a position on, each with the position that follows it."""
        epoch, shard, first = start.epoch, start.shard, start.batch
        while True:
            groups = self._shard(epoch, shard)
            if not groups:
                if shard == 0:
                    raise ValueError("the corpus has no training articles")
                epoch, shard, first = epoch + 1, 0, 0
                continue
            for i in range(first, len(groups)):
                rng = np.random.default_rng([self._seed, 3, epoch, shard, i])
                batch = collate(
                    groups[i], self._packer.student.special, self._packer.teacher.special,
                    self._config, rng,
                )  # fmt: skip
                last = i + 1 == len(groups)
                yield (
                    batch,
                    Position(epoch, shard + 1, 0) if last else Position(epoch, shard, i + 1),
                )
            shard, first = shard + 1, 0


def train_articles(corpus: Corpus, config: TextConfig) -> int:
    """Number of articles at the start of the corpus that may be trained on."""
    return len(corpus) - max(1, round(len(corpus) * config.heldout))


def heldout_batches(corpus: Corpus, packer: Packer, config: TextConfig, size: int) -> list[Batch]:
    """The fixed measure: undisturbed text of evenly spread held-out articles, fixed masks."""
    rng = np.random.default_rng(0)
    first = train_articles(corpus, config)
    articles = np.random.default_rng(0).permutation(np.arange(first, len(corpus))).tolist()
    sequences: list[Packed] = []
    tokens = 0
    for article in articles:
        lines = [list(zip(s, s, strict=True)) for s in corpus.sentences(article)]
        for sequence in packer.pack(lines, rng):
            sequences.append(sequence)
            tokens += sequence.student_length + 2
        if tokens >= size:
            break
    student, teacher = packer.student.special, packer.teacher.special
    return [collate(g, student, teacher, config, rng) for g in group(sequences, config)]
