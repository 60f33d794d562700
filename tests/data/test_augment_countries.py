"""Another country or place, through the whole article."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tiny_corpus import marked

from pipeline.data.augment.countries import replace_countries, replace_places
from pipeline.data.augment.gazetteers import load_gazetteers
from pipeline.data.augment.spelling import lookup_key
from pipeline.document import Document

LISTS = load_gazetteers(Path(__file__).parents[2] / "annotations" / "gazetteers")
VISIT = (
    "ĐOÀN [ÚC|COUNTRY] THĂM [HÀ NỘI|LOCATION]\n"
    "[Bộ Quốc phòng Australia|ORG] mời đoàn [Việt Nam|COUNTRY] sang [Canberra|LOCATION] dự"
    " [Đối thoại Việt - Úc lần thứ 2|EVENT], nói tiếng Anh. [Australia|COUNTRY] và [Ô-xtrây-li-a|COUNTRY] ký"
    " [Bản ghi nhớ Việt Nam-Úc|AGREEMENT] với [Hội Anh hùng Úc|ORG] ở [Sydney|LOCATION], [Xít-ni|LOCATION]."
)


def texts(document: Document, kind: str) -> list[str]:
    return [mention.text for mention in document.mentions if mention.type == kind]


def code(form: str) -> str:
    return LISTS.countries.forms[lookup_key(form)][0]


@pytest.mark.parametrize("seed", range(12))
def test_one_country_becomes_the_same_other_one_everywhere(seed):
    document = marked(VISIT)
    changed = replace_countries(document, 1.0, LISTS, Random(seed), keep_home=1.0)
    old, new = texts(document, "COUNTRY"), texts(changed, "COUNTRY")
    codes = {code(form) for form in new if form != "Việt Nam"}
    assert len(codes) == 1 and not codes & {"AU", "VN"}
    assert new[old.index("ÚC")].isupper()
    ministry, society = texts(changed, "ORG")
    assert code(ministry.removeprefix("Bộ Quốc phòng ")) in codes
    assert society.startswith("Hội Anh hùng ") and code(society.removeprefix("Hội Anh hùng ")) in codes
    event, agreement = texts(changed, "EVENT")[0], texts(changed, "AGREEMENT")[0]
    assert code(event.removeprefix("Đối thoại Việt - ").removesuffix(" lần thứ 2")) in codes
    assert code(agreement.removeprefix("Bản ghi nhớ Việt Nam-")) in codes
    home, capital, city, same_city = texts(changed, "LOCATION")
    places = LISTS.places.forms
    assert home == "HÀ NỘI"
    assert places[lookup_key(capital)][:2] == (*codes, "capital")
    assert places[lookup_key(city)][0] in codes
    assert places[lookup_key(city)][2] == places[lookup_key(same_city)][2]
    assert "tiếng Anh" in changed.text


def test_the_home_country_is_kept_as_often_as_is_said():
    document = marked("[Việt Nam|COUNTRY] và [Lào|COUNTRY]")
    kept = [
        replace_countries(document, 1.0, LISTS, Random(seed), keep_home=0.9).mentions[0].text == "Việt Nam"
        for seed in range(200)
    ]
    assert 160 < sum(kept) < 198
    assert all(
        replace_countries(document, 1.0, LISTS, Random(seed), keep_home=0.0).mentions[0].text != "Việt Nam"
        for seed in range(20)
    )


def test_two_countries_never_become_one():
    names = "[Nga|COUNTRY] [Mỹ|COUNTRY] [Lào|COUNTRY] [Pháp|COUNTRY] [Anh|COUNTRY] [Nhật Bản|COUNTRY] [Israel|COUNTRY]"
    for seed in range(40):
        changed = replace_countries(marked(names), 0.7, LISTS, Random(seed), keep_home=1.0)
        codes = [code(text) for text in texts(changed, "COUNTRY")]
        assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Ấn Độ Dương - Thái Bình Dương", "LOCATION"),
        ("Hội Anh hùng liệt sĩ", "ORG"),
        ("Ủy ban Nam Mỹ", "ORG"),
        ("Trường dạy tiếng Nga", "ORG"),
        ("Quân khu Trung ương", "ORG"),
    ],
)
def test_what_only_looks_like_a_country_stays(name, kind):
    document = marked(f"[Mỹ|COUNTRY] [Anh|COUNTRY] [Nga|COUNTRY] [Ấn Độ|COUNTRY] [Trung|COUNTRY] [{name}|{kind}]")
    changed = replace_countries(document, 1.0, LISTS, Random(1), keep_home=1.0)
    assert texts(changed, kind) == [name]
    assert set(texts(changed, "COUNTRY")).isdisjoint(texts(document, "COUNTRY"))


def test_a_country_that_no_list_has_stays():
    document = marked("[Liên Xô|COUNTRY] và [Wakanda|COUNTRY]")
    assert replace_countries(document, 1.0, LISTS, Random(0), keep_home=0.0) == document


def test_a_country_also_named_in_a_form_that_no_list_has_stays():
    document = marked("[Belarus|COUNTRY], [CH Bê-la-rút|COUNTRY] và [Nga|COUNTRY]")
    first, second, third = document.mentions
    document.mentions = [first, replace(second, entity=first.entity), third]
    for seed in range(20):
        changed = texts(replace_countries(document, 1.0, LISTS, Random(seed), keep_home=1.0), "COUNTRY")
        assert changed[:2] == ["Belarus", "CH Bê-la-rút"] and code(changed[2]) not in ("BY", "RU")


def test_a_coast_guard_goes_with_its_country_and_a_sea_stays():
    document = marked("[Nhật Bản|COUNTRY]: [Lực lượng Bảo vệ bờ biển Nhật Bản|ORG] ở [Biển Nhật Bản|LOCATION]")
    changed = replace_countries(document, 1.0, LISTS, Random(1), keep_home=1.0)
    assert "Nhật Bản" not in texts(changed, "ORG")[0]
    assert texts(changed, "LOCATION") == ["Biển Nhật Bản"]


@pytest.mark.parametrize("seed", range(10))
def test_a_place_becomes_another_of_its_country_in_all_its_mentions(seed):
    document = marked(
        "[Đà Nẵng|LOCATION], [Huế|LOCATION], [Nghệ An|LOCATION], [Nhà khách|LOCATION], [Đà Nẵng|LOCATION]"
    )
    first, second, province, house, again = texts(replace_places(document, 1.0, LISTS, Random(seed)), "LOCATION")
    assert first == again != "Đà Nẵng"
    assert first != second
    assert {LISTS.places.forms[lookup_key(name)][0] for name in (first, second, province)} == {"VN"}
    assert LISTS.places.forms[lookup_key(province)][1] == "provinces"
    assert house == "Nhà khách"


def test_a_city_that_the_text_calls_capital_stays():
    document = marked("Ở thủ đô [Moskva|LOCATION] và [Kazan|LOCATION]; [Mát-xcơ-va|LOCATION]")
    for seed in range(10):
        capital, city, again = texts(replace_places(document, 1.0, LISTS, Random(seed)), "LOCATION")
        assert (capital, again) == ("Moskva", "Mát-xcơ-va") and city not in ("Kazan", "Moskva")
