from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.overlap import masked_words, overlaps, own_words, plain_words, shingles
from pipeline.document import Document, Mention

TEXT = "Ông Trần Mẫu thăm đơn vị công binh ở thị xã rồi về Hà Nội trong ngày."
WORDS = st.lists(st.sampled_from(["an", "binh", "chi", "dung", "em", "gia", "hoa", "kim", "lan"]), max_size=40)


def document(text: str, *mentions: tuple[str, str]) -> Document:
    spans = [(text.index(surface), surface, kind) for kind, surface in mentions]
    found = [Mention(f"T{n}", start, start + len(s), kind, s) for n, (start, s, kind) in enumerate(spans, 1)]
    return Document("bai", text, mentions=found)


def test_spelling_variants_of_one_wording_are_equal():
    assert plain_words("Hòa bình, Uỷ ban") == plain_words("HOÀ BÌNH – ỦY BAN")


def test_mentions_are_masked_by_their_type():
    labelled = document(TEXT, ("LOCATION", "Hà Nội"), ("PERSON", "Trần Mẫu"))
    words = masked_words(labelled)
    assert words[:3] == ["ông", "<PERSON>", "thăm"]
    assert words[-4:] == ["về", "<LOCATION>", "trong", "ngày"]
    assert own_words(words) == len(words) - 2


def test_a_part_of_a_document_is_masked_alone():
    labelled = document(TEXT, ("LOCATION", "Hà Nội"), ("PERSON", "Trần Mẫu"))
    assert masked_words(labelled, TEXT.index("rồi")) == ["rồi", "về", "<LOCATION>", "trong", "ngày"]
    assert masked_words(labelled, 0, TEXT.index(" thăm")) == ["ông", "<PERSON>"]


def test_other_names_leave_only_the_masked_shingles_equal():
    first = document(TEXT, ("LOCATION", "Hà Nội"), ("PERSON", "Trần Mẫu"))
    second = document(TEXT.replace("Trần Mẫu", "Lê Ví"), ("LOCATION", "Hà Nội"), ("PERSON", "Lê Ví"))
    assert shingles(first, masked=True) == shingles(second, masked=True)
    assert shingles(first) != shingles(second)


def test_shingles_of_hardly_more_than_names_are_left_out():
    names = ["Mẫu Một", "Mẫu Hai", "Mẫu Ba", "Mẫu Bốn", "Mẫu Năm", "Mẫu Sáu", "Mẫu Bảy"]
    roll = "Dự có " + ", ".join(names)
    assert shingles(document(roll, *(("PERSON", name) for name in names)), masked=True) == frozenset()
    assert shingles(document(roll)) != frozenset()


def test_the_pair_that_shares_most_comes_first():
    one, two, three = (frozenset(letters) for letters in ("abcd", "abxy", "abcz"))
    found = overlaps([one, two, three, frozenset("q"), frozenset()])
    assert [(overlap.first, overlap.second, overlap.share) for overlap in found] == [
        (0, 2, 0.75),
        (0, 1, 0.5),
        (1, 2, 0.5),
    ]


@pytest.mark.parametrize("copies", [51, 200])
def test_copies_are_no_boilerplate_however_many(copies):
    words = [f"từ{number}" for number in range(30)]
    near, other = " ".join([*words[:25], "khác"]), " ".join(words[::-1])
    articles = [shingles(document(text)) for text in [near, *[" ".join(words)] * copies, other]]
    found = overlaps(articles)
    shares = {(overlap.first, overlap.second): overlap.share for overlap in found}
    assert len(shares) == len(found)
    assert all(shares[0, number] > 0.9 for number in range(1, copies + 1))
    assert all(shares[1, number] == 1 for number in range(2, copies + 1))
    assert not any(copies + 1 in pair for pair in shares)


def test_what_many_different_articles_say_is_boilerplate():
    footer = "bản quyền thuộc về báo mẫu ghi rõ nguồn khi phát hành lại"
    articles = [shingles(document(f"{footer} {number}")) for number in range(51)]
    assert overlaps(articles[:50])
    assert overlaps(articles) == []


def test_short_texts_match_when_they_are_equal():
    texts = ["Trang không có.", "Bài đã gỡ.", "trang không có", "", "", "Trang không có ở đây nữa, mời xem bài khác."]
    found = overlaps([shingles(document(text)) for text in texts])
    assert [(overlap.first, overlap.second, overlap.share) for overlap in found] == [(0, 2, 1.0)]
    assert shingles(document("Ông Mẫu thăm Huế"), masked=True) == frozenset()


@given(WORDS, WORDS)
def test_the_share_is_that_of_the_shorter_article(first, second):
    articles = [shingles(document(" ".join(words))) for words in (first, second, first)]
    shares = {(overlap.first, overlap.second): overlap.share for overlap in overlaps(articles)}
    assert all(0 < share <= 1 for share in shares.values())
    assert shares.get((0, 2), 0) == (1 if first else 0)
    union = len(articles[0] | articles[1]) or 1
    assert shares.get((0, 1), 0) >= len(articles[0] & articles[1]) / union
