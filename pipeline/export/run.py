"""A model folder's ONNX files: made, compared with torch, and put in place together."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import pipeline
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.export.channels import even_channels, largest_inputs
from pipeline.export.graphs import PairGraph, PieceGraph, write_graph
from pipeline.export.quantise import quantise
from pipeline.mentions.tagger import encode_windows
from pipeline.mentions.torch_engine import weights_of as entity_weights
from pipeline.model import Model
from pipeline.onnx_files import (
    MANIFEST,
    TOKENIZER,
    EntityFacts,
    Export,
    RelationFacts,
    TokenizerFacts,
    file_hash,
    graph_name,
    source_hashes,
)
from pipeline.onnx_session import Feed, WindowGraph
from pipeline.relations.candidates import Candidates, find_candidates
from pipeline.relations.encoding import RelationWindow
from pipeline.relations.onnx_engine import window_feed
from pipeline.relations.torch_engine import weights_of as relation_weights
from pipeline.windows.plain import PlainPieces

TOLERANCE = 1e-3
"""How far scores of the fp32 graphs (log probabilities, log odds) may be from torch's."""
_COMPARED = 8  # windows

RelationInput = tuple[RelationWindow, Candidates]


@dataclass(frozen=True)
class Stage:
    """What is exported of one stage.

    Attributes:
        module: the graph-to-be.
        feeds: windows of real text.
        expected: torch's scores of the first of them.
    """

    name: str
    module: PieceGraph | PairGraph
    feeds: list[Feed]
    expected: list[NDArray[np.float32]]


def export_model(
    model: Model, folder: Path, target: Path, texts: Sequence[Document], say: Callable[[str], None] = lambda line: None
) -> Export:
    """Write a model's graphs in fp32 and int8, and ``export.json`` beside them: all of them or none.

    Args:
        model: loaded by torch, in fp32.
        folder: where it was loaded from.
        target: the folder to write; replaced when it exists.
        texts: some articles, by which the ranges of the encoders' channels are found, and torch and graphs compared.
        say: gets a line for each file.

    Raises:
        QuanheError: there is no text, the encoder cannot be exported, the scores differ, or nothing can be written.
    """
    stages = _stages(model, texts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
            new = Path(scratch) / "new"
            new.mkdir()
            for stage in stages:
                _write_stage(stage, new, say)
            export = _describe(model, folder, new)
            (new / MANIFEST).write_text(export.model_dump_json(indent=1) + "\n", encoding="utf-8")
            if target.exists():
                target.rename(Path(scratch) / "old")
            new.rename(target)
    except OSError as error:
        raise QuanheError(f"{target}: cannot be written ({error.strerror or error})") from error
    return export


def _stages(model: Model, texts: Sequence[Document]) -> list[Stage]:
    documents = [model.splitter(Document(text.id, text.text)) for text in texts]
    pieces = [w.ids for d in documents for w in encode_windows(d, model.tagger.tokenizer, model.tagger.windows)]
    if not pieces:
        raise QuanheError("no text to try the graphs on; name some with --texts")
    stages = [
        Stage(
            "entities",
            PieceGraph(entity_weights(model.tagger)),
            [{"ids": np.array([ids], dtype=np.int64)} for ids in pieces],
            list(model.tagger.scorer(pieces[:_COMPARED])),
        )
    ]
    if model.relations:
        windows = _relation_windows(model, documents)
        if not windows:
            raise QuanheError(
                "the model finds no pairs in the texts to try the relation graph on; name others with --texts"
            )
        levitated = model.relations.config.encoding == "levitated"
        stages.append(
            Stage(
                "relations",
                PairGraph(relation_weights(model.relations), levitated=levitated),
                [window_feed(*window, levitated=levitated) for window in windows],
                list(model.relations.scorer(windows[:_COMPARED])),
            )
        )
    return stages


def _relation_windows(model: Model, documents: Sequence[Document]) -> list[RelationInput]:
    assert model.relations is not None
    windows: list[RelationInput] = []
    for document, mentions in zip(documents, model.mentions.predict(documents), strict=True):
        document.mentions = mentions
        candidates = find_candidates(document, model.schema, model.relations.config)
        windows += [(window, candidates) for window in model.relations.encoder(document, candidates)[0]]
    return windows


def _write_stage(stage: Stage, folder: Path, say: Callable[[str], None]) -> None:
    full, small = folder / graph_name(stage.name, "fp32"), folder / graph_name(stage.name, "int8")
    write_graph(stage.module, stage.feeds[0], full)
    found = WindowGraph(full)(stage.feeds[: len(stage.expected)])
    off = max(float(np.abs(a - b).max()) for a, b in zip(found, stage.expected, strict=True))
    if off > TOLERANCE:
        raise QuanheError(f"{full.name}: its scores differ from torch's by {off:.2g}; this encoder cannot be exported")
    say(f"{full.name}: {full.stat().st_size / 1e6:.1f} MB, scores within {off:.1g} of torch's")
    largest = largest_inputs(stage.module.encoder, lambda: _read(stage))
    with even_channels(stage.module.encoder, largest):
        write_graph(stage.module, stage.feeds[0], folder / "even.onnx")
    quantise(folder / "even.onnx", small, stage.module.body)
    (folder / "even.onnx").unlink()
    rough = WindowGraph(small)(stage.feeds[: len(stage.expected)])
    off = float(np.mean(np.concatenate([np.abs(a - b).ravel() for a, b in zip(rough, stage.expected, strict=True)])))
    say(f"{small.name}: {small.stat().st_size / 1e6:.1f} MB, scores differ from torch's by {off:.2g} on average")


def _read(stage: Stage) -> None:
    """Let the torch model read all windows."""
    with torch.inference_mode():
        for feed in stage.feeds:
            stage.module(*(torch.from_numpy(feed[name]) for name in stage.module.inputs))


def _describe(model: Model, folder: Path, new: Path) -> Export:
    encoder = entity_weights(model.tagger)
    tokenizer = None
    if isinstance(model.tagger.tokenizer, PlainPieces):
        tokenizer = _write_tokenizer(model.tagger.tokenizer, new)
    relations = None
    if model.relations:
        relations = RelationFacts(
            first_marker=model.relations.scorer.first_marker, levitated=model.relations.config.encoding == "levitated"
        )
    return Export(
        quanhe=pipeline.__version__,
        sources=source_hashes(folder),
        files={path.name: file_hash(path) for path in sorted(new.iterdir())},
        entities=EntityFacts(
            labels=model.tagger.labels,
            max_pieces=model.tagger.scorer.max_pieces,
            vocabulary=model.tagger.scorer.vocabulary,
            transitions=getattr(encoder.config, "transitions", None),
            adjacency=getattr(encoder.config, "adjacency", None),
        ),
        relations=relations,
        tokenizer=tokenizer,
    )


def _write_tokenizer(tokenizer: PlainPieces, folder: Path) -> TokenizerFacts | None:
    """``tokenizer.json``; nothing for a tokenizer that only transformers can run."""
    if tokenizer.rust is None:
        return None
    tokenizer.rust.save(str(folder / TOKENIZER))
    names = TokenizerFacts.model_fields
    return TokenizerFacts(**{name: getattr(tokenizer, name) for name in names})
