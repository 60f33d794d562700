"""Graphs say what torch says, whatever the encoder and however pairs are shown to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from tiny_corpus import tiny_article
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from pipeline.config import RelationConfig, WindowConfig
from pipeline.encoders import load_encoder, load_token_classifier
from pipeline.export.channels import Even, even_channels, largest_inputs
from pipeline.export.graphs import PairGraph, PieceGraph, write_graph
from pipeline.export.quantise import quantise
from pipeline.onnx_session import Feed, WindowGraph
from pipeline.relations.candidates import FEATURE_SIZES, Candidates, find_candidates
from pipeline.relations.encoding import RelationEncoder, RelationWindow
from pipeline.relations.model import PairHead, RelationModel
from pipeline.relations.onnx_engine import window_feed
from pipeline.relations.rows import window_row
from pipeline.relations.torch_engine import TorchPairScorer
from pipeline.schema import Schema
from pipeline.text.words import WordSplitter
from pipeline.windows.tokenizer import PhobertPieces

FIRST_MARKER = 24000
ENCODINGS = ["markers", "levitated", "pooled"]
LABELS = ["O", "B-X", "I-X"]
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}

Input = tuple[RelationWindow, Candidates]


def windows_of(tokenizer: PhobertPieces, schema: Schema, splitter: WordSplitter, encoding: str) -> list[Input]:
    encoder = RelationEncoder(tokenizer, schema, encoding, WindowConfig(pieces=90, overlap=30), FIRST_MARKER)
    found: list[Input] = []
    for number in range(4):
        document = splitter(tiny_article(number))
        candidates = find_candidates(document, schema, RelationConfig())
        found += [(window, candidates) for window in encoder(document, candidates)[0]]
    return found


def write_small(module: PieceGraph | PairGraph, feeds: Sequence[Feed], path: Path) -> None:
    """The int8 graph as ``quanhe export`` makes it."""

    def read() -> None:
        with torch.inference_mode():
            for feed in feeds:
                module(*(torch.from_numpy(feed[name]) for name in module.inputs))

    with even_channels(module.encoder, largest_inputs(module.encoder, read)):
        write_graph(module, feeds[0], path.with_suffix(".even"))
    quantise(path.with_suffix(".even"), path, module.body)


def pair_model(encoder: Path, schema: Schema, *, evidence: bool = True, features: int = len(FEATURE_SIZES)):
    torch.manual_seed(7)
    body = load_encoder(encoder).eval()
    body.resize_token_embeddings(FIRST_MARKER + 2 * len(schema.entities), mean_resizing=False)
    head = PairHead(32, len(schema.entities), len(schema.relations), 0.0, evidence=evidence, features=features)
    return RelationModel(body, head).eval()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_feeds_hold_what_rows_hold(tokenizer, schema, splitter, encoding) -> None:
    for window, candidates in windows_of(tokenizer, schema, splitter, encoding):
        row, feed = window_row(window, candidates), window_feed(window, candidates, levitated=encoding == "levitated")
        assert feed["between"].tolist() == row["between"]
        assert feed["features"].tolist() == row["features"]
        assert feed["types"][feed["pairs"]].tolist() == row["types"]
        assert feed["spans"][feed["pairs"]].reshape(-1, 4).tolist() == row["ends"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("old", [False, True], ids=["", "old head"])
def test_pairs_score_as_in_torch(tiny_encoder, tokenizer, schema, splitter, tmp_path, encoding, old) -> None:
    model = pair_model(tiny_encoder, schema, evidence=not old, features=6 if old else len(FEATURE_SIZES))
    windows = windows_of(tokenizer, schema, splitter, encoding)
    assert len({(len(window.ids), len(window.pairs)) for window, _ in windows}) > 2
    levitated = encoding == "levitated"
    feeds = [window_feed(*window, levitated=levitated) for window in windows]
    module = PairGraph(model, levitated=levitated)
    write_graph(module, feeds[0], tmp_path / "pairs.onnx")
    wanted = TorchPairScorer(model, FIRST_MARKER, tokenizer.pad_id)(windows)
    for found, scores in zip(WindowGraph(tmp_path / "pairs.onnx")(feeds), wanted, strict=True):
        np.testing.assert_allclose(found, scores, atol=1e-4)
    write_small(module, feeds, tmp_path / "small.onnx")
    for found, scores in zip(WindowGraph(tmp_path / "small.onnx")(feeds), wanted, strict=True):
        assert 0 < np.abs(found - scores).max() < 0.1
    # The exporting leaves the model as it was.
    for after, scores in zip(TorchPairScorer(model, FIRST_MARKER, tokenizer.pad_id)(windows), wanted, strict=True):
        np.testing.assert_array_equal(after, scores)


@pytest.fixture(params=["roberta", "xlm-roberta", "bert"])
def any_encoder(request: pytest.FixtureRequest, tiny_encoder: Path, tmp_path: Path) -> Path:
    torch.manual_seed(3)
    folder = tmp_path / "encoder"
    if request.param == "roberta":
        return tiny_encoder
    if request.param == "bert":
        model = BertModel(BertConfig(vocab_size=1500, pad_token_id=0, **SHAPE), add_pooling_layer=False)
    else:
        shape = XLMRobertaConfig(vocab_size=1500, max_position_embeddings=514, pad_token_id=1, **SHAPE)
        model = XLMRobertaModel(shape, add_pooling_layer=False)
    model.save_pretrained(folder)
    return folder


def test_pieces_score_as_in_torch(any_encoder: Path, tmp_path: Path) -> None:
    torch.manual_seed(4)
    model = load_token_classifier(any_encoder, LABELS).eval()
    module = PieceGraph(model)
    rows = [torch.randint(4, 1400, (1, length)) for length in (40, 3, 200)]
    write_graph(module, {"ids": rows[0].numpy()}, tmp_path / "pieces.onnx")
    write_small(module, [{"ids": row.numpy()} for row in rows], tmp_path / "small.onnx")
    products = [node.op_type for node in onnx.load(tmp_path / "small.onnx").graph.node if "MatMul" in node.op_type]
    assert products.count("MatMulInteger") == 2 * 6  # queries, keys, values, mixed states, and twice feed-forward
    full, small = WindowGraph(tmp_path / "pieces.onnx"), WindowGraph(tmp_path / "small.onnx")
    for row in rows:
        with torch.inference_mode():
            wanted = torch.log_softmax(model(input_ids=row).logits[0], dim=-1).numpy()
        feed = {"ids": row.numpy()}
        np.testing.assert_allclose(full([feed])[0], wanted, atol=2e-5)
        assert 0 < np.abs(small([feed])[0] - wanted).max() < 0.1
    assert model.config._attn_implementation == "sdpa"


def test_even_channels_change_nothing_in_torch(tiny_encoder: Path) -> None:
    model = load_encoder(tiny_encoder).eval()
    with torch.no_grad():
        model.embeddings.LayerNorm.weight[3] = 40.0  # stands apart
        model.embeddings.LayerNorm.weight[5] = 3.0  # is scaled
    ids = torch.randint(4, 20000, (1, 30))
    with torch.inference_mode():
        before = model(input_ids=ids).last_hidden_state
        with even_channels(model, largest_inputs(model, lambda: model(input_ids=ids))):
            query = model.encoder.layer[0].attention.self.query
            assert isinstance(query, Even)
            assert query.apart.tolist() == [3]
            assert float(query.inverse[3]) == 0 < float(query.inverse[5]) < 0.8
            even = model(input_ids=ids).last_hidden_state
        after = model(input_ids=ids).last_hidden_state
    torch.testing.assert_close(even, before, atol=2e-6, rtol=1e-5)
    assert torch.equal(after, before)


def test_huge_states_cost_the_others_nothing(tiny_encoder: Path, tmp_path: Path) -> None:
    """One neuron of the first layer fires at the first piece, as massive activations do."""
    torch.manual_seed(5)
    model = load_token_classifier(tiny_encoder, LABELS).eval()
    ids = torch.randint(4, 20000, (1, 60))
    layer, seen = model.roberta.encoder.layer[0], []
    with torch.no_grad():
        for each in model.roberta.encoder.layer:  # as large as trained ones
            each.intermediate.dense.weight.mul_(10)
            each.output.dense.weight.mul_(10)
        hook = layer.intermediate.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0][0, 0]))
        model(input_ids=ids)
        hook.remove()
        layer.intermediate.dense.weight[0] = 5 * seen[0]
        layer.intermediate.dense.bias[0] = -100.0
        layer.output.dense.weight[:, 0] = 0.001
        wanted = torch.log_softmax(model(input_ids=ids).logits[0], dim=-1).numpy()
    module, feed = PieceGraph(model), {"ids": ids.numpy()}
    write_graph(module, feed, tmp_path / "plain.onnx")
    quantise(tmp_path / "plain.onnx", tmp_path / "plain8.onnx", module.body)
    write_small(module, [feed], tmp_path / "even8.onnx")
    plain, even = (
        np.abs(WindowGraph(tmp_path / f"{name}.onnx")([feed])[0] - wanted).mean() for name in ("plain8", "even8")
    )
    assert even < 0.5 * plain


def test_tables_are_halved_only_without_loss(tiny_encoder: Path, tmp_path: Path) -> None:
    sizes = []
    for exact in (True, False):
        model = load_token_classifier(tiny_encoder, LABELS).eval()
        with torch.no_grad():
            table = model.roberta.embeddings.word_embeddings.weight
            table.copy_(table.half() if exact else table + 1e-5)
        path = tmp_path / f"{exact}.onnx"
        write_graph(PieceGraph(model), {"ids": np.array([[0, 5, 6, 2]])}, path)
        sizes.append(path.stat().st_size)
        with torch.inference_mode():
            wanted = torch.log_softmax(model(torch.tensor([[0, 9, 2]])).logits[0], dim=-1).numpy()
        np.testing.assert_allclose(WindowGraph(path)([{"ids": np.array([[0, 9, 2]])}])[0], wanted, atol=1e-5)
    assert sizes[1] - sizes[0] == pytest.approx(24000 * 32 * 2, rel=0.01)
