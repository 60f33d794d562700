from __future__ import annotations

from collections.abc import Callable

import pytest

Clusters = Callable[..., list[list[int]]]


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("Trần Quang Bảo", "Bảo"),
        ("Trần Quang Bảo", "Quang Bảo"),
        ("Trần Quang Bảo", "TRẦN QUANG BẢO"),
        ("Trần Quang Bảo", "ông Bảo"),
        ("Alice Harrow", "Harrow"),
        ("Alice Harrow", "Alice"),
        ("Alice Harrow", "A. Harrow"),
        ("Alice B. Harrow", "Alice Harrow"),
        ("Alice Harrow", "Harrow Alice"),
        ("Alice Harrow", "Alice Harow"),
        ("James Harrow", "Jim Harrow"),
        ("Tôn Đại Vĩ", "Tôn"),
        ("Renée de Villiers", "Renee de Villiers"),
    ],
)
def test_forms_of_one_name(clusters: Clusters, full: str, short: str) -> None:
    assert clusters(f"[{full}|PERSON] đến. [{short}|PERSON] nói.") == [[1, 2]]
    assert clusters(f"[{short}|PERSON] đến. [{full}|PERSON] nói.") == [[1, 2]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Trần Quang Bảo", "Trần Quốc Bảo"),
        ("Trần Quang Bảo", "Trần Quang"),
        ("Trần Quang Bảo", "Lê Quang Bảo"),
        ("Nguyễn Văn Khanh", "Nguyễn Văn Khang"),
        ("Alice Harrow", "Peter Harrow"),
        ("Alice Harrow", "P. Harrow"),
        ("Anna Meyer", "Anna Weyer Stone"),
    ],
)
def test_different_people(clusters: Clusters, first: str, second: str) -> None:
    assert clusters(f"[{first}|PERSON] gặp [{second}|PERSON].") == [[1], [2]]


def test_ambiguous_short_form_means_the_nearest_full_name_before_it(clusters: Clusters) -> None:
    text = (
        "Ông [Minh|PERSON] đến. [Trần Quang Minh|PERSON] gặp [Alice Harrow|PERSON]. Ông [Minh|PERSON] nói. "
        "[Lê Hữu Minh|PERSON] đáp. Ông [Minh|PERSON] cảm ơn."
    )
    assert clusters(text) == [[1, 2, 4], [3], [5, 6]]
