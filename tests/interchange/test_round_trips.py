"""Articles that go through a format and come back are the same, as far as the format can hold them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from interchange_articles import articles

from pipeline.document import Document, Entity, Fact, Relation
from pipeline.interchange.articles import Options, Span, build_document, links
from pipeline.interchange.formats import by_name
from pipeline.interchange.losses import count_losses
from pipeline.text.segmenters import SyllableSegmenter
from pipeline.text.words import WordSplitter

ROOT = Path(__file__).parents[2]
SYLLABLES = Options(splitter=lambda: WordSplitter(SyllableSegmenter()))
NAMES = {"brat": "folder", "conll": "a.conll", "label-studio": "a.json", "doccano": "a.jsonl", "jsonl": "a.jsonl"}
FULL = ("brat", "label-studio", "doccano", "jsonl")


def through(name: str, documents: list[Document], folder: Path, options: Options = SYLLABLES) -> list[Document]:
    place = folder / name / NAMES[name]
    shutil.rmtree(place.parent, ignore_errors=True)
    place.parent.mkdir(parents=True)
    by_name(name).write(documents, place, options)
    return by_name(name).read(place, options).documents


def labels(document: Document) -> tuple:
    """Text, mentions, relations and links, without scores and ids."""
    spans = {mention.id: mention.span for mention in document.mentions}
    relations = sorted((r.type, spans[r.head], spans[r.tail]) for r in document.relations)
    entities = sorted(sorted(mention.span for mention in group) for group in links(document))
    return document.text, sorted(spans.values()), relations, entities


@pytest.fixture(scope="module")
def seeds() -> list[Document]:
    return by_name("brat").read(ROOT / "annotations", Options(texts=ROOT / "seeds")).documents


@pytest.mark.parametrize("name", FULL)
def test_the_seeds_come_back_to_brat_byte_for_byte(seeds, name, tmp_path):
    assert len(seeds) == 5 and sum(len(document.relations) for document in seeds) > 100
    back = through(name, seeds, tmp_path)
    assert [labels(document) for document in back] == [labels(document) for document in seeds]
    for folder, documents in (("before", seeds), ("after", back)):
        by_name("brat").write(documents, tmp_path / folder, SYLLABLES)
    for path in sorted((tmp_path / "before").iterdir()):
        assert path.read_bytes() == (tmp_path / "after" / path.name).read_bytes()


def test_conll_holds_every_mention_of_the_seeds(seeds, tmp_path):
    back = through("conll", seeds, tmp_path)
    for before, after in zip(seeds, back, strict=True):
        sides = [[(m.type, "".join(m.text.split())) for m in document.mentions] for document in (before, after)]
        assert sides[0] == sides[1]


@pytest.mark.parametrize("name", FULL)
def test_any_article_comes_back(name, tmp_path_factory):
    folder = tmp_path_factory.mktemp(name)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(articles())
    @example(build_document("x", "a\r\nb", [Span("1", 0, 3, "PERSON"), Span("2", 1, 2, "PERSON")], [])[0])
    def comes_back(document: Document) -> None:
        (back,) = through(name, [document], folder)
        assert labels(back) == labels(document)
        assert back.id == document.id

    comes_back()


def test_what_conll_loses_is_what_is_counted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conll")

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(articles())
    def counted(document: Document) -> None:
        place = folder / "a.conll"
        written = by_name("conll").write([document], place, SYLLABLES)
        if written.ids == [None]:
            assert not document.text.split() or not written.documents[0].words
            return
        back = by_name("conll").read(place, SYLLABLES).documents
        losses = count_losses(written, back)
        kept = len(document.mentions) - losses["mentions"] + losses["mentions that were not there before"]
        assert kept == len(back[0].mentions)
        assert losses["relations"] == len(document.relations)
        assert losses["entities that link two or more mentions"] == len(links(document))

    counted()


@pytest.mark.parametrize("name", ["label-studio", "jsonl"])
def test_scores_fields_and_ids_stay(hard, name, tmp_path):
    for options in (SYLLABLES, replace(SYLLABLES, predictions=True)):
        assert through(name, hard, tmp_path, options) == hard


def test_doccano_keeps_fields_and_links(hard, tmp_path):
    back = through("doccano", hard, tmp_path)
    assert [labels(document) for document in back] == [labels(document) for document in hard]
    assert back[0].fields == {"url": "tin/1", "number": 3}
    assert {m.score for m in back[0].mentions} == {1.0}


def test_jsonl_holds_entities_and_facts(tmp_path):
    document, _ = build_document(
        "a", "Lê Thử, ông Thử", [Span("1", 0, 6, "PERSON", 0.9, "p"), Span("2", 12, 15, "PERSON", 0.8, "p")], []
    )
    document.entities = [Entity("E7", "PERSON", "Lê Văn Thử", ("T1", "T2"), {"iso": "VN"})]
    document.mentions = [replace(mention, entity="E7") for mention in document.mentions]
    document.relations = [Relation("MEETS", "T1", "T2", 0.7)]
    document.facts = [Fact("MEETS", "E7", "E7", 0.7, (("T1", "T2"),))]
    assert through("jsonl", [document], tmp_path) == [document]


def test_types_with_blanks_are_respelt_where_columns_are_parted_by_blanks(tmp_path):
    document, _ = build_document(
        "a", "Đại tướng Lê", [Span("1", 0, 9, "Quân hàm"), Span("2", 10, 12, "PERSON")], [Relation("có hàm", "2", "1")]
    )
    written = by_name("brat").write([document], tmp_path / "b", SYLLABLES)
    assert written.notes == {"labels whose type has a blank, written with _": 2}
    (back,) = by_name("brat").read(tmp_path / "b", SYLLABLES).documents
    assert [m.type for m in back.mentions] == ["Quân_hàm", "PERSON"]
    assert count_losses(written, [back]) == {}
    assert labels(through("label-studio", [document], tmp_path)[0]) == labels(document)


def test_an_own_segmentation_stays_in_conll(tmp_path):
    text = "-DOCSTART-\tO\n\nĐại_tướng\tB-RANK\nLê_Thử\tB-PERSON\n\n"
    (tmp_path / "in.conll").write_text(text, encoding="utf-8")
    found = by_name("conll").read(tmp_path / "in.conll", Options())
    by_name("conll").write(found.documents, tmp_path / "in2.conll", Options())
    assert (tmp_path / "in2.conll").read_text(encoding="utf-8") == text
