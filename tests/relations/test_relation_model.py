"""The pair classifier: weights that survive their files, predictions that stand alone."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_corpus import tiny_article

from pipeline.config import RelationConfig, WindowConfig
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.relations.candidates import FEATURE_SIZES
from pipeline.relations.classifier import RelationClassifier
from pipeline.relations.model import (
    PairHead,
    RelationModel,
    _means,
    build_model,
    load_relation_model,
    save_relation_model,
)
from pipeline.relations.torch_engine import load_torch_classifier

CPU = torch.device("cpu")


def batch(pairs: int = 3) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        "input_ids": torch.tensor([[0, 50, 60, 24001, 2], [0, 70, 24000, 2, 1]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]),
        "pair_window": torch.tensor([0, 0, 1][:pairs]),
        "pair_ends": torch.randint(0, 4, (pairs, 4), generator=generator),
        "pair_between": torch.tensor([[1, 3], [2, 2], [0, 4]][:pairs]),
        "pair_types": torch.tensor([[0, 1], [1, 1], [0, 0]][:pairs]),
        "pair_features": torch.zeros(pairs, len(FEATURE_SIZES), dtype=torch.long),
    }


def halved(model):
    """The model with its weights as fp16 holds them."""
    model.load_state_dict({name: weights.half().float() for name, weights in model.state_dict().items()})
    return model.eval()


def test_a_saved_model_gives_the_same_scores(tiny_encoder, tmp_path):
    model, first_marker = build_model(tiny_encoder, types=2, relations=4, dropout=0.0)
    halved(model)
    save_relation_model(model, tmp_path / "m")
    loaded, loaded_marker = load_relation_model(tmp_path / "m", types=2, relations=4)
    assert first_marker == loaded_marker == 24000
    with torch.inference_mode():
        scores, same = model(**batch())["logits"], loaded.eval()(**batch())["logits"]
    assert scores.shape == (3, 4)
    assert torch.equal(scores, same)
    assert {path.suffix for path in (tmp_path / "m").iterdir()} == {".json", ".safetensors"}


def test_a_model_from_before_features_and_evidence_were_added_still_works(tiny_encoder, tmp_path):
    body, first_marker = build_model(tiny_encoder, types=2, relations=4, dropout=0.0)
    head = PairHead(32, 2, 4, dropout=0.0, features=6, evidence=False)
    model = halved(RelationModel(body.encoder, head))
    save_relation_model(model, tmp_path / "m")
    loaded, marker = load_relation_model(tmp_path / "m", types=2, relations=4)
    assert marker == first_marker
    with torch.inference_mode():
        assert torch.equal(model(**batch())["logits"], loaded.eval()(**batch())["logits"])


def test_evidence_is_looked_for_in_the_own_window_and_never_in_padding(tiny_encoder):
    model, _ = build_model(tiny_encoder, types=2, relations=4, dropout=0.0)
    states, inputs = torch.randn(2, 5, 32), batch()
    text = inputs["attention_mask"].bool()
    window = inputs["pair_window"]
    pairs = torch.randn(3, 256)
    with torch.inference_mode():
        before = model.head.evidence(pairs, states, text, window)
        states[1, 4] += 9.0  # padding
        assert torch.equal(model.head.evidence(pairs, states, text, window), before)
        states[1, 2] += 9.0
        after = model.head.evidence(pairs, states, text, window)
    assert torch.equal(after[:2], before[:2])
    assert not torch.allclose(after[2], before[2])


def test_the_text_between_is_the_mean_of_its_states():
    states = torch.tensor([[[1.0], [2.0], [4.0]], [[8.0], [16.0], [32.0]]])
    ranges = torch.tensor([[1, 3], [0, 2], [2, 2]])
    assert _means(states, torch.tensor([0, 1, 1]), ranges).flatten().tolist() == [3.0, 12.0, 0.0]


def test_the_loss_counts_only_what_was_asked(tiny_encoder):
    model, _ = build_model(tiny_encoder, types=2, relations=2, dropout=0.0)
    model.eval()
    asked = torch.tensor([[1, -100], [0, -100], [-100, -100]])
    with torch.inference_mode():
        result = model(labels=asked, **batch())
        logits = result["logits"][:2, 0]
        expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor([1.0, 0.0]))
        nothing = model(labels=torch.full((3, 2), -100), **batch())["loss"]
    assert result["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert nothing.item() == 0.0


@pytest.mark.parametrize(("types", "relations"), [(2, 5), (3, 4)])
def test_a_model_of_another_schema_is_refused(tiny_encoder, tmp_path, types, relations):
    model, _ = build_model(tiny_encoder, types=2, relations=4, dropout=0.0)
    save_relation_model(model, tmp_path)
    with pytest.raises(QuanheError, match=r"pair_head\.safetensors: cannot be read or fits another schema"):
        load_relation_model(tmp_path, types, relations)


@pytest.mark.parametrize("damage", ["missing", "cut off", "other names"])
def test_a_damaged_head_is_refused(tiny_encoder, tmp_path, damage):
    model, _ = build_model(tiny_encoder, types=2, relations=4, dropout=0.0)
    save_relation_model(model, tmp_path)
    head = tmp_path / "pair_head.safetensors"
    if damage == "missing":
        head.unlink()
    elif damage == "cut off":
        head.write_bytes(head.read_bytes()[:100])
    else:
        save_file({"x": torch.zeros(1)}, head)
    with pytest.raises(QuanheError, match=r"pair_head\.safetensors"):
        load_relation_model(tmp_path, 2, 4)


@pytest.fixture
def classifier(tiny_model, schema):
    config = RelationConfig(max_sentences=2)
    return load_torch_classifier(tiny_model / "relations", schema, config, WindowConfig(), CPU)


def read(classifier, documents: list[Document]):
    return [[(r.type, r.head, r.tail) for r in relations] for relations in classifier.predict(documents)]


def test_predictions_depend_on_no_other_document(classifier, splitter):
    documents = [splitter(tiny_article(number)) for number in range(10, 16)] + [
        splitter(Document("bare", "Không có gì"))
    ]
    alone = [read(classifier, [document])[0] for document in documents]
    assert sum(map(len, alone)) > 5
    assert read(classifier, documents) == alone
    assert read(classifier, documents[::-1])[::-1] == alone


def test_relations_join_what_the_schema_allows_above_the_threshold(classifier, splitter, schema):
    documents = [splitter(tiny_article(number)) for number in (12, 13)]
    for document, relations in zip(documents, classifier.predict(documents), strict=True):
        assert relations
        for relation in relations:
            head, tail = document.mention(relation.head), document.mention(relation.tail)
            assert relation.type in schema.relations_between(head.type, tail.type)
            assert 0.5 <= relation.score <= 1


def test_a_higher_threshold_leaves_the_surer_ones(tiny_model, classifier, schema, splitter):
    documents = [splitter(tiny_article(number)) for number in range(10, 16)]
    everything = [(i, r) for i, relations in enumerate(classifier.predict(documents)) for r in relations]
    cut = sorted(relation.score for _, relation in everything)[len(everything) // 2]
    strict = load_torch_classifier(
        tiny_model / "relations", schema, RelationConfig(max_sentences=2, threshold=cut), WindowConfig(), CPU
    )
    left = [(i, r) for i, relations in enumerate(strict.predict(documents)) for r in relations]
    assert left == [(i, r) for i, r in everything if r.score >= cut]
    assert 0 < len(left) < len(everything)


class _Opinion:
    """A linear classifier that holds some pairs for impossible, and counts those that are looked at."""

    def __init__(self, scorer):
        self.scorer, self.first_marker, self.pairs = scorer, scorer.first_marker, 0

    def logits(self, document, candidates):
        sizes = (len(candidates), len(self.scorer.model.head.out.bias))
        return np.where(candidates.heads[:, None] % 2, np.full(sizes, -50.0), 0.0).astype(np.float32)

    def __call__(self, windows):
        self.pairs += sum(len(window.pairs) for window, _ in windows)
        return self.scorer(windows)


def test_pairs_without_hope_are_not_looked_at(tiny_model, classifier, schema, splitter):
    opinion = _Opinion(classifier.scorer)
    config = RelationConfig(max_sentences=2, blend=0.5)
    mixed = RelationClassifier(opinion, classifier.tokenizer, schema, config, WindowConfig(), linear=opinion)
    documents = [splitter(tiny_article(number)) for number in range(10, 16)]
    everything = mixed.score(documents)
    looked_at, opinion.pairs = opinion.pairs, 0
    found = mixed.predict(documents)
    assert 0 < opinion.pairs < looked_at
    assert sum(map(len, found)) > 5
    for relations, scored in zip(found, everything, strict=True):
        expected = mixed.select(scored)
        assert [(r.type, r.head, r.tail) for r in relations] == [(r.type, r.head, r.tail) for r in expected]
        assert [r.score for r in relations] == pytest.approx([r.score for r in expected], abs=1e-4)


def test_what_is_out_of_reach_is_counted(classifier, splitter):
    document = splitter(tiny_article(12))
    assert classifier.out_of_reach(document) == (0, 0)
    far = tiny_article(12)
    signed = next(relation for relation in far.relations if relation.type == "SIGNED_ON")
    near = RelationClassifier(
        classifier.scorer,
        classifier.tokenizer,
        classifier.schema,
        RelationConfig(max_sentences=0),
        WindowConfig(),
    )
    assert far.mention(signed.tail).start < far.mention(signed.head).start
    assert near.out_of_reach(splitter(far)) == (1, 0)
    narrow = RelationClassifier(
        classifier.scorer,
        classifier.tokenizer,
        classifier.schema,
        RelationConfig(max_sentences=2),
        WindowConfig(pieces=16, overlap=8),
    )
    lost_far, lost_outside = narrow.out_of_reach(splitter(far))
    assert lost_far == 0
    assert lost_outside >= 1


def test_a_folder_without_weights_is_refused(tiny_model, tmp_path, schema):
    shutil.copytree(tiny_model / "relations", tmp_path / "r")
    (tmp_path / "r" / "model.safetensors").unlink()
    with pytest.raises(QuanheError, match="weights cannot be read"):
        load_torch_classifier(tmp_path / "r", schema, RelationConfig(), WindowConfig(), CPU)
