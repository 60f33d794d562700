"""What the labelled corpus holds, counted split by split: the figures behind ``benchmarks/corpus.py``."""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from pipeline.config import Config
from pipeline.data.corpus import read_splits
from pipeline.data.labelled import Labelled
from pipeline.data.negatives import read_negatives
from pipeline.data.overlap import masked_words, overlaps, own_words, shingles
from pipeline.document import Document
from pipeline.errors import ProblemsError, QuanheError
from pipeline.schema import Schema
from pipeline.text.countries import guess_country
from pipeline.text.normalise import tone_to_new, tone_to_old
from pipeline.text.words import WordSplitter

HELD_BACK = "held back"
METADATA = "articles.csv"
COLUMNS = ("id", "authored", "kind", "countries", "register", "year", "words")
KINDS = {
    "dialogue": "dialogue between ministries",
    "visit-out": "official visit, going out",
    "visit-in": "official visit or guests received",
    "phone-call": "phone or video call",
    "sideline-meeting": "meeting beside a forum",
    "signing": "signing ceremony",
    "conference": "ASEAN, ADMM+ and other conferences",
    "exercise": "exercise, patrol, army games",
    "port-call": "naval port call",
    "peacekeeping": "peacekeeping",
    "war-legacy": "war legacy: mines, dioxin, the missing",
    "military-medicine": "military medicine",
    "defence-industry": "defence industry, arms deals",
    "border": "border meeting",
    "appointment": "appointment, promotion, dismissal",
    "obituary": "obituary, death notice",
    "press-conference": "press conference",
    "commentary": "commentary, explainer",
    "un-security-council": "UN Security Council",
    "foreign-affairs": "trade, foreign ministry, parliament",
    "photo-series": "photo caption series",
    "interview": "interview",
    "translated-wire": "clumsily translated wire copy",
    "nothing-to-find": "nothing or little to find",
}
# Shorter sentences recur in any news (by-lines, captions).
_SENTENCE_WORDS = 6
_MONTHS = "giêng|một|hai|ba|tư|năm|sáu|bảy|tám|chín|mười|mười một|mười hai"
# The first that matches the whole DATE, in lower case, names its form.
DATE_FORMS = {
    "27-5, 27-5-2019": r"\d{1,2}-\d{1,2}(-\d{4})?",
    "27/5, 27/5/2019": r"\d{1,2}/\d{1,2}(/\d{4})?",
    "27.5, 27.5.2019": r"\d{1,2}\.\d{1,2}(\.\d{4})?",
    "27 tháng 5 (năm 2019)": r"\d{1,2} tháng \d{1,2}( năm \d{4})?",
    "tháng 5/2019, tháng 5-2019, tháng 5 năm 2019": r"tháng \d{1,2}([-/.]| năm )\d{4}",
    "tháng 5": r"tháng \d{1,2}",
    "month in words (tháng Mười)": rf".*tháng ({_MONTHS})\b.*",
    "năm 2019": r"năm \d{4}",
    "2019": r"\d{4}",
    "quý III, quý 4/2019": r".*quý ([ivx]+|\d)\b.*",
    "part of a month, a year (cuối năm 2019, mùa xuân)": r"(đầu|giữa|cuối|nửa|trung tuần|tuần|mùa|những|thượng|hạ)\b.*",
    "years (2018 - 2020)": r"(năm )?\d{4} ?[-–] ?\d{4}",
    "days (3 đến 5/6, 24 và 25/1)": r"\d.*( đến | tới | và | ?[-–] ?|, ?)\d.*",
}
ABBREVIATIONS = {
    name: re.compile(rf"(?<!\w){pattern}(?!\w)")
    for name, pattern in {
        "BQP": "BQP", "QUTW": "QUTW", "LHQ": "LHQ", "TBT": "TBT", "TP. HCM": r"TP\.? ?HCM", "QĐND": "QĐND",
        "UBND": "UBND", "BĐBP": "BĐBP", "HĐBA": "HĐBA", "CHQS": "CHQS", "BTL": "BTL", "BCH": "BCH", "T.Ư": r"T\.Ư",
        "CHLB": "CHLB", "CHDCND": "CHDCND", "CHXHCN": "CHXHCN", "TTXVN": "TTXVN", "VN": "VN",
    }.items()
}  # fmt: skip
DASHES = {"A-B": "-", "A - B": " - ", "A–B": "–", "A – B": " – "}


