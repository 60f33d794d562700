"""Articles that are hard on formats, all invented."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from pipeline.document import Document, Relation
from pipeline.interchange.articles import Span, build_document

# Letters, what parts lines, what is not seen, what is more than one UTF-16 unit, and what formats give a meaning to.
ALPHABET = "aàĐệ Lb_.,-\n\r\t\u200b\u0301\u2028\u0085\ufeff\U0001f600<&\"'\\{}#*|"
TYPES = ("PERSON", "RANK", "Quân hàm")
RELATIONS = ("HAS_RANK", "gặp gỡ")


def article(
    id: str, text: str, spans: Sequence[Span], relations: Sequence[Relation] = (), fields: dict | None = None
) -> Document:
    return build_document(id, text, spans, relations, fields)[0]


@st.composite
def articles(draw: Callable, types: Sequence[str] = TYPES[:2], relations: Sequence[str] = RELATIONS[:1]) -> Document:
    """Any text with any spans, links within a type, and relations."""
    text = draw(st.text(ALPHABET, min_size=1, max_size=40))
    spans = []
    for number in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, min(len(text), start + 8)))
        kind = draw(st.sampled_from(types))
        entity = draw(st.sampled_from(["", f"{kind} 1", f"{kind} 2"]))
        spans.append(Span(str(number), start, end, kind, entity=entity))
    found = []
    if spans:
        keys = st.sampled_from([span.key for span in spans])
        for _ in range(draw(st.integers(0, 5))):
            found.append(Relation(draw(st.sampled_from(relations)), draw(keys), draw(keys)))
    return article("bài-1", text, spans, found)


def hard_articles() -> list[Document]:
    """CRLF, astral characters and markup, overlapping spans and two relations of one pair, NFD, nothing to find."""
    crlf = "Hà Nội\r\nĐại tướng Lê Thử thăm Anh.\r\nÔng Thử về."
    astral = '\U0001f600 Lê Thử \U0001f600\U0001f600 gặp <b>Anh</b> & "Mẫu"'
    nfd = "Đa\u0323i tươ\u0301ng\u200b Lê\u2028Thử"
    both = "Bộ Quốc phòng Anh họp"
    return [
        article(
            "crlf",
            crlf,
            [
                Span("a", 0, 6, "LOCATION"),
                Span("b", 8, 17, "RANK", 0.9),
                Span("c", 18, 24, "PERSON", 0.8, "x"),
                Span("d", crlf.rindex("Thử"), crlf.rindex("Thử") + 3, "PERSON", 0.75, "x"),
            ],
            [Relation("HAS_RANK", "c", "b", 0.5)],
            {"url": "tin/1", "number": 3},
        ),
        article(
            "astral",
            astral,
            [Span(s, astral.index(s), astral.index(s) + len(s), "PERSON") for s in ("Lê Thử", "Anh", "Mẫu")],
            [Relation("MEETS", "Lê Thử", "Mẫu")],
        ),
        article(
            "overlap",
            both,
            [Span("a", 0, 17, "ORG"), Span("b", 14, 17, "COUNTRY"), Span("c", 0, 17, "EVENT")],
            [Relation("PARTICIPATES_IN", "b", "c"), Relation("HELD_AT", "c", "b"), Relation("HOSTS", "b", "c")],
        ),
        article("nfd", nfd, [Span("a", 0, 11, "RANK"), Span("b", nfd.index("Lê"), len(nfd), "PERSON")]),
        article("nothing", "Không có gì.", []),
    ]
