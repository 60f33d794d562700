from __future__ import annotations

from collections.abc import Callable

Clusters = Callable[..., list[list[int]]]


def roles(clusters: Clusters, text: str, relations: list[tuple[str, str, str]] | None = None) -> list[list[int]]:
    return clusters(text, "ROLE", relations)


def test_short_title_of_the_same_person(clusters: Clusters) -> None:
    text = (
        "[Bộ trưởng Quốc phòng|ROLE] [Trần Quang Bảo|PERSON] tiếp [Bộ trưởng Quốc phòng|ROLE] [Anh|COUNTRY] "
        "[Alice Harrow|PERSON]. [Bộ trưởng|ROLE] [Bảo|PERSON] cảm ơn [Bộ trưởng|ROLE] [Harrow|PERSON]."
    )
    assert roles(clusters, text) == [[1, 6], [3, 8]]


def test_ministry_and_field_say_the_same(clusters: Clusters) -> None:
    text = (
        "[Trần Quang Bảo|PERSON], [Thứ trưởng|ROLE] [Bộ Quốc phòng|ORG], đến. [Thứ trưởng Quốc phòng|ROLE] "
        "[Trần Quang Bảo|PERSON] nói. [Bộ trưởng|ROLE] [Bộ Quốc phòng Lào|ORG], "
        "[Bộ trưởng Quốc phòng|ROLE] [Lào|COUNTRY]"
    )
    assert roles(clusters, text) == [[2, 4], [6, 8]]


def test_equal_titles_are_told_apart_by_country_only(clusters: Clusters) -> None:
    apart = "[Thủ tướng|ROLE] [Trần Quang Bảo|PERSON] và [Thủ tướng|ROLE] [Lào|COUNTRY] [Kham Say|PERSON]"
    assert roles(clusters, apart) == [[1], [3]]
    together = "[Thủ tướng|ROLE] [Trần Quang Bảo|PERSON] và nguyên [Thủ tướng|ROLE] [Lê Hữu Minh|PERSON]"
    assert roles(clusters, together) == [[1, 3]]


def test_equal_titles_at_one_organisation_are_one_office(clusters: Clusters) -> None:
    text = (
        "[Trần Quang Bảo|PERSON], [Ủy viên|ROLE] [Trung ương Đảng|ORG], [Tư lệnh|ROLE] [Hải quân|ORG] và "
        "[Lê Hữu Minh|PERSON], [Uỷ viên|ROLE] [Trung ương Đảng|ORG], [Tư lệnh|ROLE] [Không quân|ORG]"
    )
    assert roles(clusters, text) == [[2, 7], [4], [9]]


def test_one_person_may_hold_offices_whose_titles_begin_alike(clusters: Clusters) -> None:
    text = (
        "[Trần Quang Bảo|PERSON], [Ủy viên|ROLE] [Trung ương Đảng|ORG], "
        "[Ủy viên Thường vụ|ROLE] [Quân ủy Trung ương|ORG]"
    )
    assert roles(clusters, text) == [[2], [4]]


def test_title_alone_means_the_nearest_office_before_it(clusters: Clusters) -> None:
    text = (
        "[Thứ trưởng|ROLE] đến. [Bộ trưởng Quốc phòng|ROLE] [Lào|COUNTRY] nói. [Bộ trưởng|ROLE] cảm ơn. "
        "[Bộ trưởng Quốc phòng|ROLE] [Anh|COUNTRY] đáp. [Bộ trưởng|ROLE] mừng. "
        "[Thứ trưởng Ngoại giao|ROLE] [Anh|COUNTRY]"
    )
    assert roles(clusters, text) == [[1, 8], [2, 4], [5, 7]]


def test_offices_of_two_people_are_their_own(clusters: Clusters) -> None:
    text = (
        "[Bộ trưởng Quốc phòng|ROLE] [Trần Quang Bảo|PERSON] tiếp [Bộ trưởng Quốc phòng|ROLE] [Lào|COUNTRY]. "
        "Hai [Bộ trưởng|ROLE] họp. [Bộ trưởng Quốc phòng|ROLE] hai nước ký. "
        "[Bộ trưởng Quốc phòng|ROLE] [Việt Nam|COUNTRY] và [Lào|COUNTRY] mừng. Có 20 [bộ trưởng quốc phòng|ROLE] dự."
    )
    assert roles(clusters, text) == [[1], [3], [5, 6, 7], [10]]


def test_chain_of_offices_has_one_holder(clusters: Clusters) -> None:
    text = (
        "[Phó Thủ tướng|ROLE], [Bộ trưởng Ngoại giao|ROLE] [Lê Hữu Minh|PERSON]; [Phó Thủ tướng|ROLE] [Lào|COUNTRY] "
        "[Kham Say|PERSON]. [Phó Thủ tướng|ROLE] [Minh|PERSON]"
    )
    assert roles(clusters, text) == [[1, 7], [2], [4]]


def test_relations_win_over_the_neighbourhood(clusters: Clusters) -> None:
    text = (
        "Đoàn [Việt Nam|COUNTRY] do [Trần Quang Bảo|PERSON] dẫn đầu, ông là [Trưởng đoàn|ROLE]. "
        "Đoàn [Lào|COUNTRY] do [Kham Say|PERSON] dẫn đầu, ông là [Trưởng đoàn|ROLE]."
    )
    assert roles(clusters, text) == [[3, 6]]
    assert roles(clusters, text, [("ROLE_AT", "T3", "T1"), ("ROLE_AT", "T6", "T4")]) == [[3], [6]]


def test_a_line_break_ends_an_apposition(clusters: Clusters) -> None:
    text = "[Lào|COUNTRY] họp [Bộ trưởng|ROLE]\n[Anh|COUNTRY] đáp. [Bộ trưởng|ROLE] [Lào|COUNTRY] cười."
    assert roles(clusters, text) == [[2, 4]]
