"""Documents with mentions in, relations out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config import RelationConfig, WindowConfig
from pipeline.document import Document, Relation
from pipeline.relations.batch import collate, window_row
from pipeline.relations.candidates import Candidate, find_candidates, recall_lost
from pipeline.relations.consistency import keep_consistent
from pipeline.relations.encoding import RelationEncoder, RelationWindow
from pipeline.relations.linear import LINEAR_FILE, LinearPairs, sigmoid
from pipeline.relations.model import RelationModel, load_relation_model, to_device
from pipeline.schema import Schema
from pipeline.windows.pieces import WordTokenizer
from pipeline.windows.plain import load_tokenizer

_BATCH_PIECES = 4096


class RelationClassifier:
    """Finds relations between the mentions of a document.

    Attributes:
        linear: a linear classifier whose log odds are mixed with the network's as ``config.blend`` says (product of
            experts: Hinton, 2002); may be missing.
    """

    def __init__(
        self,
        model: RelationModel,
        tokenizer: WordTokenizer,
        schema: Schema,
        config: RelationConfig,
        windows: WindowConfig,
        first_marker: int,
        *,
        bf16: bool = False,
        linear: LinearPairs | None = None,
    ) -> None:
        self.bf16, self.linear = bf16, linear
        self.model, self.tokenizer, self.schema, self.config = model, tokenizer, schema, config
        self.encoder = RelationEncoder(tokenizer, schema, config.encoding, windows, first_marker)

    @classmethod
    def load(
        cls,
        folder: Path,
        schema: Schema,
        config: RelationConfig,
        windows: WindowConfig,
        device: torch.device,
        *,
        bf16: bool = False,
    ) -> RelationClassifier:
        """Load what ``save_relation_model`` wrote, with the tokenizer files beside it."""
        model, first_marker = load_relation_model(folder, len(schema.entities), len(schema.relations))
        linear = LinearPairs.load(folder / LINEAR_FILE, schema) if (folder / LINEAR_FILE).is_file() else None
        tokenizer = load_tokenizer(folder)
        return cls(model.to(device).eval(), tokenizer, schema, config, windows, first_marker, bf16=bf16, linear=linear)

    def predict(self, documents: Sequence[Document]) -> list[list[Relation]]:
        """Relations of each document above the threshold, between its mentions; sorted by head and tail position."""
        return [self.select(relations) for relations in self.score(documents)]

    def select(self, scored: Iterable[Relation]) -> list[Relation]:
        """Of the scored relations of one document those above the threshold that no likelier one excludes."""
        return keep_consistent((r for r in scored if r.score >= self.config.threshold), self.schema)

    def score(self, documents: Sequence[Document]) -> list[list[Relation]]:
        """Every relation that is possible between the mentions of each document, with its probability as score.

        Sorted by head and tail position; what the schema says of a relation as a whole is not minded.
        """
        found = [find_candidates(document, self.schema, self.config) for document in documents]
        windows: list[tuple[int, RelationWindow]] = []
        for index, (document, candidates) in enumerate(zip(documents, found, strict=True)):
            encoded, _ = self.encoder(document, candidates)
            windows += [(index, window) for window in encoded]
        second = self._second_opinions(documents, found)
        relations: list[list[tuple[int, int, Relation]]] = [[] for _ in documents]
        for batch in _group(windows):
            rows = [window_row(window, found[index]) for index, window in batch]
            logits = self._logits(collate(rows, self.tokenizer.pad_id))
            position = 0
            for index, window in batch:
                for number in window.candidates:
                    candidate, own = found[index][number], logits[position]
                    if second:
                        own = (1 - self.config.blend) * own + self.config.blend * second[index][number]
                    relations[index] += self._relations(documents[index], candidate, sigmoid(own))
                    position += 1
        return [[relation for _, _, relation in sorted(rows, key=lambda row: row[:2])] for rows in relations]

    def out_of_reach(self, document: Document) -> tuple[int, int]:
        """Gold relations of a document that can never be found between its mentions.

        Returns:
            How many are no candidates (further apart than configured), and how many more no window holds whole.
        """
        candidates = find_candidates(document, self.schema, self.config)
        _, lost = self.encoder(document, candidates)
        ends = {
            frozenset((document.mentions[candidates[i].head].id, document.mentions[candidates[i].tail].id))
            for i in lost
        }
        far = recall_lost(document, self.schema, self.config)
        return len(far), sum(frozenset((relation.head, relation.tail)) in ends for relation in document.relations)

    def _second_opinions(
        self, documents: Sequence[Document], found: Sequence[Sequence[Candidate]]
    ) -> list[NDArray[np.float32]]:
        """The linear classifier's log odds of each document's candidates; empty when it has no part."""
        if self.linear is None or not self.config.blend:
            return []
        pairs = zip(documents, found, strict=True)
        return [self.linear.logits(document, candidates) for document, candidates in pairs]

    def _logits(self, batch: dict[str, torch.Tensor]) -> NDArray[np.float32]:
        device = self.model.encoder.device
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(**to_device(batch, device))["logits"]
        values: NDArray[np.float32] = logits.float().cpu().numpy()
        return values

    def _relations(
        self, document: Document, candidate: Candidate, probabilities: NDArray[np.float32]
    ) -> list[tuple[int, int, Relation]]:
        names = list(self.schema.relations)
        head, tail = document.mentions[candidate.head].id, document.mentions[candidate.tail].id
        return [
            (candidate.head, candidate.tail, Relation(names[index], head, tail, float(probabilities[index])))
            for index in candidate.relations
        ]


def _group(windows: Sequence[tuple[int, RelationWindow]]) -> list[list[tuple[int, RelationWindow]]]:
    """Batches of windows of similar length, bounded in padded pieces."""
    groups: list[list[tuple[int, RelationWindow]]] = []
    for item in sorted(windows, key=lambda item: len(item[1].ids)):
        if groups and len(item[1].ids) * (len(groups[-1]) + 1) <= _BATCH_PIECES:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups
