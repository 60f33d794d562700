"""Training of the pair classifier, on gold mentions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset

from pipeline.config import Config
from pipeline.document import Document
from pipeline.encoders import encoder_config, first_position, pick_device, use_bf16
from pipeline.errors import QuanheError
from pipeline.relations.batch import collate
from pipeline.relations.candidates import Candidate, find_candidates
from pipeline.relations.classifier import RelationClassifier
from pipeline.relations.encoding import RelationEncoder
from pipeline.relations.health import check_reads
from pipeline.relations.model import build_model
from pipeline.relations.rows import FIRST_POSITION, window_row
from pipeline.relations.torch_engine import TorchPairScorer
from pipeline.schema import Schema
from pipeline.training import History, train_model
from pipeline.windows.plain import load_tokenizer


def train_relations(
    documents: Sequence[Document],
    config: Config,
    schema: Schema,
    encoder: Path,
    *,
    dev_score: Callable[[RelationClassifier], float] | None = None,
    progress: bool = False,
) -> tuple[RelationClassifier, History]:
    """Fine-tune an encoder to a relation classifier.

    Args:
        documents: with words, gold mentions (each with its entity) and gold relations.
        encoder: a folder that ``find_encoder`` accepts.
        dev_score: scores the classifier as it stands, for early stopping.

    Raises:
        QuanheError: the encoder collapsed, so that scores do not depend on the text.
    """
    torch.manual_seed(config.seed)
    settings = config.relations
    device = pick_device(config.device)
    tokenizer = load_tokenizer(encoder)
    if settings.encoding == "levitated" and first_position(encoder_config(encoder)) != FIRST_POSITION:
        raise QuanheError("relations.encoding: levitated needs an encoder in PhoBERT's format; take markers or pooled")
    model, first_marker = build_model(encoder, len(schema.entities), len(schema.relations), settings.dropout)
    model.to(device)
    bf16 = use_bf16(config.precision, device)
    scorer = TorchPairScorer(model, first_marker, tokenizer.pad_id, bf16=bf16)
    classifier = RelationClassifier(scorer, tokenizer, schema, settings, config.windows)
    rows = training_rows(documents, classifier.encoder, schema, config)
    history = train_model(
        model,
        Dataset.from_list(rows),
        partial(collate, pad_id=tokenizer.pad_id),
        settings,
        seed=config.seed,
        device=device,
        bf16=bf16,
        progress=progress,
        dev_score=(lambda: dev_score(classifier)) if dev_score else None,
    )
    check_reads(model, rows, tokenizer.pad_id)
    return classifier, history


def training_rows(
    documents: Sequence[Document], encoder: RelationEncoder, schema: Schema, config: Config
) -> list[dict[str, Any]]:
    """One row a window that holds candidates."""
    rows: list[dict[str, Any]] = []
    for document in documents:
        candidates = find_candidates(document, schema, config.relations)
        labels = candidate_labels(document, candidates, schema, config.relations.repeats)
        windows, _ = encoder(document, candidates)
        rows += [window_row(window, candidates, labels) for window in windows]
    return rows


def candidate_labels(
    document: Document, candidates: Sequence[Candidate], schema: Schema, repeats: str
) -> list[list[int]]:
    """For each candidate and relation type: 1 related, 0 not, -100 not to be judged.

    The gold holds each fact once an article, at one pair of mentions; another pair of the same two entities neither
    proves nor refutes it. ``repeats`` says what such a pair is: ``ignore`` -100, ``positive`` 1, ``negative`` 0.
    """
    gold = {(relation.type, relation.head, relation.tail) for relation in document.relations}
    entity = {mention.id: mention.entity or mention.id for mention in document.mentions}
    facts = {(kind, entity[head], entity[tail]) for kind, head, tail in gold}
    repeated = {"ignore": -100, "positive": 1, "negative": 0}[repeats]
    labels: list[list[int]] = []
    for candidate in candidates:
        head, tail = document.mentions[candidate.head].id, document.mentions[candidate.tail].id
        row = [-100] * len(schema.relations)
        for index, (name, relation) in enumerate(schema.relations.items()):
            if index not in candidate.relations:
                continue
            if (name, head, tail) in gold or (relation.symmetric and (name, tail, head) in gold):
                row[index] = 1
            elif (name, entity[head], entity[tail]) in facts or (
                relation.symmetric and (name, entity[tail], entity[head]) in facts
            ):
                row[index] = repeated
            else:
                row[index] = 0
        labels.append(row)
    return labels
