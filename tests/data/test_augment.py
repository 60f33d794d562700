"""All operations together, on the labelled articles of the repo."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_corpus import marked, tiny_article

from pipeline.config import AugmentConfig, Config
from pipeline.data.align import bio_labels
from pipeline.data.augment import augment, training_copies
from pipeline.data.augment.edits import by_entity
from pipeline.data.augment.gazetteers import load_gazetteers
from pipeline.data.augment.spelling import lookup_key
from pipeline.data.brat import read_brat
from pipeline.document import Document
from pipeline.errors import ProblemsError, QuanheError
from pipeline.yaml_file import validate

ROOT = Path(__file__).parents[2]
GAZETTEERS = ROOT / "annotations" / "gazetteers"
OPERATIONS = [
    n for n in AugmentConfig.model_fields if n not in ("copies", "gazetteers", "keep_vietnam", "segmentation")
]


def config(**shares: float) -> AugmentConfig:
    return AugmentConfig.model_validate({"gazetteers": GAZETTEERS, **shares})


@cache
def articles() -> list[tuple[Path, Path]]:
    authored = [(path, path.with_suffix(".txt")) for path in sorted((ROOT / "annotations/authored").glob("*.ann"))]
    seeds = [(path, ROOT / "seeds" / f"{path.stem}.txt") for path in sorted((ROOT / "annotations").glob("*.ann"))]
    return [pair for pair in [*seeds, *authored] if pair[1].is_file()]


@cache
def article(index: int) -> Document:
    return read_brat(*articles()[index])[0]


@settings(max_examples=80)
@given(
    st.integers(0, len(articles()) - 1),
    st.integers(0, 10**6),
    st.dictionaries(st.sampled_from(OPERATIONS), st.sampled_from([0.3, 1.0])),
    st.sampled_from([0.0, 1.0]),
)
def test_labels_stay_true_whatever_is_changed(index, seed, shares, keep_vietnam):
    original = article(index)
    for changed in augment([original], config(**shares, keep_vietnam=keep_vietnam), seed):
        last = 0
        for before, after in zip(original.mentions, changed.mentions, strict=True):
            assert changed.text[after.start : after.end] == after.text
            assert after.text == after.text.strip() != ""
            assert after.start >= last
            assert (after.id, after.type, after.entity) == (before.id, before.type, before.entity)
            last = after.end
        assert changed.relations == original.relations
        links = [(entity.id, entity.type, entity.mentions) for entity in original.entities]
        assert [(entity.id, entity.type, entity.mentions) for entity in changed.entities] == links
        assert changed.text != original.text
        assert changed.words == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_text_outside_mentions_changes_only_in_spelling(operation):
    """What replaces things touches mentions alone; what respells keeps the letters."""
    originals = [article(index) for index in range(0, len(articles()), 12)]
    copies = augment(originals, config(**{operation: 1.0}), 5)
    assert len(copies) >= len(originals) / 4
    by_id = {f"{document.id}+1": document for document in originals}
    respells = operation in ("case", "tones", "i_or_y", "diacritics")
    for changed in copies:
        old, new = outside(by_id[changed.id]), outside(changed)
        assert (len("".join(new)) == len("".join(old))) if respells else new == old
        kinds = {a.type for a, b in zip(changed.mentions, by_id[changed.id].mentions, strict=True) if a.text != b.text}
        assert respells or operation == "abbreviations" or kinds <= TOUCHED[operation]


TOUCHED = {
    "names": {"PERSON"},
    "countries": {"COUNTRY", "ORG", "EVENT", "AGREEMENT", "LOCATION"},
    "places": {"LOCATION"},
    "ranks": {"RANK"},
    "roles": {"ROLE"},
    "organisations": {"ORG"},
    "agreements": {"AGREEMENT"},
    "events": {"EVENT"},
    "dates": {"DATE"},
}


@pytest.mark.parametrize("operation", TOUCHED)
def test_things_stay_apart_and_change_as_a_whole(operation):
    """Over the labelled articles: no two things become one, none is half renamed, no title loses a country."""
    originals = {f"{document.id}+1": document for document in map(article, range(0, len(articles()), 2))}
    copies = augment(list(originals.values()), config(**{operation: 0.6}, keep_vietnam=0.5), 13)
    assert len(copies) > len(originals) / 3
    for changed in copies:
        original = originals[changed.id]
        assert one_name_for_two(changed) <= one_name_for_two(original)
        texts = {mention.id: mention.text for mention in original.mentions}
        for things in by_entity(changed.mentions):
            pairs = [(texts[mention.id], mention.text) for mention in things]
            assert not half_renamed(pairs), pairs
            if things[0].type in ("AGREEMENT", "EVENT") and operation != "countries":
                assert all(codes(old) <= codes(new) for old, new in pairs), pairs


def one_name_for_two(document: Document) -> set[tuple[str, str]]:
    """Pairs of things of one type that the article calls by one name."""
    by_name: dict[tuple[str, str], set[str]] = {}
    for mention in document.mentions:
        by_name.setdefault((mention.type, lookup_key(mention.text)), set()).add(mention.entity or mention.id)
    return {pair for things in by_name.values() for pair in combinations(sorted(things), 2)}


def half_renamed(pairs: list[tuple[str, str]]) -> bool:
    """Whether one name of a thing changed and another did not: one that is no part of the new name (tướng of thiếu
    tướng), nor one without the country that changed (KOICA)."""
    changed = [(old, new) for old, new in pairs if lookup_key(old) != lookup_key(new)]
    gone = {code for old, new in changed for code in codes(old) - codes(new)}
    stayed = [old for old, new in pairs if lookup_key(old) == lookup_key(new)]
    parts = all(f" {lookup_key(old)} " in f" {lookup_key(new)} " for old in stayed for _, new in changed)
    return not parts and not (gone and all(codes(old).isdisjoint(gone) for old in stayed))


@cache
def codes(text: str) -> set[str]:
    return {form[0] for _, _, form in load_gazetteers(GAZETTEERS).countries.names.find(text)}


def outside(document: Document) -> list[str]:
    edges = [0, *(edge for mention in document.mentions for edge in (mention.start, mention.end)), len(document.text)]
    return [document.text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


def test_everything_is_off_by_default():
    assert augment([tiny_article(0)], AugmentConfig(), 1) == []
    assert Config().data.augment == AugmentConfig()


def test_the_same_seed_makes_the_same_copies_in_any_order_and_others_do_not():
    documents = [article(index) for index in (0, 5, 9)]
    everything = config(**dict.fromkeys(OPERATIONS, 0.6), copies=2)
    copies = augment(documents, everything, 3)
    assert [document.id for document in copies] == [f"{d.id}+{number}" for d in documents for number in (1, 2)]
    assert sorted(augment(documents[::-1], everything, 3), key=lambda d: d.id) == sorted(copies, key=lambda d: d.id)
    assert augment(documents, everything, 4) != copies
    assert copies[0].text != copies[1].text


def test_an_operation_draws_the_same_when_another_is_switched_on():
    document = max(map(article, range(20)), key=lambda d: len({m.text for m in d.mentions if m.type == "RANK"}))
    alone = augment([document], config(ranks=0.5), 8)[0]
    both = augment([document], config(ranks=0.5, names=1.0, dates=1.0), 8)[0]
    ranks = [[mention.text for mention in copy.mentions if mention.type == "RANK"] for copy in (alone, both)]
    assert ranks[0] == ranks[1]


def test_the_articles_themselves_stay_as_they_are():
    documents = [tiny_article(number) for number in range(4)]
    augment(documents, config(**dict.fromkeys(OPERATIONS, 1.0)), 1)
    assert documents == [tiny_article(number) for number in range(4)]


def test_copies_in_which_nothing_changed_are_left_out_and_counted(splitter):
    documents = [marked("Không có gì ở đây.", id="a"), marked("[Đại tướng|RANK] đến.", id="b")]
    said: list[str] = []
    copies = training_copies(documents, splitter, config(ranks=1.0, copies=3), 1, said.append)
    assert {copy.id for copy in copies} == {"b+1", "b+2", "b+3"}
    assert said == ["augmentation: 3 changed copies of 2 articles, 3 left out in which nothing changed"]


def test_copies_are_segmented_as_training_articles_are(splitter):
    documents = [replace(article(index)) for index in range(6)]
    copies = training_copies(documents, splitter, config(**dict.fromkeys(OPERATIONS, 1.0)), 1)
    lost = [mention for copy in copies for mention in bio_labels(copy)[1]]
    assert len(copies) == 6 and lost == []
    said: list[str] = []
    cut = training_copies(documents, splitter, config(segmentation=1.0), 1, said.append)
    assert not any("_" in word.form for copy in cut for word in copy.words)
    assert said[0].endswith("words cut into syllables")
    assert [copy.text for copy in cut] == [document.text for document in documents]


def test_mistakes_in_the_settings_are_named():
    with pytest.raises(ProblemsError, match=r"unknown key data\.augment\.name; did you mean names"):
        validate(Config, {"data": {"augment": {"name": 0.5}}}, {(): ("c.yaml", 1)})
    with pytest.raises(ProblemsError, match=r"data\.augment\.dates: .*less than or equal to 1"):
        validate(Config, {"data": {"augment": {"dates": 1.5}}}, {(): ("c.yaml", 1)})
    with pytest.raises(QuanheError, match="no such folder"):
        augment([tiny_article(0)], AugmentConfig(names=1.0, gazetteers=Path("nowhere")), 1)
