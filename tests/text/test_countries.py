from __future__ import annotations

import unicodedata

import pytest

from pipeline.text.countries import country_code, country_name, guess_country
from pipeline.text.names import table

CASES = {
    "VN": "Việt Nam|Việt|CHXHCN Việt Nam|nước Cộng hoà xã hội chủ nghĩa Việt Nam|Vietnam",
    "GB": "Anh|Vương quốc Anh|Vương Quốc Anh|Vương quốc Liên hiệp Anh và Bắc Ireland|LH Vương quốc Anh và Bắc Ireland",
    "US": "Mỹ|Mĩ|Hoa Kỳ|Hợp chúng quốc Hoa Kỳ|U.S.",
    "CN": "Trung|Trung Quốc|CHND Trung Hoa",
    "JP": "Nhật|Nhật Bản",
    "KR": "Hàn|Hàn Quốc|Đại Hàn Dân Quốc|Cộng hòa Hàn Quốc",
    "KP": "Triều Tiên|CHDCND Triều Tiên|Cộng hòa Dân chủ Nhân dân Triều Tiên",
    "DE": "Đức|CHLB Đức|Cộng hòa Liên bang Đức",
    "FR": "Pháp|Cộng hòa Pháp|Cộng hoà Pháp",
    "RU": "Nga|Liên bang Nga|LB Nga",
    "AU": "Úc|Australia|Ôxtrâylia|Ốt-xtrây-li-a|Ô-xtrây-li-a",
    "LA": "Lào|CHDCND Lào",
    "KH": "Campuchia|Cam-pu-chia|Vương quốc Campuchia",
    "MM": "Myanmar|Mi-an-ma|Miến Điện",
    "IN": "Ấn|Ấn Độ|Cộng hoà Ấn Độ",
    "TH": "Thái|Thái Lan|Vương quốc Thái Lan",
    "PH": "Phi|Philippines|Phi-líp-pin",
    "CZ": "Séc|Cộng hòa Séc",
    "SK": "Slovakia|Xlô-va-ki-a",
    "ZA": "Nam Phi|Cộng hòa Nam Phi",
    "CG": "Cộng hòa Congo",
    "CD": "CHDC Congo",
    "SUHH": "Liên Xô",
    "NL": "Hà Lan|Netherlands",
}


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, names in CASES.items() for name in names.split("|")])
def test_names_of_the_news(code: str, name: str) -> None:
    assert country_code(name) == code
    assert country_code(unicodedata.normalize("NFD", name)) == code


@pytest.mark.parametrize(
    "name", ["Hà Nội", "EU", "Liên hợp quốc", "châu Á", "", "-", "nước", "nước " * 50_000, "Anh" * 9999]
)
def test_no_countries(name: str) -> None:
    assert guess_country(name) is None


def test_one_wrong_letter_is_forgiven_only_where_a_country_is_expected() -> None:
    assert country_code("Malaisia") is None
    assert guess_country("Malaisia") == "MY"
    assert guess_country("Xinhgapore") is None
    assert guess_country("Mila") is None  # too short to tell a slip from another name


def test_canonical_name_is_the_vietnamese_short_one() -> None:
    assert [country_name(code) for code in ("VN", "US", "GB", "SUHH")] == [
        "Việt Nam",
        "Hoa Kỳ",
        "Vương quốc Anh",
        "Liên Xô",
    ]


def test_every_name_in_the_file_leads_to_its_own_country() -> None:
    data = table("countries")
    wrong = [
        (code, form, country_code(form))
        for section in ("names", "former")
        for code, forms in data[section].items()
        for form in forms
        if country_code(form) != code
    ]
    assert not wrong
    assert all(country_name(code) for code in data["names"])
