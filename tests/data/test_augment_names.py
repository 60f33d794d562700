"""Another name for a person, in every form that the article uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tiny_corpus import marked

from pipeline.data.augment.gazetteers import load_gazetteers
from pipeline.data.augment.names import replace_names
from pipeline.data.augment.spelling import looks_vietnamese, without_diacritics

LISTS = load_gazetteers(Path(__file__).parents[2] / "annotations" / "gazetteers")
SEEDS = range(12)


def renamed(names: list[str], seed: int, before: str = "") -> list[str]:
    """New texts of mentions of one person."""
    document = marked(" rồi ".join(f"{before}[{name}|PERSON]" for name in names))
    for index, mention in enumerate(document.mentions):
        document.mentions[index] = type(mention)(
            mention.id, mention.start, mention.end, "PERSON", mention.text, 1.0, "E1"
        )
    return [mention.text for mention in replace_names(document, 1.0, LISTS, Random(seed)).mentions]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_short_form_of_a_vietnamese_name_is_its_end(seed):
    full, upper, short, two = renamed(["Trần Văn Mẫu", "TRẦN VĂN MẪU", "Mẫu", "Văn Mẫu"], seed)
    assert full != "Trần Văn Mẫu" and all(map(looks_vietnamese, full.split()))
    assert 3 <= len(full.split()) <= 5
    assert upper == full.upper()
    assert full.endswith(f" {short}") and full.endswith(f" {two}") and len(two.split()) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_foreign_name_keeps_both_spellings_and_its_short_forms(seed):
    old = ["Xéc-gây Pô-li-a-cốp", "Sergei Polyakov", "Pô-li-a-cốp", "Polyakov", "Sergei"]
    vietnamese, latin, short, short_latin, given = renamed(old, seed)
    assert "-" in vietnamese and "-" not in latin
    assert vietnamese.endswith(short) and latin.endswith(short_latin) and latin.startswith(given)
    russian = LISTS.persons.cultures["russian"]
    assert (short_latin, short) in {family[:2] for family in russian.family}
    assert given in {name[0] for name in russian.male}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_chinese_is_called_by_the_family_name(seed):
    full, short, pinyin = renamed(["Quách Vĩ Minh", "Quách", "Guo Weiming"], seed)
    assert full.startswith(f"{short} ")
    families = {family[0]: family[1] for family in LISTS.persons.cultures["chinese"].family}
    assert pinyin.startswith(families[short])


@pytest.mark.parametrize(
    ("old", "culture"),
    [
        ("Min-jae Park", None),
        ("Park Min-jae", "korean"),
        ("Yamashiro Kenji", "japanese"),
        ("Somchai Wongsuwan", "thai"),
        ("Khăm-phết Xi-xạ-vát", "lao"),
        ("Hans Steinbach", "german"),
        ("José Herrera", "spanish"),
        ("Rơ Châm Thuyết", "minority"),
    ],
)
def test_the_new_name_is_of_the_culture_that_the_old_one_looks_like(old, culture):
    for seed in SEEDS:
        (new,) = renamed([old], seed)
        assert new != old
        if culture:
            parts = LISTS.persons.cultures[culture]
            words = {word for part in (*parts.family, *parts.family_female) for form in part for word in form.split()}
            assert set(new.split()) & words, new


def test_a_woman_gets_a_womans_name():
    women = {name[0] for name in LISTS.persons.cultures["vietnamese"].female}
    assert all(renamed(["Lê Kim Thử"], seed, "bà ")[0].split()[-1] in women for seed in SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_by_lines_keep_their_shape(seed):
    by_line, pen_name = renamed(["T.PHÚ"], seed)[0], renamed(["QUỲNH LÂM"], seed)[0]
    assert by_line[1] == "." and by_line.isupper() and by_line != "T.PHÚ"
    assert len(pen_name.split()) == 2 and pen_name.isupper()


def test_a_headline_without_diacritics_stays_without():
    full, plain = renamed(["Đỗ Quang Ví", "Do Quang Vi"], 3)
    assert plain == without_diacritics(full) != full


@pytest.mark.parametrize(
    "names", [["Hồ Chí Minh"], ["Fracassetti Guidalberto", "Fracasseti"], ["Anna Muster", "Musterova"]]
)
def test_names_that_are_kept_or_cannot_be_told_to_be_one_stay(names):
    assert renamed(names, 1) == names


def test_people_called_by_the_family_name_do_not_get_one_family_name():
    document = marked("[Vương Kiến Quốc|PERSON], [Lý Chí Cường|PERSON], ông [Vương|PERSON], ông [Lý|PERSON]")
    first, second, *short = document.mentions
    entities = (first.entity, second.entity)
    document.mentions = [first, second, *(replace(m, entity=e) for m, e in zip(short, entities, strict=True))]
    for seed in range(150):
        new = [mention.text for mention in replace_names(document, 1.0, LISTS, Random(seed)).mentions]
        assert new[2] != new[3] and new[0].startswith(new[2]) and new[1].startswith(new[3])


def test_people_of_an_article_do_not_get_one_name():
    text = " ".join(
        f"[{name}|PERSON]" for name in ("Lê Văn Mẫu", "Trần Thị Thử", "Đỗ Quang Ví", "Ngô Bảo Nháp", "Vũ Đình Tập")
    )
    for seed in SEEDS:
        new = [m.text.split()[-1] for m in replace_names(marked(text), 1.0, LISTS, Random(seed)).mentions]
        assert len(set(new)) == 5
