from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.document import Document
from pipeline.facts import link_entities
from pipeline.schema import Schema

Clusters = Callable[..., list[list[int]]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Liên hợp quốc", "LHQ"),
        ("Liên Hiệp quốc", "Liên Hợp Quốc"),
        ("QĐND Việt Nam", "quân đội nhân dân Việt Nam"),
        ("Quân đội Việt Nam", "Quân đội nhân dân Việt Nam"),
        ("Hải quân Anh", "Hải quân Hoàng gia Anh"),
        ("HĐBA LHQ", "Hội đồng Bảo an Liên hợp quốc"),
        ("HĐBA", "Hội đồng Bảo an Liên hợp quốc"),
        ("Bộ Quân đội Pháp", "Bộ Quân đội Cộng hòa Pháp"),
        ("Quân giải phóng nhân dân Trung Quốc", "Quân đội Trung Quốc"),
        ("Hạ viện", "Hạ viện Séc"),
        ("Trung tâm Hành động Bom mìn", "TTHĐBM"),
        ("BQP Lào", "Bộ Quốc phòng Lào"),
        ("Bộ Quốc phòng Malaisia", "Bộ quốc phòng Malaisia"),
    ],
)
def test_names_of_one_organisation(clusters: Clusters, first: str, second: str) -> None:
    assert clusters(f"[{first}|ORG] và sau đó [{second}|ORG] cho biết") == [[1, 2]]
    assert clusters(f"[{second}|ORG] và sau đó [{first}|ORG] cho biết") == [[1, 2]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Bộ Quốc phòng Anh", "Bộ Quốc phòng Lào"),
        ("Học viện Quốc phòng", "Học viện Quân y"),
        ("Hải quân Anh", "Không quân Anh"),
        ("Hội đồng Bảo an", "Hội đồng Nhân quyền"),
    ],
)
def test_different_organisations(clusters: Clusters, first: str, second: str) -> None:
    assert clusters(f"[{first}|ORG] và sau đó [{second}|ORG] cho biết") == [[1], [2]]


def test_bare_ministry_is_vietnams_when_the_article_speaks_of_vietnam(clusters: Clusters) -> None:
    assert clusters("[Việt Nam|COUNTRY]: [Bộ Quốc phòng|ORG] tiếp [Bộ Quốc phòng Anh|ORG]", "ORG") == [[2], [3]]
    vietnams = "[Việt Nam|COUNTRY]: [Bộ Quốc phòng Việt Nam|ORG], [Bộ Quốc phòng Anh|ORG]. [Bộ Quốc phòng|ORG] cho biết"
    assert clusters(vietnams, "ORG") == [[2, 4], [3]]
    assert clusters("[Mỹ|COUNTRY]: [Bộ Quốc phòng Mỹ|ORG] nói. [Bộ Quốc phòng|ORG] đáp.", "ORG") == [[2, 3]]


def test_ministries_of_both_countries_are_an_entity_of_their_own(clusters: Clusters) -> None:
    text = (
        "[Việt Nam|COUNTRY]: [Bộ Quốc phòng Việt Nam|ORG] họp. Hai [Bộ Quốc phòng|ORG] ký. "
        "Lãnh đạo [Bộ Quốc phòng|ORG] hai nước mừng. [Bộ Quốc phòng|ORG] [Việt Nam|COUNTRY] - [Lào|COUNTRY] hợp tác."
    )
    assert clusters(text, "ORG") == [[2], [3, 4, 5]]


def test_country_after_of_or_at_the_end_of_a_list(clusters: Clusters) -> None:
    assert clusters("[Bộ Quốc phòng|ORG] của [Anh|COUNTRY]. [Bộ Quốc phòng Anh|ORG]", "ORG") == [[1, 3]]
    shared = (
        "[Việt Nam|COUNTRY] cảm ơn [Quốc hội|ORG], [Chính phủ|ORG] và nhân dân [Lào|COUNTRY]. [Chính phủ Lào|ORG] đáp."
    )
    assert clusters(shared, "ORG") == [[2], [3, 5]]


def test_abbreviation_defined_in_brackets(clusters: Clusters) -> None:
    assert clusters("[Quỹ Hòa bình Mê Công|ORG] ([MPF|ORG]) họp. [MPF|ORG] ký.") == [[1, 2, 3]]
    assert clusters("[ASEAN|ORG] ([Hà Nội|LOCATION]), [EU|ORG]", "ORG") == [[1], [3]]


def test_newspaper_is_not_the_army_it_is_named_after(clusters: Clusters) -> None:
    text = "[Quân đội nhân dân Việt Nam|ORG] diễu binh. Ảnh: [Quân đội nhân dân|ORG]"
    assert clusters(text) == [[1], [2]]


def test_a_year_before_a_ministry_is_no_number_of_ministries(clusters: Clusters) -> None:
    assert clusters("[Bộ Quốc phòng|ORG] họp. Năm [2019|DATE] [Bộ Quốc phòng|ORG] ký.", "ORG") == [[1, 3]]
    assert clusters("[Bộ Quốc phòng|ORG] họp. Ngày 5 [Bộ Quốc phòng|ORG] ký.", "ORG") == [[1, 2]]


def test_known_organisation_gets_its_full_name(mark: Callable[..., Document], schema: Schema) -> None:
    document = mark("[LHQ|ORG] và [Hội Cựu binh Sông Đà|ORG]")
    link_entities(document, schema)
    assert [entity.name for entity in document.entities] == ["Liên hợp quốc", "Hội Cựu binh Sông Đà"]


def test_vietnams_ministry_named_in_full_is_meant_by_the_bare_one(clusters: Clusters) -> None:
    assert clusters("[Bộ Quốc phòng Việt Nam|ORG], [Bộ Quốc phòng Anh|ORG], [Bộ Quốc phòng|ORG]") == [[1, 3], [2]]
