"""Other ranks, offices, organisations, agreements and events."""

from __future__ import annotations

import re
from dataclasses import replace as dataclass_replace
from pathlib import Path
from random import Random

import pytest
from tiny_corpus import marked

from pipeline.data.augment.gazetteers import load_gazetteers
from pipeline.data.augment.posts import replace_organisations, replace_ranks, replace_roles
from pipeline.data.augment.spelling import lookup_key
from pipeline.data.augment.titles import replace_agreements, replace_events
from pipeline.document import Document

LISTS = load_gazetteers(Path(__file__).parents[2] / "annotations" / "gazetteers")
SEEDS = range(12)


def texts(document: Document) -> list[str]:
    return [mention.text for mention in document.mentions]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rank_is_one_rank_in_the_whole_article(seed):
    document = marked("[Đại tướng|RANK], [Trung tá|RANK], [đại tướng|RANK], [ĐẠI TƯỚNG|RANK], [Cố vấn|RANK]")
    first, second, lower, upper, unknown = texts(replace_ranks(document, 1.0, LISTS, Random(seed)))
    ranks = {rank for service in LISTS.ranks.services.values() for rank in service}
    assert {first, second} <= ranks - {"Đại tướng", "Trung tá"}
    assert first != second
    assert (lower, upper, unknown) == (first.lower(), first.upper(), "Cố vấn")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_general_who_is_called_so_again_stays_a_general(seed):
    document = marked("[Trung tướng|RANK] … [Tướng|RANK]")
    one, two = document.mentions
    document.mentions = [one, type(two)(two.id, two.start, two.end, two.type, two.text, 1.0, one.entity)]
    new, again = texts(replace_ranks(document, 1.0, LISTS, Random(seed)))
    assert new in LISTS.ranks.services["generals"] and again == "Tướng"


@pytest.mark.parametrize("seed", SEEDS)
def test_an_office_and_its_short_form_change_together(seed):
    document = marked("[Bộ trưởng Quốc phòng|ROLE]; [Bộ trưởng|ROLE]; [bộ trưởng quốc phòng|ROLE]; [Phu quân|ROLE]")
    office, short, lower, unknown = texts(replace_roles(document, 1.0, LISTS, Random(seed)))
    assert office.startswith(f"{short} ") and short != "Bộ trưởng"
    assert lower == office.lower() and unknown == "Phu quân"


def test_an_office_stays_in_its_class():
    for seed in SEEDS:
        (new,) = texts(replace_roles(marked("[Vụ trưởng|ROLE]"), 1.0, LISTS, Random(seed)))
        assert new in LISTS.roles.classes["division"] and new != "Vụ trưởng"


@pytest.mark.parametrize("seed", SEEDS)
def test_an_organisation_keeps_its_country(seed):
    text = (
        "[Bộ Quốc phòng|ORG], [Bộ Quốc phòng Na Uy|ORG], [Quân khu 7|ORG], [UBND tỉnh Hà Giang|ORG], [Hội Thử|ORG],"
        " [hải quân Nga|ORG], [bộ quốc phòng|ORG]"
    )
    ministry, abroad, region, province, unknown, navy, lower = texts(
        replace_organisations(marked(text), 1.0, LISTS, Random(seed))
    )
    assert ministry in LISTS.organisations.with_country["ministries"] and ministry != "Bộ Quốc phòng"
    assert abroad == f"{ministry} Na Uy"
    assert lower == ministry.lower()
    assert region != "Quân khu 7" and "{" not in region + province
    assert province != "UBND tỉnh Hà Giang" and unknown == "Hội Thử"
    assert navy.endswith(" Nga") and navy[0].islower()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_country_gets_only_what_it_has(seed):
    navies = marked("[Hải quân Anh|ORG], [Quốc hội Việt Nam|ORG], [Quân đội|ORG]")
    navy, parliament, army = texts(replace_organisations(navies, 1.0, LISTS, Random(seed)))
    limits = LISTS.organisations.by_country
    assert navy != "Hải quân Anh" and "GB" in limits.only.get(navy.removesuffix(" Anh"), ["GB"])
    assert "VN" not in limits.not_in.get(parliament.removesuffix(" Việt Nam"), ())
    assert army not in limits.only
    heads = marked(
        "[Tổng thống|ROLE] [Mỹ|COUNTRY], [Chủ tịch nước|ROLE] [Lào|COUNTRY]", ["T1 ROLE_AT T2", "T3 ROLE_AT T4"]
    )
    president, _, head, _ = texts(replace_roles(heads, 1.0, LISTS, Random(seed)))
    assert president in ("Phó Tổng thống", "Quyền Tổng thống")
    assert head not in ("Tổng thống", "Quốc vương", "Toàn quyền") and head != "Chủ tịch nước"


def test_things_of_an_article_stay_different():
    for seed in range(150):
        offices = marked("[Bộ trưởng Quốc phòng|ROLE], [Bộ trưởng Ngoại giao|ROLE], [Thứ trưởng Quốc phòng|ROLE]")
        assert len(set(texts(replace_roles(offices, 0.5, LISTS, Random(seed))))) == 3
        bodies = marked("[Quốc hội Lào|ORG], [Chính phủ Lào|ORG], [Nội các Lào|ORG]")
        assert len(set(texts(replace_organisations(bodies, 0.5, LISTS, Random(seed))))) == 3


