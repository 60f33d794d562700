"""The lists themselves: complete, spelt as the operations need them, and without real people."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from random import Random

import pytest
from babel import Locale
from tiny_corpus import marked

from pipeline.data.augment.gazetteers import load_gazetteers
from pipeline.data.augment.names import replace_names
from pipeline.data.augment.spelling import lookup_key
from pipeline.errors import ProblemsError, QuanheError

FOLDER = Path(__file__).parents[2] / "annotations" / "gazetteers"


@pytest.fixture(scope="module")
def lists():
    return load_gazetteers(FOLDER)


def test_every_country_has_a_code_of_iso_3166_and_its_name_of_cldr_is_known(lists):
    names = Locale.parse("vi").territories
    assert lists.countries.countries.keys() <= names.keys()
    # CLDR writes these in ways that no paper does.
    odd = {"CD", "CG", "CI", "MM", "PS"}
    unknown = {
        code: names[code]
        for code in lists.countries.countries
        if code not in odd and lists.countries.forms.get(lookup_key(names[code]), "?")[0] != code
    }
    assert unknown == {}
    assert set(lists.countries.frequent) < lists.countries.countries.keys()


def test_every_country_has_a_capital_and_every_place_a_country(lists):
    assert lists.places.places.keys() == lists.countries.countries.keys()
    assert all(place.capital for place in lists.places.places.values())
    assert len(lists.countries.countries) >= 100


def test_every_file_says_where_it_comes_from():
    for path in sorted(FOLDER.glob("*.yaml")):
        comment = "".join(line for line in path.read_text("utf-8").splitlines() if line.startswith("#"))
        assert "Source" in comment, path.name


def test_lists_are_in_composed_letters():
    for path in sorted(FOLDER.glob("*.yaml")):
        assert unicodedata.is_normalized("NFC", path.read_text("utf-8")), path.name


def test_what_is_said_of_countries_is_of_entries_and_countries_that_there_are(lists):
    organisations = {name for kind in lists.organisations.with_country.values() for name in kind}
    offices = {name for offices in lists.roles.classes.values() for name in offices}
    for known, limits in ((organisations, lists.organisations.by_country), (offices, lists.roles.by_country)):
        assert limits.only and limits.not_in
        assert {*limits.only, *limits.not_in} <= known
        codes = {code for some in (*limits.only.values(), *limits.not_in.values()) for code in some}
        assert codes <= lists.countries.countries.keys()


def test_patterns_name_only_slots_that_exist(lists):
    slots = {"head", "about", "pair", "sides", "period", "ordinal", "year", "level", "quoted", "number"}
    for group in (*lists.agreements.groups.values(), *lists.events.groups.values()):
        for text in (*group.patterns, *group.about, *group.heads):
            assert set(re.findall(r"\{(\w*)\}", text)) <= slots, text


def test_chance_puts_no_real_office_holder_together(lists):
    never = {lookup_key(name) for name in lists.persons.never}
    assert len(never) > 50
    made = set()
    for seed in range(1500):
        document = marked("Ông [Trần Văn Mẫu|PERSON] và bà [Nguyễn Thị Thử|PERSON]")
        made |= {m.text for m in replace_names(document, 1.0, lists, Random(seed)).mentions}
    assert len(made) > 2000
    assert not {lookup_key(name) for name in made} & never


def test_mistakes_in_a_list_are_named_with_their_line(tmp_path):
    for path in FOLDER.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "ranks.yaml").write_text("services:\n  army: [Đại tướng]\nserivces: {}\n", encoding="utf-8")
    with pytest.raises(ProblemsError, match=r"ranks.yaml:3: unknown key serivces; did you mean services"):
        load_gazetteers(tmp_path)
    with pytest.raises(QuanheError, match=r"nowhere: no such folder; set data.augment.gazetteers"):
        load_gazetteers(tmp_path / "nowhere")
