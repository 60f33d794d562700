from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.commands.validate import config_for_paths, summary, validate
from pipeline.config import Config, DataConfig, Source
from pipeline.errors import QuanheError

SCHEMA = Path(__file__).parents[2] / "annotations" / "schema.yaml"
TEXT = "Ông Trần Văn Mẫu, Bộ trưởng Quốc phòng Anh, gặp bà Lan. Ông Mẫu thăm Anh."
PERSON, ROLE, COUNTRY, WOMAN, AGAIN, LAST = (
    "T1\tPERSON 4 16\tTrần Văn Mẫu",
    "T2\tROLE 18 38\tBộ trưởng Quốc phòng",
    "T3\tCOUNTRY 39 42\tAnh",
    "T4\tPERSON 51 54\tLan",
    "T5\tPERSON 60 63\tMẫu",
    "T6\tCOUNTRY 69 72\tAnh",
)
ALL = [PERSON, ROLE, COUNTRY, WOMAN, AGAIN, LAST, "*\tEquiv T1 T5", "*\tEquiv T3 T6"]


def config_of(segmenter: str = "syllables", **splits: Path) -> Config:
    data = DataConfig(**{split: (Source(path=path),) for split, path in splits.items()})
    return Config.model_validate({"schema": SCHEMA, "data": data, "text": {"segmenter": segmenter}})


def lines_of(problems) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in problems]


def test_a_correct_article_has_no_problem(write_article):
    report = validate(config_of(train=write_article()))
    assert (report.errors, report.warnings) == ((), ())
    count = report.counts["train"]
    assert (count.articles, count.mentions.total(), count.surviving) == (1, 11, 11)
    assert (count.mentions["PERSON"], count.relations["MEETS"], count.relations["ACTS_ON"]) == (3, 1, 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T7\tPERSOM 44 47\tgặp", "unknown type PERSOM; did you mean PERSON?"),
        ("T7\tPERSON 10 16\tăn Mẫu", "overlaps T1 'Trần Văn Mẫu' of line 1"),
        ("R1\tMEETS Arg1:T1 Arg2:T3", "has a COUNTRY as its tail; the schema wants PERSON"),
        ("R1\tROLE_AT Arg1:T4 Arg2:T3", "has a PERSON as its head"),
        ("R1\tMEETS Arg1:T4 Arg2:T1", "swap Arg1 and Arg2"),
        ("R1\tMEETS Arg1:T1 Arg2:T1", "joins a mention to itself"),
        ("R1\tMEET Arg1:T1 Arg2:T4", "did you mean MEETS?"),
    ],
)
def test_labels_against_the_schema(write_article, line, message):
    report = validate(config_of(train=write_article(text=TEXT, lines=[*ALL, line])))
    assert len(report.errors) == 1
    assert report.errors[0].line == 9
    assert message in report.errors[0].message


def test_repeated_relations_are_errors_and_repeated_facts_warnings(write_article):
    relations = ["R1\tMEETS Arg1:T1 Arg2:T4", "R2\tMEETS Arg1:T1 Arg2:T4", "R3\tMEETS Arg1:T4 Arg2:T5"]
    report = validate(config_of(train=write_article(text=TEXT, lines=[*ALL, *relations])))
    assert [line for line, _ in lines_of(report.errors)] == [10]
    assert "already labelled at line 9" in report.errors[0].message
    ((line, message),) = lines_of(report.warnings)
    assert line == 11
    assert "says what line 9 says" in message


def test_entity_links(write_article):
    lines = [*ALL, "*\tEquiv T1 T4", "R1\tMEETS Arg1:T1 Arg2:T4", "*\tEquiv T2 T3"]
    report = validate(config_of(train=write_article(text=TEXT, lines=lines)))
    assert [(line, "over several types" in message) for line, message in lines_of(report.errors)] == [(11, True)]
    found = lines_of(report.warnings)
    assert [line for line, _ in found] == [9, 10, 11]
    assert "T1 already in the Equiv of line 7" in found[0][1]
    assert "joins an entity to itself" in found[1][1]


def test_edges_are_warned_of_at_their_line(write_article):
    report = validate(config_of(train=write_article(text=TEXT, lines=[PERSON, "T2\tPERSON 51 55\tLan."])))
    assert report.errors == ()
    assert [line for line, _ in lines_of(report.warnings)] == [2]


