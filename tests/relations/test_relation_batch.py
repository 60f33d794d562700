"""Windows with candidates as tensors."""

from __future__ import annotations

import pytest
import torch
from tiny_corpus import marked

from pipeline.config import RelationConfig, WindowConfig
from pipeline.encoders import load_encoder
from pipeline.relations.batch import collate
from pipeline.relations.candidates import FEATURE_SIZES, find_candidates
from pipeline.relations.encoding import RelationEncoder
from pipeline.relations.rows import window_row
from pipeline.schema import RelationType, Schema
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.words import WordSplitter

SYLLABLES = WordSplitter(SyllableSegmenter())
SCHEMA = Schema(
    entities={"PER": "", "ORG": ""},
    relations={"LEADS": RelationType(head=("PER",), tail=("ORG",)), "X": RelationType(head=("ORG",), tail=("PER",))},
)
TEXTS = [
    "Ông [Trần Mẫu|PER] dẫn đoàn [Bộ|ORG] đến.",
    "[Bộ|ORG], [Tanakamo|PER] và [Sở|ORG] họp tại Huế hôm nay rất lâu.",
]
FIRST = 24000


def rows(tokenizer, encoding: str, labelled: bool = False):
    encoder = RelationEncoder(tokenizer, SCHEMA, encoding, WindowConfig(), FIRST)
    result = []
    for text in TEXTS:
        document = SYLLABLES(marked(text))
        candidates = find_candidates(document, SCHEMA, RelationConfig())
        (window,), _ = encoder(document, candidates)
        labels = [[1, -100]] * len(candidates) if labelled else None
        result.append(window_row(window, candidates, labels))
    return result


@pytest.fixture(scope="module")
def encoder(tiny_encoder):
    torch.manual_seed(5)
    model = load_encoder(tiny_encoder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).eval()
    model.resize_token_embeddings(FIRST + 4, mean_resizing=False)
    return model


@pytest.mark.parametrize("encoding", ["markers", "levitated", "pooled"])
def test_pairs_of_all_windows_are_numbered_through(tokenizer, encoding):
    batch = collate(rows(tokenizer, encoding, labelled=True), tokenizer.pad_id)
    assert batch["pair_window"].tolist() == [0, 0, 1, 1, 1, 1]
    assert batch["pair_ends"].shape == (6, 4)
    assert batch["pair_types"].tolist() == [[0, 1], [1, 0], [1, 0], [0, 1], [0, 1], [1, 0]]
    assert batch["pair_features"].shape == (6, len(FEATURE_SIZES))
    assert batch["labels"].tolist() == [[1, -100]] * 6
    assert batch["input_ids"].shape[0] == 2
    assert ("position_ids" in batch) == (encoding == "levitated")


@pytest.mark.parametrize("encoding", ["markers", "levitated", "pooled"])
def test_the_text_between_two_mentions(tokenizer, encoding):
    expected = [tokenizer(words).ids for words in (["dẫn", "đoàn"], [","], ["và"])]
    found = []
    for row in rows(tokenizer, encoding):
        found += [row["input_ids"][start:end] for start, end in row["between"]]
    assert [found[0], found[1]] == [expected[0]] * 2  # both directions
    assert expected[1] in found
    assert expected[2] in found


def test_padding_is_masked(tokenizer):
    batch = collate(rows(tokenizer, "pooled"), tokenizer.pad_id)
    assert torch.equal(batch["attention_mask"], (batch["input_ids"] != tokenizer.pad_id).long())
    assert batch["attention_mask"][0].sum() < batch["attention_mask"][1].sum()


def test_levitated_markers_see_the_text_and_their_partner_only(tokenizer):
    items = rows(tokenizer, "levitated")
    allowed = collate(items, tokenizer.pad_id)["attention_mask"]
    for index, row in enumerate(items):
        text, total = row["text_length"], len(row["input_ids"])
        mask = allowed[index, 0]
        assert mask[:total, :text].all()
        assert not mask[:text, text:].any()
        assert not mask[:, total:].any()
        for marker in range(text, total):
            partner = text + ((marker - text) ^ 1)
            assert mask[marker, text:total].nonzero().flatten().add(text).tolist() == sorted({marker, partner})
        assert mask.any(dim=1).all()  # padding too sees something, else its softmax is not a number


def test_levitated_markers_take_the_positions_of_their_spans(tokenizer):
    items = rows(tokenizer, "levitated")
    batch = collate(items, tokenizer.pad_id)
    for index, row in enumerate(items):
        text = row["text_length"]
        places = batch["position_ids"][index]
        assert places[:text].tolist() == list(range(2, text + 2))
        assert (places[text : len(row["input_ids"])] - 2).tolist() == row["positions"]


def test_the_text_reads_as_if_there_were_no_levitated_markers(tokenizer, encoder):
    items = rows(tokenizer, "levitated")
    with_markers = collate(items, tokenizer.pad_id)
    without = collate(rows(tokenizer, "pooled"), tokenizer.pad_id)
    with torch.inference_mode():
        states, plain = (
            encoder(
                **{name: batch[name] for name in ("input_ids", "attention_mask", "position_ids") if name in batch}
            ).last_hidden_state
            for batch in (with_markers, without)
        )
    assert torch.isfinite(states).all()
    for index, row in enumerate(items):
        text = row["text_length"]
        torch.testing.assert_close(states[index, :text], plain[index, :text], atol=1e-5, rtol=1e-4)
        assert not torch.allclose(states[index, text], plain[index, 0], atol=1e-3)