@dataclass(slots=True)
class Article:
    """A labelled article with its words and sentences, and what the metadata say of it.

    Attributes:
        part: train, dev, test or held back.
        kinds: none for an article that is not authored.
        negatives: relation types of its hard negative pairs.
    """

    part: str
    item: Labelled
    kinds: tuple[str, ...] = ()
    negatives: tuple[str, ...] = ()

    @property
    def document(self) -> Document:
        return self.item.document

    @property
    def authored(self) -> bool:
        return bool(self.kinds)

    @property
    def words(self) -> int:
        return count_words(self.document.text)

    def sentence_of(self, offset: int) -> int:
        """Which sentence holds an offset of the text."""
        starts = [self.document.words[first].start for first, end in self.document.sentences if end > first]
        return bisect_right(starts, offset) - 1


def count_words(text: str) -> int:
    """White-space separated words that hold a letter or a digit: in Vietnamese, syllables."""
    return sum(any(character.isalnum() for character in word) for word in text.split())


def load(config: Config, schema: Schema, splitter: WordSplitter) -> list[Article]:
    """Every article of a config, held-back ones last.

    Raises:
        ProblemsError: all problems of the label files.
        QuanheError: the metadata do not fit the articles.
    """
    readings = read_splits(config.data)
    negatives = read_negatives(config.data, schema)
    if problems := [*negatives.errors, *(error for reading in readings.values() for error in reading.errors)]:
        raise ProblemsError(problems)
    articles = [Article(split, item) for split, reading in readings.items() for item in reading.items]
    for item, pairs in zip(negatives.items, negatives.pairs, strict=True):
        articles.append(Article(HELD_BACK, item, negatives=tuple(pair.type for pair in pairs)))
    for article in articles:
        splitter(article.document)
    for folder in dict.fromkeys(article.item.text_path.parent for article in articles):
        if (folder / METADATA).is_file():
            _add_metadata(folder / METADATA, [a for a in articles if a.item.text_path.parent == folder])
    return articles


