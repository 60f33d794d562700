from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.facts.titles import parse_title

Clusters = Callable[..., list[list[int]]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Đối thoại Biển xanh lần thứ 4", "đối thoại biển xanh lần thứ tư"),
        ("Đối thoại Biển xanh lần thứ IV", "Đối thoại Biển xanh lần thứ 4"),
        ("Đối thoại Biển xanh Việt Nam-Anh", "Đối thoại Biển xanh Anh - Việt Nam"),
        ("Đối thoại Biển xanh Việt - Pháp", "Đối thoại Biển xanh Việt Nam – Pháp"),
        ("Đối thoại Biển xanh", "Đối thoại Biển xanh Việt Nam - Lào lần thứ 3"),
        ("Bản ghi nhớ hợp tác", "Bản ghi nhớ về hợp tác và đào tạo"),
        ("Bộ Quy tắc ứng xử ở Biển Đông", "COC"),
        ("Bộ Quy tắc ứng xử trên Biển Đông", "Bộ quy tắc ứng xử của các bên ở Biển Đông"),
        ("Công ước của Liên Hiệp Quốc về Luật Biển", "UNCLOS"),
        ("Shangri - la", "Đối thoại Shangri-La"),
        ("Đối tác toàn diện", "Đối tác toàn diện Việt Nam - Lào"),
        ("Đối thoại Biển xanh 2018", "Đối thoại Biển xanh"),
    ],
)
def test_names_of_one_event_or_agreement(clusters: Clusters, first: str, second: str) -> None:
    for kind in ("EVENT", "AGREEMENT"):
        assert clusters(f"[{first}|{kind}] rồi [{second}|{kind}]") == [[1, 2]]
        assert clusters(f"[{second}|{kind}] rồi [{first}|{kind}]") == [[1, 2]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Đối thoại Biển xanh lần thứ 4", "Đối thoại Biển xanh lần thứ 5"),
        ("Đối thoại Biển xanh Việt - Anh", "Đối thoại Biển xanh Việt - Pháp"),
        ("Đối thoại Biển xanh 2016", "Đối thoại Biển xanh 2017"),
        ("đối tác chiến lược", "đối tác chiến lược toàn diện"),
        ("Hội nghị Sông lớn", "Hội nghị Sông lớn mở rộng"),
        ("ADMM", "ADMM+"),
        ("DOC", "COC"),
        ("Bản ghi nhớ về cứu hộ", "Bản ghi nhớ về quân y"),
    ],
)
def test_different_ones(clusters: Clusters, first: str, second: str) -> None:
    assert clusters(f"[{first}|EVENT] rồi [{second}|EVENT]") == [[1], [2]]


def test_short_title_of_several_long_ones_stays_alone(clusters: Clusters) -> None:
    text = "[Bản ghi nhớ về cứu hộ|AGREEMENT], [Bản ghi nhớ về quân y|AGREEMENT], [Bản ghi nhớ|AGREEMENT]"
    assert clusters(text) == [[1], [2], [3]]


def test_abbreviation_in_brackets_even_after_a_year(clusters: Clusters) -> None:
    text = "[Hiệp định Cứu nạn Mê Công|AGREEMENT] [1997|DATE] ([HCMC|AGREEMENT]). [HCMC|AGREEMENT] và [MRC|AGREEMENT]"
    assert clusters(text, "AGREEMENT") == [[1, 3, 4], [5]]


def test_series_is_not_its_meeting(clusters: Clusters) -> None:
    text = (
        "[Đối thoại Biển xanh lần thứ 4|EVENT]. Cơ chế [Đối thoại Biển xanh|EVENT]. [Đối thoại Biển xanh|EVENT] bế mạc."
    )
    assert clusters(text.replace("Cơ chế", "Duy trì cơ chế")) == [[1, 3], [2]]


def test_event_and_agreement_of_one_name_are_two_entities(clusters: Clusters) -> None:
    assert clusters("[Sông lớn|EVENT] và [Sông lớn|AGREEMENT]") == [[1], [2]]


def test_numbers_and_parties_are_taken_out() -> None:
    title = parse_title("Đối thoại Biển xanh Việt Nam - Anh lần thứ tư, phiên thứ hai")
    assert (title.content[-1], title.ordinal, title.session) == ("GB-VN", "4", "2")
