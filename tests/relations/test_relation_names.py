"""Which mentions look like one thing, and whose name stands in whose."""

from __future__ import annotations

import numpy as np

from pipeline.document import Mention
from pipeline.relations.names import Names
from pipeline.schema import Schema

SCHEMA = Schema(
    entities=dict.fromkeys(("COUNTRY", "PERSON", "ORG", "LOCATION", "EVENT", "AGREEMENT"), ""),
    linking={"COUNTRY": "country", "PERSON": "person"},
)


def names_of(*mentions: tuple[str, str]) -> Names:
    found = [Mention(f"T{i}", 0, len(text), kind, text) for i, (kind, text) in enumerate(mentions)]
    return Names(found, SCHEMA)


def test_mentions_of_one_name_have_one_number() -> None:
    names = names_of(
        ("COUNTRY", "Việt Nam"),
        ("COUNTRY", "Việt"),
        ("PERSON", "Trần Văn Mẫu"),
        ("ORG", "Bộ Mẫu"),
        ("PERSON", "Mẫu"),
        ("ORG", "BỘ MẪU"),
        ("PERSON", "Trần"),
        ("PERSON", "Anna Muster"),
        ("LOCATION", "Việt Nam"),
        ("PERSON", "Muster"),
    )
    assert names.groups == [0, 0, 2, 3, 2, 3, 2, 7, 8, 7]


def test_countries_and_organisations_stand_in_titles() -> None:
    names = names_of(
        ("COUNTRY", "Vương quốc Anh"),
        ("EVENT", "Đối thoại Việt Nam - Anh lần thứ 2"),
        ("COUNTRY", "Pháp"),
        ("ORG", "Bộ Mẫu"),
        ("AGREEMENT", "Bản ghi nhớ giữa Bộ Mẫu và Hội Thử"),
    )
    pairs = np.array([(0, 1), (1, 0), (3, 4), (2, 1), (3, 3)])
    assert names.share(*pairs.T).tolist() == [True, True, True, False, False]
