"""``.neg`` files: every mistake at its line, and no article that a model learns from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.commands.validate import config_for_paths, summary, validate
from pipeline.config import Config, DataConfig, Source
from pipeline.data.negatives import load_negatives, missing_folders
from pipeline.errors import ProblemsError
from pipeline.negatives import NegativePair
from pipeline.schema import load_schema

ROOT = Path(__file__).parents[2]
SCHEMA = load_schema(ROOT / "annotations" / "schema.yaml")
# Of the article that write_article writes: T5 Mẫu (again T10), T8 the guest, T9 the paper, T11 the country.
GOOD = "ACTS_ON\tT5\tT9\tthe paper is of both sides"
OTHER = "Một bài khác hẳn: ông Thử về Huế dự Hội thảo Nháp."
OTHER_LABELS = ["T1\tPERSON 22 25\tThử", "T2\tLOCATION 29 32\tHuế", "T3\tEVENT 36 49\tHội thảo Nháp"]


@pytest.fixture
def write_negatives(write_article):
    """Writes an article with these lines in its ``.neg``; returns the data settings that name its folder."""

    def write(*lines: str, name: str = "mau", folder: str = "neg", end: str = "\n", **article) -> DataConfig:
        path = write_article(name, folder=folder, **article)
        (path / f"{name}.neg").write_bytes("".join(line + end for line in lines).encode())
        return DataConfig(negatives=(Source(path=path),))

    return write


def problems_of(data: DataConfig, **options) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        load_negatives(data, SCHEMA, **options)
    return [str(problem) for problem in caught.value.problems]


def test_pairs_are_read_in_the_order_of_their_lines(write_negatives):
    data = write_negatives("\ufeff# why: below", "", GOOD, "PARTY_TO\tT11\tT9\tthanked only", end="\r\n")
    (article,) = load_negatives(data, SCHEMA)
    assert article.document.id == "mau"
    assert article.pairs == (
        NegativePair("ACTS_ON", "T5", "T9", "the paper is of both sides"),
        NegativePair("PARTY_TO", "T11", "T9", "thanked only"),
    )


def test_without_a_setting_there_are_none():
    assert load_negatives(DataConfig(), SCHEMA) == []
    assert missing_folders(DataConfig()) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ACTS_ON T5 T9 no tabs", "malformed line 'ACTS_ON T5 T9 no tabs'; write it as RELATION<tab>T1<tab>T2<tab>"),
        ("ACTS_ON\tT5\tT9", "malformed line"),
        ("ACTS_ON\tT5\tT9\t ", "malformed line"),
        ("ACT_ON\tT5\tT9\tx", "ACT_ON is no relation of the schema; did you mean ACTS_ON?"),
        ("ACTS_ON\tT5\tT99\tx", "T99 is no mention of mau.ann; name a T line"),
        ("ACTS_ON\tR1\tT9\tx", "R1 is no mention of mau.ann"),
        (
            "ACTS_ON\tT7\tT9\tx",
            "ACTS_ON(T7 'Bộ Quốc phòng', T9 'Bản ghi nhớ về hợp tác quốc phòng') has a ORG as its head",
        ),
        ("SIGNED_ON\tT9\tT2\tx", "has a LOCATION as its tail; the schema wants DATE"),
        ("MEETS\tT5\tT10\tx", "joins an entity to itself"),
        ("HAS_RANK\tT10\tT4\tx", "HAS_RANK(T10 'Mẫu', T4 'Thượng tướng') is a gold fact: line 15 of mau.ann states it"),
        ("MEETS\tT8\tT10\tx", "MEETS(T8 'James Sample', T10 'Mẫu') is a gold fact: line 17"),
        ("ACTS_ON\tT10\tT9\tx", "joins the same entities as line 1; a pair counts once"),
    ],
)
def test_what_can_be_wrong_with_a_line(write_negatives, line, message):
    (problem,) = problems_of(write_negatives(GOOD, line))
    assert re.match(r".*mau\.neg:2: ", problem)
    assert message in problem


def test_all_mistakes_of_all_files_come_at_once(write_negatives):
    write_negatives("ACT_ON\tT55\tT9\tx", GOOD, GOOD, name="a")
    data = write_negatives("x", name="b", text=OTHER, lines=["T1\tPERSON 0 3\tThử"])
    found = [re.sub(r".*/", "", problem).split(": ")[0] for problem in problems_of(data)]
    assert found == ["a.neg:1", "a.neg:1", "a.neg:3", "b.ann:1", "b.neg:1"]


def test_an_article_without_pairs_must_be_skipped_and_pairs_need_their_article(write_negatives, write_article):
    data = write_negatives(GOOD, name="a")
    folder = write_article("b", OTHER, OTHER_LABELS, folder="neg")
    (folder / "c.neg").write_text(GOOD)
    messages = problems_of(data)
    assert "no pairs b.neg beside it; add the file, or `skip: [b]`" in messages[0]
    assert "no labels c.ann beside it" in messages[1]
    only = DataConfig(negatives=(Source(path=folder, only=("a",)),))
    assert [article.document.id for article in load_negatives(only, SCHEMA)] == ["a"]
    skipped = DataConfig(negatives=(Source(path=folder, skip=("b",)),))
    assert len(problems_of(skipped)) == 1


def test_an_empty_file_is_a_warning(write_negatives, caplog):
    assert [article.pairs for article in load_negatives(write_negatives(), SCHEMA)] == [()]
    assert "mau.neg: no pair in this file" in caplog.text


def test_a_pair_file_that_is_not_utf_8_and_a_folder_that_is_not_there(write_negatives, tmp_path):
    data = write_negatives()
    (tmp_path / "neg" / "mau.neg").write_bytes(GOOD.encode("utf-16"))
    assert "not UTF-8" in problems_of(data)[0]
    gone = DataConfig(negatives=(Source(path=tmp_path / "none"),))
    assert missing_folders(gone) == [tmp_path / "none"]
    assert "no such folder" in problems_of(gone)[0]


def test_the_texts_may_lie_elsewhere_and_the_corpus_may_be_columns(write_negatives, tmp_path):
    write_negatives(GOOD)
    (tmp_path / "texts").mkdir()
    (tmp_path / "neg" / "mau.txt").rename(tmp_path / "texts" / "mau.txt")
    source = Source(path=tmp_path / "neg", texts=tmp_path / "texts")
    (article,) = load_negatives(DataConfig(format="conll", negatives=(source,)), SCHEMA)
    assert len(article.pairs) == 1


@pytest.mark.parametrize("split", ["train", "dev"])
def test_no_article_may_be_learnt_from(write_negatives, write_article, split):
    negatives = write_negatives(GOOD).negatives
    same_text = write_article("ban-sao", folder="same-text")
    same_id = write_article("mau", OTHER, OTHER_LABELS, folder="same-id")
    for path, message in ((same_text, f"the text of ban-sao in {split}"), (same_id, f"negatives, and in {split} from")):
        data = DataConfig(negatives=negatives, **{split: (Source(path=path),)})
        (problem,) = problems_of(data)
        assert message in problem
        assert "held out means by article" in problem
        assert len(load_negatives(data, SCHEMA, check_training=False)) == 1


def test_a_test_article_may_have_hard_negatives(write_negatives):
    data = write_negatives(GOOD)
    both = data.model_copy(update={"test": data.negatives})
    assert len(load_negatives(both, SCHEMA)) == 1
    report = validate(config_of(both))
    assert (report.errors, report.warnings) == ((), ())


def test_one_id_from_two_folders(write_negatives):
    first = write_negatives(GOOD).negatives
    second = write_negatives("HELD_AT\tT3\tT2\tx", text=OTHER, lines=OTHER_LABELS, folder="more").negatives
    (problem,) = problems_of(DataConfig(negatives=(*first, *second)))
    assert "mau is in negatives twice, also from" in problem


def config_of(data: DataConfig) -> Config:
    return Config.model_validate(
        {"schema": ROOT / "annotations" / "schema.yaml", "data": data, "text": {"segmenter": "syllables"}}
    )


def test_validate_checks_and_counts_them_beside_the_splits(write_negatives, write_article):
    data = write_negatives(GOOD, "PARTY_TO\tT11\tT9\tx")
    train = write_article("khac", OTHER, OTHER_LABELS, folder="train")
    data = data.model_copy(update={"train": (Source(path=train),)})
    report = validate(config_of(data))
    assert (report.errors, report.warnings) == ((), ())
    assert list(report.counts) == ["train", "negatives"]
    assert report.counts["negatives"].pairs.total() == 2
    assert re.search(r"hard negatives +0 +2\n", summary(report))
    assert re.search(r"ACTS_ON +0 +1\n", summary(report))
    alone = validate(config_of(data.model_copy(update={"negatives": ()})))
    assert "hard negatives" not in summary(alone)


def test_validate_finds_what_is_wrong_with_them(write_negatives, write_article):
    copied = write_article("ban-sao", folder="train")
    data = write_negatives("MEETS\tT5\tT8\tx", lines=["T1\tPERSOM 4 8\tthoạ"]).model_copy(
        update={"train": (Source(path=copied),)}
    )
    messages = "\n".join(map(str, validate(config_of(data)).errors))
    assert "T5 is no mention of mau.ann" in messages
    assert "unknown type PERSOM" in messages
    assert "mau in negatives has the text of ban-sao in train" in messages


def test_validate_takes_a_folder_with_pairs_for_what_it_is(write_negatives, tmp_path):
    write_negatives("ACTS_ON\tT5\tT5\tx")
    config = tmp_path / "config.yaml"
    config.write_text(f"schema: {ROOT / 'annotations' / 'schema.yaml'}\ntext: {{segmenter: syllables}}\n")
    result = CliRunner().invoke(app, ["validate", str(tmp_path / "neg"), "--config", str(config)])
    assert result.exit_code == 2
    assert re.search(r"mau\.neg:1: error: ACTS_ON", result.output)
    split = config_for_paths(Config(), [tmp_path / "neg", tmp_path], None).data
    assert ([s.path for s in split.train], [s.path for s in split.negatives]) == ([tmp_path], [tmp_path / "neg"])


def test_the_hard_negatives_of_the_repo_are_in_order_and_enough():
    folder = ROOT / "annotations" / "negatives"
    articles = load_negatives(DataConfig(negatives=(Source(path=folder),)), SCHEMA)
    types = [pair.type for article in articles for pair in article.pairs]
    assert min(types.count(kind) for kind in SCHEMA.relations) >= 25
    assert len(types) >= 100