def _add_metadata(path: Path, articles: Sequence[Article]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise QuanheError(f"{path}:1: other columns are needed; write {','.join(COLUMNS)}")
        rows = {row["id"]: row for row in reader}
    for article in articles:
        name = article.document.id
        if name not in rows:
            raise QuanheError(f"{path}: no row for {name}; add it")
        row = rows[name]
        if row["authored"] != "yes" or row["words"] != str(article.words):
            raise QuanheError(f"{path}: {name}: write authored=yes and words={article.words}")
        article.kinds = tuple(row["kind"].split(";"))
        if unknown := set(article.kinds) - KINDS.keys():
            raise QuanheError(f"{path}: {name}: no kind {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")


@dataclass(slots=True)
class Counts:
    """What one part holds; ``crossing`` counts the relations whose mentions stand in two sentences."""

    articles: int = 0
    words: int = 0
    sentences: int = 0
    mentions: Counter[str] = field(default_factory=Counter)
    entities: Counter[str] = field(default_factory=Counter)
    relations: Counter[str] = field(default_factory=Counter)
    crossing: Counter[str] = field(default_factory=Counter)
    negatives: Counter[str] = field(default_factory=Counter)


def count(articles: Iterable[Article]) -> Counts:
    """Count a set of articles."""
    counts = Counts()
    for article in articles:
        document = article.document
        counts.articles += 1
        counts.words += article.words
        counts.sentences += len(document.sentences)
        counts.mentions.update(mention.type for mention in document.mentions)
        counts.entities.update(kind for kind, _ in {(m.type, m.entity) for m in document.mentions})
        counts.relations.update(relation.type for relation in document.relations)
        counts.crossing.update(_crossing(article))
        counts.negatives.update(article.negatives)
    return counts


def _crossing(article: Article) -> Iterator[str]:
    sentence = {mention.id: article.sentence_of(mention.start) for mention in article.document.mentions}
    for relation in article.document.relations:
        if sentence[relation.head] != sentence[relation.tail]:
            yield relation.type


def country_forms(articles: Iterable[Article]) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Country code → its forms as written and how many articles have each; and forms that no code was found for."""
    forms: dict[str, Counter[str]] = {}
    unknown: Counter[str] = Counter()
    for article in articles:
        for surface in {mention.text for mention in article.document.mentions if mention.type == "COUNTRY"}:
            code = guess_country(surface)
            (unknown if code is None else forms.setdefault(code, Counter()))[surface] += 1
    return forms, unknown


def country_articles(articles: Iterable[Article]) -> Counter[str]:
    """Country code → the number of articles that mention it."""
    counts: Counter[str] = Counter()
    for article in articles:
        surfaces = {mention.text for mention in article.document.mentions if mention.type == "COUNTRY"}
        counts.update({code for surface in surfaces if (code := guess_country(surface))})
    return counts


def date_forms(articles: Iterable[Article]) -> Counter[str]:
    """How the dates are written."""
    patterns = {name: re.compile(pattern) for name, pattern in DATE_FORMS.items()}
    counts: Counter[str] = Counter(dict.fromkeys(patterns, 0))
    for article in articles:
        for mention in article.document.mentions:
            if mention.type == "DATE":
                surface = " ".join(mention.text.lower().split())
                counts[next((name for name, form in patterns.items() if form.fullmatch(surface)), "other")] += 1
    return counts


def spelling(articles: Sequence[Article]) -> dict[str, tuple[int, int]]:
    """Spelling variant → how often it stands, and in how many articles."""
    texts = [article.document.text for article in articles]
    rows: dict[str, Sequence[int]] = {
        "tone placed as in hòa, ủy": [_changed(text, tone_to_new(text)) for text in texts],
        "tone placed as in hoà, uỷ": [_changed(text, tone_to_old(text)) for text in texts],
        "ký": [len(re.findall(r"\b[Kk]ý\b", text)) for text in texts],
        "kí": [len(re.findall(r"\b[Kk]í\b", text)) for text in texts],
        "straight quotes": [text.count('"') for text in texts],
        "curly quotes": [text.count("“") + text.count("”") for text in texts],
        "headline in capitals": [_headline(text).isupper() for text in texts],
        "headline without diacritics": [_headline(text).isascii() for text in texts],
        "photo credit (Ảnh: …)": [len(re.findall(r"[ẢảẢ]nh: ?\w", text)) for text in texts],
    }
    documents = [article.document for article in articles]
    rows |= {f"two countries joined as {name}": [_joined(d, dash) for d in documents] for name, dash in DASHES.items()}
    rows |= {f"abbreviation {name}": [len(p.findall(text)) for text in texts] for name, p in ABBREVIATIONS.items()}
    return {name: (sum(counts), sum(count > 0 for count in counts)) for name, counts in rows.items()}


def _changed(text: str, other: str) -> int:
    """Syllables with another tone placement: two letters of each differ."""
    return sum(one != two for one, two in zip(text, other, strict=True)) // 2


def _headline(text: str) -> str:
    return next((line for line in text.split("\n") if line.strip()), "")


def _joined(document: Document, dash: str) -> int:
    mentions = sorted(document.mentions, key=lambda mention: mention.start)
    gaps = [document.text[a.end : b.start] for a, b in pairwise(mentions) if a.type == b.type == "COUNTRY"]
    return gaps.count(dash)


@dataclass(frozen=True, slots=True)
class Closest:
    """The two articles of some pairs that share most; ``share`` is 0 without any pair."""

    share: float = 0.0
    first: str = ""
    second: str = ""


def closest(articles: Sequence[Article], *, masked: bool) -> tuple[Closest, Closest]:
    """The closest two articles of one split, and of two splits (``pipeline.data.overlap``)."""
    best = {True: Closest(), False: Closest()}
    for overlap in overlaps([shingles(article.document, masked=masked) for article in articles]):
        first, second = articles[overlap.first], articles[overlap.second]
        same = first.part == second.part
        if not best[same].share:
            names = (f"{article.document.id} ({article.part})" for article in (first, second))
            best[same] = Closest(overlap.share, *names)
    return best[True], best[False]


def repeated_sentences(articles: Iterable[Article]) -> list[tuple[str, list[str]]]:
    """Sentences that stand in two articles, names set aside: masked wording and article ids."""
    found: dict[str, list[str]] = {}
    for article in articles:
        document = article.document
        for first, end in document.sentences:
            words = masked_words(document, document.words[first].start, document.words[end - 1].end)
            if own_words(words) >= _SENTENCE_WORDS:
                found.setdefault(" ".join(words), []).append(document.id)
    return [(wording, ids) for wording, ids in found.items() if len(set(ids)) > 1]
