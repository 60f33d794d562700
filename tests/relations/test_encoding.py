"""All candidates of a window in one encoder pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_corpus import marked

from pipeline.config import RelationConfig, WindowConfig
from pipeline.document import Document, Mention
from pipeline.relations.candidates import Place, find_candidates, mention_places
from pipeline.relations.encoding import RelationEncoder, _owners
from pipeline.schema import RelationType, Schema
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.words import WordSplitter
from pipeline.windows.windows import context, make_windows

SYLLABLES = WordSplitter(SyllableSegmenter())
SCHEMA = Schema(
    entities={"PER": "", "ORG": ""},
    relations={
        "LEADS": RelationType(head=("PER",), tail=("ORG",)),
        "MEETS": RelationType(head=("PER",), tail=("PER",), symmetric=True),
    },
)
ENCODINGS = ["markers", "levitated", "pooled"]
FAR = RelationConfig(max_sentences=99, max_words=999)
FIRST = 24000


def encode(tokenizer, document, encoding, pieces=256, overlap=96):
    candidates = find_candidates(document, SCHEMA, FAR)
    encoder = RelationEncoder(tokenizer, SCHEMA, encoding, WindowConfig(pieces=pieces, overlap=overlap), FIRST)
    windows, lost = encoder(document, candidates)
    return candidates, windows, lost


def mention_pieces(tokenizer, document: Document, mention: Mention) -> list[int]:
    return tokenizer([w.form for w in document.words if mention.start <= w.start and w.end <= mention.end]).ids


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_short_text_is_one_window(tokenizer, encoding):
    document = SYLLABLES(marked("Ông [Trần Mẫu|PER] [Bộ|ORG] gặp [Tanakamo|PER]."))
    plain = [tokenizer.bos_id, *tokenizer([w.form for w in document.words]).ids, tokenizer.eos_id]
    candidates, (window,), lost = encode(tokenizer, document, encoding)
    assert lost == []
    assert window.candidates == [0, 1, 2]
    assert window.types == [0, 1, 0]
    assert [(window.pairs[i][0], window.pairs[i][1]) for i in range(3)] == [(c.head, c.tail) for c in candidates]
    text = [piece for piece in window.ids if piece < FIRST]
    assert text == plain
    markers = [piece - FIRST for piece in window.ids if piece >= FIRST]
    assert markers == ([] if encoding == "pooled" else [0, 1, 2, 3, 0, 1])


@st.composite
def documents(draw):
    parts = draw(
        st.lists(
            st.sampled_from(
                ["[Mẫu|PER]", "[Trần Mẫu|PER]", "[Tanakamo|PER]", "[Bộ|ORG] [Sở|ORG]", "gặp", "và ông", ".\n"]
            ),
            max_size=25,
        )
    )
    return SYLLABLES(marked(" ".join(parts)))


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=60)
@given(document=documents(), pieces=st.integers(16, 60))
def test_spans_point_to_their_mentions_and_each_candidate_is_in_one_window(tokenizer, encoding, document, pieces):
    candidates, windows, lost = encode(tokenizer, document, encoding, pieces, overlap=pieces // 3)
    given_to = sorted([index for window in windows for index in window.candidates] + lost)
    assert given_to == list(range(len(candidates)))
    for window in windows:
        assert window.text_length <= pieces
        assert window.ids[0] == tokenizer.bos_id
        assert window.ids[window.text_length - 1] == tokenizer.eos_id
        for (head, tail), index in zip(window.pairs, window.candidates, strict=True):
            for slot, mention_index in ((head, candidates[index].head), (tail, candidates[index].tail)):
                mention = document.mentions[mention_index]
                kind = list(SCHEMA.entities).index(mention.type)
                assert window.types[slot] == kind
                start, end = window.spans[slot]
                if encoding == "pooled":
                    found = window.ids[start : end + 1]
                else:
                    assert (window.ids[start], window.ids[end]) == (FIRST + 2 * kind, FIRST + 2 * kind + 1)
                    found = window.ids[start + 1 : end]
                if encoding == "levitated":
                    assert window.text_length <= start == end - 1
                    first, last = window.positions[2 * slot], window.positions[2 * slot + 1]
                    found = window.ids[first : last + 1]
                assert found == mention_pieces(tokenizer, document, mention)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_only_pairs_wider_than_a_window_are_lost(tokenizer, encoding):
    document = SYLLABLES(marked("[A|PER] [B|PER] " + "và " * 30 + "[C|PER]"))
    candidates, windows, lost = encode(tokenizer, document, encoding, pieces=24, overlap=8)
    assert {(candidates[i].head, candidates[i].tail) for i in lost} == {(0, 2), (1, 2)}
    assert [window.candidates for window in windows] == [[0]]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_pair_goes_to_the_window_with_the_most_context(tokenizer, encoding):
    text = "và " * 20 + "[A|PER] gặp [B|PER] " + "và " * 20
    document = SYLLABLES(marked(text))
    _, (window,), _ = encode(tokenizer, document, encoding, pieces=26, overlap=20)
    begin = window.positions[0] if encoding == "levitated" else window.spans[0][0]
    end = window.positions[3] if encoding == "levitated" else window.spans[1][1]
    assert min(begin, window.text_length - end) >= 6


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_mentions_that_share_a_word_both_point_to_it(tokenizer, encoding):
    document = SYLLABLES(
        marked("Ông [Trần|PER] và [An|PER][Bi|ORG] gặp")
    )  # hand-given mentions need not be whole words
    places = mention_places(document)
    assert (places[1].first, places[1].last) == (places[2].first, places[2].last)
    _, (window,), lost = encode(tokenizer, document, encoding)
    assert lost == []
    shared = tokenizer(["AnBi"]).ids
    for slot, kind in ((1, 0), (2, 1)):
        start, end = window.positions[2 * slot : 2 * slot + 2] if encoding == "levitated" else window.spans[slot]
        if encoding == "markers":
            assert (window.ids[start], window.ids[end]) == (FIRST + 2 * kind, FIRST + 2 * kind + 1)
        assert [piece for piece in window.ids[start : end + 1] if piece < FIRST] == shared


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_word_longer_than_a_window_breaks_nothing(tokenizer, encoding):
    document = SYLLABLES(marked(f"[A|PER] [{'國' * 90}|PER] [B|PER]"))
    _, windows, lost = encode(tokenizer, document, encoding, pieces=16, overlap=4)
    assert sorted(lost) == [0, 1, 2]
    assert windows == []


@given(st.data())
def test_each_candidate_goes_where_its_context_is_widest(data):
    words = data.draw(st.integers(1, 40))
    windows = make_windows([1] * words, data.draw(st.integers(4, 12)), data.draw(st.integers(0, 3)))
    starts = sorted(data.draw(st.lists(st.integers(0, words - 1), min_size=2, max_size=6)))
    places = [Place(start, min(start + 1 + start % 2, words), 0) for start in starts]
    heads, tails = (axis.ravel() for axis in np.indices((len(places), len(places))))
    for head, tail, owner in zip(heads, tails, _owners(windows, words, places, heads, tails), strict=True):
        ends = places[head], places[tail]
        first, last = min(place.first for place in ends), max(place.last for place in ends)
        holding = [number for number, w in enumerate(windows) if w.first <= first and last <= w.last]
        rooms = [context(windows[number], words, first, last) for number in holding]
        assert owner == (holding[rooms.index(max(rooms))] if holding else -1)


def test_no_candidates_no_windows(tokenizer):
    document = SYLLABLES(marked("[A|ORG] [B|ORG]"))
    candidates, windows, lost = encode(tokenizer, document, "markers")
    assert (len(candidates), windows, lost) == (0, [], [])
