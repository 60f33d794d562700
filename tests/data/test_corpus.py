from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pipeline.config import DataConfig, Source
from pipeline.data.corpus import load_source, load_split, load_splits
from pipeline.errors import ProblemsError

BRAT = DataConfig()
OTHER = "Một bài khác hẳn về thời tiết ở Huế."
HUE = [f"T1\tLOCATION {OTHER.index('Huế')} {OTHER.index('Huế') + 3}\tHuế"]


def problems_of(source: Source, data: DataConfig = BRAT) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        load_source(source, data)
    return [str(problem) for problem in caught.value.problems]


def test_a_folder_is_read_in_order_of_ids(write_article):
    write_article("b")
    folder = write_article("a", OTHER, HUE)
    documents = load_source(Source(path=folder), BRAT)
    assert [d.id for d in documents] == ["a", "b"]
    assert documents[0].mentions[0].text == "Huế"
    assert documents[0].words == []


def test_texts_may_lie_elsewhere_and_need_not_all_be_labelled(write_article, tmp_path):
    folder = write_article("a")
    write_article("b")
    texts = tmp_path / "texts"
    texts.mkdir()
    for path in folder.glob("*.txt"):
        path.rename(texts / path.name)
    (folder / "b.ann").unlink()
    (folder / "notes.md").write_text("no label file")
    assert [d.id for d in load_source(Source(path=folder, texts=texts), BRAT)] == ["a"]


def test_only_and_skip(write_article):
    folder = write_article("a")
    write_article("b")
    assert [d.id for d in load_source(Source(path=folder, only=("b",)), BRAT)] == ["b"]
    assert [d.id for d in load_source(Source(path=folder, skip=("b",)), BRAT)] == ["a"]
    assert "leave no article" in problems_of(Source(path=folder, skip=("a", "b")))[0]


def test_an_unknown_id_is_answered_with_near_ones(write_article):
    folder = write_article("article-17")
    (problem,) = problems_of(Source(path=folder, only=("artcle-17",)))
    assert "only: no article artcle-17 here; did you mean article-17?" in problem


def test_half_an_article_is_an_error_unless_skipped(write_article):
    folder = write_article("a")
    write_article("b")
    write_article("c")
    (folder / "a.ann").unlink()
    (folder / "b.txt").unlink()
    first, second = problems_of(Source(path=folder))
    assert "a.txt: no labels a.ann" in first
    assert "b.ann: no text" in second
    assert [d.id for d in load_source(Source(path=folder, skip=("a", "b")), BRAT)] == ["c"]


def test_folders_that_hold_nothing(tmp_path, write_article):
    assert "no such folder" in problems_of(Source(path=tmp_path / "nowhere"))[0]
    assert "no such folder" in problems_of(Source(path=write_article(), texts=tmp_path / "nowhere"))[0]
    (tmp_path / "empty").mkdir()
    assert "no .ann files" in problems_of(Source(path=tmp_path / "empty"))[0]
    (tmp_path / "x.conll").write_text("Lan O\n")
    assert "a file, but" in problems_of(Source(path=tmp_path / "x.conll"))[0]


def test_problems_of_all_files_and_splits_come_together(write_article):
    one = write_article("a", lines=["T1\tA 0 1\tx", "E1\tnothing"], folder="one")
    two = write_article("b", OTHER, ["T1 broken"], folder="two")
    with pytest.raises(ProblemsError) as caught:
        load_splits(DataConfig(train=(Source(path=one),), test=(Source(path=two),)))
    assert [(Path(p.path).name, p.line) for p in caught.value.problems] == [("a.ann", 1), ("a.ann", 2), ("b.ann", 1)]


def test_splits_are_loaded_apart(write_article):
    folder = write_article("a")
    write_article("b", OTHER, HUE)
    data = DataConfig(train=(Source(path=folder, skip=("b",)),), test=(Source(path=folder, only=("b",)),))
    assert [d.id for d in load_split(data, "train")] == ["a"]
    assert [d.id for d in load_split(data, "test")] == ["b"]
    assert load_split(data, "dev") == []


def test_an_article_may_not_stand_in_two_splits(write_article):
    train = write_article("a", folder="train")
    same_id = write_article("a", OTHER, HUE, folder="dev")
    same_text = write_article("c", folder="test")
    data = DataConfig(train=(Source(path=train),), dev=(Source(path=same_id),), test=(Source(path=same_text),))
    with pytest.raises(ProblemsError, match="held out means by article") as caught:
        load_split(data, "train")
    first, second = map(str, caught.value.problems)
    assert "a is in dev, and in train from" in first
    assert "c in test has the text of a in train" in second


def test_one_folder_in_two_splits_is_one_line_an_article(write_article):
    folder = write_article("a")
    data = DataConfig(train=(Source(path=folder),), test=(Source(path=folder),))
    with pytest.raises(ProblemsError) as caught:
        load_splits(data)
    assert [p.message.split(";")[0] for p in caught.value.problems] == ["a is in test and in train"]


def test_an_id_may_not_stand_twice_in_one_split(write_article):
    sources = tuple(Source(path=write_article("a", folder=name)) for name in ("one", "two"))
    with pytest.raises(ProblemsError, match="a is in train twice"):
        load_splits(DataConfig(train=sources))


def conll(folder: Path, name: str, content: str) -> Source:
    (folder / name).write_bytes(content.encode())
    return Source(path=folder / name)


def test_a_segmented_corpus_keeps_its_words_in_every_file(tmp_path):
    train = conll(tmp_path, "train.conll", "Hà_Nội B-LOC\n")
    dev = conll(tmp_path, "dev.conll", "Huế B-LOC\n")
    data = DataConfig(format="conll", train=(train,), dev=(dev,))
    assert [w.form for d in load_split(data, "dev") for w in d.words] == ["Huế"]
    alone = DataConfig(format="conll", dev=(dev,))
    assert [d.words for d in load_split(alone, "dev")] == [[]]


def test_a_column_file_is_filtered_by_document(tmp_path):
    source = conll(tmp_path, "a.conll", "Hà_Nội B-LOC\n\nHuế B-LOC\n")
    data = DataConfig(format="conll")
    chosen = source.model_copy(update={"only": ("a-2",)})
    assert [d.text for d in load_source(chosen, data)] == ["Huế"]


def test_sentences_may_recur_across_column_files_but_files_may_not(tmp_path):
    train = conll(tmp_path, "train.conll", "Ảnh : VNA\tO\n")
    test = conll(tmp_path, "test.conll", "Ảnh : VNA\tO\n")
    assert len(load_split(DataConfig(format="conll", train=(train,), test=(test,)), "test")) == 1
    with pytest.raises(ProblemsError, match="in test and in train"):
        load_splits(DataConfig(format="conll", train=(train,), test=(train,)))


def test_column_files_that_hold_nothing(tmp_path):
    data = DataConfig(format="conll")
    assert "no such file" in problems_of(Source(path=tmp_path / "x"), data)[0]
    assert "one file" in problems_of(Source(path=tmp_path), data)[0]
    assert "no tokens" in problems_of(conll(tmp_path, "e.conll", "\n\n"), data)[0]


def test_repaired_tags_are_logged(tmp_path, caplog):
    source = conll(tmp_path, "a.conll", "Huế I-LOC\n")
    with caplog.at_level(logging.WARNING):
        load_source(source, DataConfig(format="conll"))
    assert "a.conll:1: I-LOC after the sentence edge" in caplog.text