@pytest.mark.parametrize(
    ("replace", "kind", "names"),
    [
        (replace_organisations, "ORG", ["Liên minh châu Âu", "EU"]),
        (replace_organisations, "ORG", ["Bộ Quốc phòng Việt Nam", "BQP"]),
        (replace_roles, "ROLE", ["Bộ trưởng Ngoại giao", "Ngoại trưởng", "Người đứng đầu"]),
        (replace_ranks, "RANK", ["nữ Nam tước", "Baroness"]),
    ],
)
def test_what_cannot_be_renamed_as_a_whole_stays(replace, kind, names):
    document = marked(" ".join(f"[{name}|{kind}]" for name in names))
    for mention in document.mentions:
        document.mentions[document.mentions.index(mention)] = dataclass_replace(mention, entity="E1")
    assert all(texts(replace(document, 1.0, LISTS, Random(seed))) == names for seed in SEEDS)


def test_a_title_loses_no_country_and_brings_none_in():
    lost = "[Việt Nam|COUNTRY] dự [Triển lãm Quốc phòng quốc tế Việt Nam lần thứ hai|EVENT]"
    sea = "[Việt Nam|COUNTRY] nêu [UNCLOS|AGREEMENT]"
    for seed in range(60):
        assert "Việt Nam" in texts(replace_events(marked(lost, ["T1 PARTICIPATES_IN T2"]), 1.0, LISTS, Random(seed)))[1]
        assert texts(replace_agreements(marked(sea), 1.0, LISTS, Random(seed)))[1] not in (
            "EVFTA",
            "EVIPA",
            "ACFTA",
            "JCPOA",
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_treaty_and_its_abbreviation_become_another_pair(seed):
    document = marked("[Tuyên bố về ứng xử của các bên ở Biển Đông|AGREEMENT] ([DOC|AGREEMENT])")
    one, two = document.mentions
    document.mentions = [one, type(two)(two.id, two.start, two.end, two.type, two.text, 1.0, one.entity)]
    full, short = texts(replace_agreements(document, 1.0, LISTS, Random(seed)))
    known = [treaty for treaty in LISTS.agreements.treaties if full in treaty.full]
    assert len(known) == 1 and short in known[0].short and short != "DOC"


@pytest.mark.parametrize("seed", SEEDS)
def test_made_up_agreements_keep_their_case_and_the_countries_they_name(seed):
    text = (
        "[Bản ghi nhớ về hợp tác quốc phòng|AGREEMENT], [hiệp định thương mại tự do Việt Nam - Chile|AGREEMENT],"
        " [đối tác chiến lược|AGREEMENT], [kế hoạch hợp tác giữa Lào và Cuba về quân y|AGREEMENT],"
        " [Sách Trắng|AGREEMENT]"
    )
    memo, trade, partners, plan, unknown = texts(replace_agreements(marked(text), 1.0, LISTS, Random(seed)))
    assert memo[0].isupper() and memo != "Bản ghi nhớ về hợp tác quốc phòng"
    assert trade[0].islower()
    assert {"Việt Nam", "Chile"} <= set(re.findall("Việt Nam|Chile", trade))
    assert lookup_key(partners) in map(lookup_key, LISTS.agreements.partnerships) and partners[0].islower()
    assert "giữa Lào và Cuba" in plan
    assert unknown == "Sách Trắng"
    assert not set("{}") & set(memo + trade + plan)


def test_countries_that_take_part_may_be_named_and_no_others():
    text = "[Lào|COUNTRY] và [Cuba|COUNTRY] ký [bản ghi nhớ về quân y|AGREEMENT]; [Nga|COUNTRY] vắng"
    with_parties = marked(text, ["T1 PARTY_TO T3", "T2 PARTY_TO T3"])
    named = [replace_agreements(with_parties, 1.0, LISTS, Random(seed)).mentions[2].text for seed in range(150)]
    unnamed = [replace_agreements(marked(text), 1.0, LISTS, Random(seed)).mentions[2].text for seed in range(150)]
    assert any("Lào" in title and "Cuba" in title for title in named)
    assert not any("Nga" in title.split() for title in named)
    assert not any("Lào" in title or "Cuba" in title for title in unnamed)


@pytest.mark.parametrize("seed", SEEDS)
def test_events_become_others_of_their_kind(seed):
    text = (
        "[ADMM-13|EVENT]; [Đối thoại Shangri-La lần thứ 17|EVENT]; [tập trận Komodo|EVENT];"
        " [Đối thoại Biển Việt - Ý|EVENT]; [SEA Games|EVENT]"
    )
    number, series, exercise, dialogue, unknown = texts(replace_events(marked(text), 1.0, LISTS, Random(seed)))
    assert re.fullmatch(r"[^ ].*-\d+", number) and number != "ADMM-13"
    assert not series.startswith("Đối thoại Shangri-La") and re.search(r" lần thứ \w+$", series)
    assert exercise[0].islower() and exercise != "tập trận Komodo"
    assert "Việt - Ý" in dialogue and dialogue != "Đối thoại Biển Việt - Ý"
    assert unknown == "SEA Games"
