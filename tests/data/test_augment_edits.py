"""Text changes move every mention with its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import marked

from pipeline.data.augment.edits import Edit, apply_edits, replace_mentions, stretches

ARTICLE = "Ngày [5-6|DATE], [Đại tướng|RANK] [Lê Thử|PERSON] tiếp [Lê Thử|PERSON]-[Anh|COUNTRY].\nHết."


@given(st.data())
def test_whatever_is_replaced_mentions_keep_their_text_and_the_rest_its_order(data):
    document = marked(ARTICLE, ["T3 HAS_RANK T2"])
    pieces = stretches(document, 0, len(document.text))
    new = {piece: data.draw(st.text("abđ ", min_size=1, max_size=9)) for piece in pieces if data.draw(st.booleans())}
    inside = {(m.start, m.end) for m in document.mentions}
    new = {piece: f"x{text}x" if piece in inside else text for piece, text in new.items()}
    changed = apply_edits(document, [Edit(*piece, text) for piece, text in new.items()])
    assert changed.text == "".join(new.get(piece, document.text[slice(*piece)]) for piece in pieces)
    for before, after in zip(document.mentions, changed.mentions, strict=True):
        assert changed.text[after.start : after.end] == after.text
        assert after.text == new.get((before.start, before.end), before.text)
        assert (after.id, after.type, after.entity) == (before.id, before.type, before.entity)
    assert changed.relations == document.relations
    assert document == marked(ARTICLE, ["T3 HAS_RANK T2"])


def test_part_of_a_mention_may_change():
    document = marked("Thăm [Bộ Quốc phòng Úc|ORG] và [Úc|COUNTRY].")
    start = document.text.index("Úc")
    changed = apply_edits(document, [Edit(start, start + 2, "Na Uy")])
    assert [mention.text for mention in changed.mentions] == ["Bộ Quốc phòng Na Uy", "Úc"]
    assert changed.text == "Thăm Bộ Quốc phòng Na Uy và Úc."


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (Edit(0, 5, "Hôm"), None),
        (Edit(5, 9, "6-7-8"), "crosses the edge"),
        (Edit(3, 7, "x"), "crosses the edge"),
        (Edit(4, 4, "x"), "empty"),
        (Edit(5, 8, " "), "would be"),
        (Edit(5, 8, "6 "), "would be"),
        (Edit(40, 4000, "x"), "leaves the text"),
    ],
)
def test_edits_that_would_break_labels_are_refused(edit, complaint):
    document = marked(ARTICLE)
    if complaint is None:
        assert apply_edits(document, [edit]).text.startswith("Hôm5-6")
    else:
        with pytest.raises(ValueError, match=complaint):
            apply_edits(document, [edit])


def test_overlapping_edits_are_refused():
    with pytest.raises(ValueError, match="overlaps"):
        apply_edits(marked(ARTICLE), [Edit(0, 3, "x"), Edit(2, 4, "y")])


def test_an_entity_is_named_by_its_longest_mention():
    from pipeline.data.brat import link_mentions

    document = marked("[Anh|COUNTRY] và [Vương quốc Anh|COUNTRY]")
    document.mentions, document.entities = link_mentions(document.mentions, [("T1", "T2")])
    changed = replace_mentions(document, {"T1": "Nga", "T2": "Liên bang Nga"})
    assert [(entity.name, entity.mentions) for entity in changed.entities] == [("Liên bang Nga", ("T1", "T2"))]
    assert document.entities[0].name == "Vương quốc Anh"