def test_spans_that_words_cannot_hold_are_counted_and_named(write_article):
    lines = [PERSON, "T2\tROLE 18 30\tBộ trưởng Qu"]
    report = validate(config_of(train=write_article(text=TEXT, lines=lines)))
    ((line, message),) = lines_of(report.warnings)
    assert line == 2
    assert "inside the word 'Quốc': cut for training" in message
    assert report.counts["train"].surviving == 1
    assert "1 of 2 (50.0%)" in summary(report)


def test_the_default_segmenter_is_measured_too(write_article):
    report = validate(config_of("underthesea-crf", train=write_article(text=TEXT, lines=ALL)))
    assert report.counts["train"].surviving == 6


def test_a_span_inside_a_decomposed_letter_cannot_be_learnt(write_article):
    report = validate(config_of(train=write_article(text="e\u0301m Lan", lines=["T1\tPERSON 0 1\te"])))
    assert "no model can learn it" in report.warnings[0].message


def test_articles_without_text_or_labels(write_article):
    write_article("a", "", [])
    report = validate(config_of(train=write_article("b", TEXT, [])))
    assert [(Path(w.path).name, w.message) for w in report.warnings] == [
        ("a.txt", "no text in this article"),
        ("b.ann", "no mention is labelled in this article"),
    ]


LONG = "\n".join(
    f"Câu thứ {number} nói về chủ đề {word} với nhiều chi tiết mà không câu nào khác có."
    for number, word in enumerate(["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"])
)
OPENINGS = ["Sáng sớm", "Đầu giờ chiều", "Lúc trời mưa", "Tại sân bay", "Trên tàu", "Giữa buổi họp"]


