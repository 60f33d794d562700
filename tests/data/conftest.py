"""Small labelled articles for the tests of the data stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

WriteArticle = Callable[..., Path]

ARTICLE = """Đối thoại Quốc phòng Việt Nam-Anh tại Hà Nội
Ngày 29/6, Thượng tướng Trần Văn Mẫu, Thứ trưởng Bộ Quốc phòng, đã tiếp ông James Sample.
Hai bên đã ký Bản ghi nhớ về hợp tác quốc phòng. Ông Mẫu cảm ơn Vương quốc Anh.
"""
# Surfaces in text order; the number says which occurrence.
MENTIONS = [
    ("EVENT", "Đối thoại Quốc phòng Việt Nam-Anh", 0),
    ("LOCATION", "Hà Nội", 0),
    ("DATE", "29/6", 0),
    ("RANK", "Thượng tướng", 0),
    ("PERSON", "Trần Văn Mẫu", 0),
    ("ROLE", "Thứ trưởng", 0),
    ("ORG", "Bộ Quốc phòng", 0),
    ("PERSON", "James Sample", 0),
    ("AGREEMENT", "Bản ghi nhớ về hợp tác quốc phòng", 0),
    ("PERSON", "Mẫu", 1),
    ("COUNTRY", "Vương quốc Anh", 0),
]
LINKS = [
    "*\tEquiv T5 T10",
    "R1\tHELD_AT Arg1:T1 Arg2:T2",
    "R2\tHELD_ON Arg1:T1 Arg2:T3",
    "R3\tHAS_RANK Arg1:T5 Arg2:T4",
    "R4\tHOLDS_ROLE Arg1:T5 Arg2:T6",
    "R5\tMEETS Arg1:T5 Arg2:T8",
    "R6\tROLE_AT Arg1:T6 Arg2:T7",
]


def mention_lines(text: str, mentions: list[tuple[str, str, int]]) -> list[str]:
    """``T`` lines for surfaces of a text."""
    lines = []
    for number, (kind, surface, occurrence) in enumerate(mentions, 1):
        start = -1
        for _ in range(occurrence + 1):
            start = text.index(surface, start + 1)
        lines.append(f"T{number}\t{kind} {start} {start + len(surface)}\t{surface}")
    return lines


@pytest.fixture
def write_article(tmp_path: Path) -> WriteArticle:
    """Writes ``<folder>/<name>.txt`` and ``.ann``; without arguments an article in which nothing is wrong."""

    def write(
        name: str = "mau",
        text: str = ARTICLE,
        lines: list[str] | None = None,
        folder: str = "corpus",
    ) -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        (target / f"{name}.txt").write_bytes(text.encode())
        labels = [*mention_lines(ARTICLE, MENTIONS), *LINKS] if lines is None else lines
        (target / f"{name}.ann").write_bytes("".join(f"{line}\n" for line in labels).encode())
        return target

    return write
