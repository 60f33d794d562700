"""The metadata of the authored articles, and the counts of the data sheet."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.config import DataConfig, load_config
from pipeline.data.corpus import Split
from pipeline.data.labelled import Labelled
from pipeline.document import Document, Mention, Relation
from pipeline.errors import QuanheError
from pipeline.schema import load_schema
from pipeline.text.segmenters import load_segmenter
from pipeline.text.words import WordSplitter

ROOT = Path(__file__).parents[2]
TEXT = "Ông Mẫu tới Mỹ ngày 3/5.\nHoà bình là chủ đề, Hoa Kỳ - Anh cùng dự Diễn đàn Mẫu tháng Mười."


@pytest.fixture
def counts(monkeypatch) -> Iterator[ModuleType]:
    """``benchmarks/corpus_counts.py``, which is no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.chdir(ROOT)
    import corpus_counts

    yield corpus_counts
    for name in ("corpus_counts", "corpus"):
        sys.modules.pop(name, None)


def article(counts: ModuleType, part: Split = "train"):
    surfaces = [
        ("PERSON", "Mẫu"),
        ("COUNTRY", "Mỹ"),
        ("DATE", "3/5"),
        ("COUNTRY", "Hoa Kỳ"),
        ("COUNTRY", "Anh"),
        ("EVENT", "Diễn đàn Mẫu"),
        ("DATE", "tháng Mười"),
    ]
    mentions = [
        Mention(
            f"T{n}", TEXT.index(s), TEXT.index(s) + len(s), kind, s, entity="E1" if s in ("Mỹ", "Hoa Kỳ") else f"T{n}"
        )
        for n, (kind, s) in enumerate(surfaces, 1)
    ]
    relations = [Relation("PARTICIPATES_IN", "T1", "T6"), Relation("HELD_ON", "T6", "T7")]
    document = Document("bai", TEXT, mentions=mentions, relations=relations)
    return counts.Article(part, Labelled(WordSplitter(load_segmenter("syllables"))(document), ROOT, ROOT))


def test_every_authored_article_has_metadata_that_fit(counts):
    config = load_config("configs/default.yaml")
    folders = (Path("annotations/authored"), Path("annotations/negatives"))
    data = DataConfig.model_validate({"train": folders[0], "negatives": folders[1]})
    config = config.model_copy(update={"data": data})
    articles = counts.load(config, load_schema(config.schema_file), WordSplitter(load_segmenter("syllables")))
    assert {kind for article in articles for kind in article.kinds} == set(counts.KINDS)
    for folder in folders:
        with (folder / counts.METADATA).open(encoding="utf-8", newline="") as file:
            assert {row["id"] for row in csv.DictReader(file)} == {path.stem for path in folder.glob("*.txt")}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("bai,yes,dialogue,VN,QĐND,2019,4", "words=3"),
        ("bai,no,dialogue,VN,QĐND,2019,3", "authored=yes"),
        ("bai,yes,dialog,VN,QĐND,2019,3", "no kind dialog; there are dialogue, "),
        ("khac,yes,dialogue,VN,QĐND,2019,3", "no row for bai"),
    ],
)
def test_metadata_that_do_not_fit_are_refused(counts, tmp_path, row, message):
    (tmp_path / "bai.txt").write_text("Một - hai ba.", encoding="utf-8")
    (tmp_path / "bai.ann").write_text("", encoding="utf-8")
    (tmp_path / counts.METADATA).write_text(f"{','.join(counts.COLUMNS)}\n{row}\n", encoding="utf-8")
    config = load_config("configs/default.yaml").model_copy(
        update={"data": DataConfig.model_validate({"train": tmp_path})}
    )
    with pytest.raises(QuanheError, match=message):
        counts.load(config, load_schema(config.schema_file), WordSplitter(load_segmenter("syllables")))


def test_relations_are_counted_with_those_that_leave_their_sentence(counts):
    counted = counts.count([article(counts)])
    assert (counted.articles, counted.sentences, counted.words) == (1, 2, 21)
    assert counted.relations == {"PARTICIPATES_IN": 1, "HELD_ON": 1}
    assert counted.crossing == {"PARTICIPATES_IN": 1}
    assert (counted.mentions["COUNTRY"], counted.entities["COUNTRY"]) == (3, 2)


def test_forms_of_countries_dates_and_spelling(counts):
    forms, unknown = counts.country_forms([article(counts)])
    assert {code: set(names) for code, names in forms.items()} == {"US": {"Mỹ", "Hoa Kỳ"}, "GB": {"Anh"}}
    assert not unknown
    dates = counts.date_forms([article(counts)])
    assert {form for form, number in dates.items() if number} == {"27/5, 27/5/2019", "month in words (tháng Mười)"}
    variants = counts.spelling([article(counts)])
    assert variants["tone placed as in hoà, uỷ"] == (1, 1)
    assert variants["two countries joined as A - B"] == (1, 1)


def test_sentences_that_differ_only_in_names_are_found(counts):
    first, second = article(counts), article(counts, "test")
    second.item.document.id = "sao"
    (repeated,) = counts.repeated_sentences([first, second])
    assert repeated[1] == ["bai", "sao"]
    within, across = counts.closest([first, second], masked=False)
    assert (within.share, across.share) == (0, 1)


def test_lengths_are_a_target_and_longer_articles_are_only_told(counts):
    import corpus

    target, longer = corpus.length_rows([150] * 149 + [450, 451, 785])
    assert target == ("at least 150 articles of 150 to 450 words", 150, True)
    assert longer == ("… longer ones (no target)", "2, up to 785 words", None)
    assert corpus.length_rows([150] * 149)[0][1:] == (149, False)
    assert corpus.length_rows([149])[2][1:] == ("1, down to 149 words", None)