def test_near_duplicates_across_splits_are_errors(write_article):
    train = write_article("goc", LONG, [], folder="train")
    rewritten = "Tin mới nhận được sáng nay từ phóng viên.\n" + LONG[: len(LONG) // 2].replace("chủ đề ba", "chuyện ba")
    test = write_article("sao", rewritten, [], folder="test")
    report = validate(config_of(train=train, test=test))
    (error,) = report.errors
    assert re.search(r"sao \(test\) repeats goc \(train, .*\): \d\d%", error.message)
    (sentences,) = [w for w in report.warnings if "stand also in train" in w.message]
    assert sentences.line == 2
    assert sentences.message.startswith("4 sentences of test")


def test_near_duplicates_within_a_split_are_errors(write_article):
    write_article("goc", LONG, [])
    report = validate(config_of(train=write_article("sao", LONG + "\nThêm một câu nữa ở cuối bài.", [])))
    (error,) = report.errors
    assert re.search(r"sao \(train\) repeats goc \(train, .*\): 100%", error.message)


def test_an_article_with_other_names_put_in_is_a_near_duplicate(write_article):
    sentences = [f"{opening} {{0}} nói với {{0}} mọi việc xong." for opening in OPENINGS]
    for article, name in (("goc", "Trần Văn Mẫu"), ("sao", "Lê Thị Ví Dụ")):
        text = "\n".join(sentence.format(name) for sentence in sentences)
        found = enumerate(re.finditer(name, text), 1)
        path = write_article(article, text, [f"T{n}\tPERSON {m.start()} {m.end()}\t{name}" for n, m in found])
    (error,) = validate(config_of(train=path)).errors
    assert "sao (train) with other names repeats goc (train, " in error.message


def test_the_same_text_in_two_splits_is_reported_once(write_article):
    train, test = write_article("a", LONG, [], folder="train"), write_article("b", LONG, [], folder="test")
    report = validate(config_of(train=train, test=test))
    assert len(report.errors) == 1
    assert "has the text of a in train" in report.errors[0].message


def test_articles_that_share_only_set_phrases_are_not_near_duplicates(write_article):
    phrase = "Cùng dự có lãnh đạo bộ."
    train = write_article("a", f"{LONG}\n{phrase}", [], folder="train")
    other = f"Bài này viết về một chuyện khác.\n{phrase}\n{TEXT}"
    report = validate(config_of(train=train, test=write_article("b", other, [], folder="test")))
    assert report.errors == ()
    ((line, message),) = [found for found in lines_of(report.warnings) if "stands also in train" in found[1]]
    assert (line, phrase in message) == (2, True)


SENTENCE = "Chiều qua, {} đã dành trọn buổi để kể với các em nhỏ về những chuyến tàu đầu tiên."


def write_sentence(write_article, article: str, name: str, folder: str) -> Path:
    own = " ".join(f"{article}{number}" for number in range(100))  # so that no article is a near-duplicate
    text = f"{own}\n{SENTENCE.format(name)}\n"
    start = text.find(name)
    return write_article(article, text, [f"T1\tPERSON {start} {start + len(name)}\t{name}"], folder=folder)


@pytest.mark.parametrize(("other", "renamed"), [("Lê Ví Dụ", " with other names"), ("Trần Mẫu", "")])
def test_a_sentence_of_another_split_is_an_error_whatever_its_names(write_article, other, renamed):
    train = write_sentence(write_article, "goc", "Trần Mẫu", "train")
    test = write_sentence(write_article, "sao", other, "test")
    report = validate(config_of(train=train, test=test))
    ((line, message),) = lines_of(report.errors)
    assert line == 2
    assert message.startswith(f"this sentence{renamed} stands in goc (train, {train / 'goc.txt'}:2), 100% alike")
    assert not any("stands also in" in warning.message for warning in report.warnings)
    assert [count.sentences.compared for count in report.counts.values()] == [2, 2]
    assert [count.sentences.reused for count in report.counts.values()] == [0, 1]
    assert re.search(r"found there, names set aside +0 +1\n", summary(report))


def test_within_a_split_only_a_sentence_with_other_names_is_an_error(write_article):
    write_sentence(write_article, "goc", "Trần Mẫu", "corpus")
    folder = write_sentence(write_article, "in_lai", "Trần Mẫu", "corpus")
    report = validate(config_of(train=folder))
    assert report.errors == ()
    assert [(w.line, "this sentence stands in goc" in w.message) for w in report.warnings] == [(2, True)]
    write_sentence(write_article, "khac", "Lê Ví Dụ", "corpus")
    report = validate(config_of(train=folder))
    assert [Path(error.path).name for error in report.errors] == ["khac.txt"]


def test_sentences_of_near_duplicates_are_not_reported_one_by_one(write_article):
    write_article("goc", LONG, [])
    report = validate(config_of(train=write_article("sao", LONG, [])))
    assert [error.line for error in report.errors] == [0]
    assert report.counts["train"].sentences.reused == 0


def test_a_config_without_data_is_an_error():
    with pytest.raises(QuanheError, match="no labelled articles"):
        validate(Config.model_validate({"schema": SCHEMA}))


def test_a_foreign_corpus_in_columns(tmp_path):
    schema = tmp_path / "schema.yaml"
    schema.write_text("entities: {SHIP: a ship, PORT: a port}\n")
    path = tmp_path / "cang.conll"
    path.write_text("tàu\tO\nSao_Biển\tB-SHIP\nrời\tO\nVũng_Tàu\tI-PORT\nvề\tO\nnhà\tO\nLan\tB-PER\n")
    data = {"format": "conll", "train": [{"path": path}]}
    report = validate(Config.model_validate({"schema": schema, "data": data}))
    assert lines_of(report.errors) == [(7, "T3: unknown type PER; there are SHIP, PORT")]
    assert [line for line, _ in lines_of(report.warnings)] == [4]
    assert report.counts["train"].surviving == 3


def test_paths_take_the_texts_that_the_config_names_for_them(tmp_path):
    labels, texts = tmp_path / "labels", tmp_path / "texts"
    labels.mkdir()
    config = Config.model_validate({"schema": SCHEMA, "data": {"train": {"path": labels, "texts": texts}}})
    assert config_for_paths(config, [labels], None).data.train[0].texts == texts
    assert config_for_paths(config, [tmp_path], None).data.train[0].texts is None
    assert config_for_paths(config, [labels], tmp_path).data.train[0].texts == tmp_path


def run(folder: Path, *options: str):
    config = folder.parent / "config.yaml"
    config.write_text(f"schema: {SCHEMA}\ntext: {{segmenter: syllables}}\n")
    return CliRunner().invoke(app, ["validate", str(folder), "--config", str(config), *options])


def test_command_line(write_article):
    result = run(write_article())
    assert result.exit_code == 0
    assert "errors: 0, warnings: 0" in result.output
    assert re.search(r"PERSON +3\n", result.output)


def test_command_line_ends_with_2_on_errors_and_on_warnings_when_strict(write_article):
    folder = write_article(text=TEXT, lines=[PERSON, "T2\tPERSON 51 55\tLan."])
    loose, strict = run(folder), run(folder, "--strict")
    assert (loose.exit_code, strict.exit_code) == (0, 2)
    assert re.search(r"mau\.ann:2: warning: T2: 'Lan\.' ends with \.", loose.output)
    assert re.search(r"mau\.ann:2: error: T2", strict.output)
    broken = run(write_article(text=TEXT, lines=["T1 x", "T2 y"]))
    assert broken.exit_code == 2
    assert re.search(r"mau\.ann:1: error: malformed.*\n.*mau\.ann:2: error: malformed", broken.output)
