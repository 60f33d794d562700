"""Small labelled articles with invented people, written as marked text: ``[Đại tướng|RANK] [Lê Thử|PERSON]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.data.brat import write_brat
from pipeline.document import Document, Relation, number_mentions

_MARK = re.compile(r"\[([^|\]]+)\|(\w+)\]")

_MEETING = (
    "{place}: hội đàm song phương\n"
    "Ngày [{day}|DATE], [{rank}|RANK] [{host}|PERSON], [Bộ trưởng|ROLE] [Bộ Quốc phòng|ORG], đã tiếp ông"
    " [{guest}|PERSON] tại [{place}|LOCATION].\n"
    "Hai bên đã ký [{paper}|AGREEMENT]. [{state}|COUNTRY] đánh giá cao kết quả này."
)
_MEETING_RELATIONS = ("T3 HAS_RANK T2", "T3 HOLDS_ROLE T4", "T4 ROLE_AT T5", "T3 MEETS T6", "T8 SIGNED_ON T1")
_VISIT = (
    "[{guest}|PERSON] thăm [{state}|COUNTRY].\n"
    "Chiều [{day}|DATE], [{rank}|RANK] [{host}|PERSON] và ông [{guest}|PERSON] đã trao đổi tại [{place}|LOCATION]"
    " về [{paper}|AGREEMENT]; [{host}|PERSON] cảm ơn [Bộ Quốc phòng|ORG] [{state}|COUNTRY]."
)
_VISIT_RELATIONS = ("T5 HAS_RANK T4", "T5 MEETS T6")

# fmt: off
_HOSTS = ("Trần Văn Mẫu", "Lý Thị Thử", "Đỗ Quang Ví", "Phạm Thế Dụ",
          "Ngô Bảo Nháp", "Vũ Đình Tập", "Hồ Kim Giả", "Mai Lê Nghĩ")
_GUESTS = ("James Sample", "Anna Muster", "Ken Tanakamo", "Oliver Testwood",
           "Maria Ejemplo", "Pierre Essai", "Sven Prov", "Ivan Probin")
# fmt: on
_RANKS = ("Đại tướng", "Thượng tướng", "Trung tướng", "Thiếu tướng")
_STATES = ("Việt Nam", "Nhật Bản", "Pháp", "Thái Lan", "Ấn Độ")
_PLACES = ("Hà Nội", "Đà Nẵng", "Hải Phòng", "Huế")
_PAPERS = ("Bản ghi nhớ về hợp tác quốc phòng", "Thỏa thuận về tìm kiếm cứu nạn", "Kế hoạch hợp tác")


def tiny_article(number: int) -> Document:
    """The article of this number (from 0); articles of different numbers pair people and places differently."""
    values = {
        "day": f"{number % 28 + 1}-{number % 12 + 1}-2021",
        "rank": _RANKS[number % 4],
        "host": _HOSTS[number % 8],
        "guest": _GUESTS[(number + number // 8) % 8],
        "state": _STATES[number % 5],
        "place": _PLACES[number % 4],
        "paper": _PAPERS[number % 3],
    }
    if number % 2 == 0:
        return marked(_MEETING.format(**values), _MEETING_RELATIONS, f"tin{number:02}")
    return marked(_VISIT.format(**values), _VISIT_RELATIONS, f"tin{number:02}")


def marked(text: str, relations: Sequence[str] = (), id: str = "tin") -> Document:
    """A document from marked text; its mentions are T1, T2, … in text order.

    Mentions of one type and text are one entity. A relation is written ``T2 HAS_RANK T1``.
    """
    plain, spans, last = "", [], 0
    for match in _MARK.finditer(text):
        plain += text[last : match.start()]
        spans.append((len(plain), len(plain) + len(match[1]), match[2], 1.0))
        plain += match[1]
        last = match.end()
    document = Document(id, plain + text[last:])
    entities: dict[tuple[str, str], str] = {}
    for mention in number_mentions(document.text, spans):
        entity = entities.setdefault((mention.type, mention.text), f"E{len(entities) + 1}")
        document.mentions.append(replace(mention, entity=entity))
    for line in relations:
        head, kind, tail = line.split()
        document.relations.append(Relation(kind, head, tail))
    return document


def write_corpus(documents: Iterable[Document], folder: Path) -> Path:
    """Write ``.txt`` and ``.ann`` of each document."""
    folder.mkdir(parents=True, exist_ok=True)
    for document in documents:
        (folder / f"{document.id}.txt").write_bytes(document.text.encode())
        write_brat(document, folder / f"{document.id}.ann")
    return folder


TINY_PAIRS = (
    ("ACTS_ON", "T5", "T8", "they only talked about it"),  # nearest-pair rules link it through T9, the same person
    ("PARTY_TO", "T2", "T8", "the country is thanked, the paper is nobody's"),  # linked through T11
    ("HAS_RANK", "T6", "T4", "rank of the host"),  # never nearest
)
"""Hard negatives of every tiny article of an odd number."""


def write_negatives(documents: Iterable[Document], folder: Path) -> Path:
    """``write_corpus`` with ``TINY_PAIRS`` beside each article."""
    documents = list(documents)
    for document in documents:
        folder.mkdir(parents=True, exist_ok=True)
        lines = "".join("\t".join(pair) + "\n" for pair in TINY_PAIRS)
        (folder / f"{document.id}.neg").write_bytes(lines.encode())
    return write_corpus(documents, folder)
