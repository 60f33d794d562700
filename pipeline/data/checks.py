"""What can be wrong with labels although they can be read: against the schema, between articles, against the words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from pipeline.data.align import bio_labels, edge_words, gold_edges, surviving
from pipeline.data.corpus import Split
from pipeline.data.labelled import Labelled, suggestion
from pipeline.document import Document, Mention, Relation
from pipeline.errors import Problem
from pipeline.schema import Schema
from pipeline.text.edges import edge_fault
from pipeline.text.normalise import normalise, tone_to_new
from pipeline.text.words import WordSplitter

# Word sequences of this length hardly recur by chance; set phrases of one field do (Broder, 1997, on shingles).
SHINGLE = 8
# Unrelated reports of one event share up to 15 % of the shorter one's shingles (measured on 25 news articles), reprints
# far more.
NEAR_DUPLICATE = 0.3
# A shingle in more articles than this is boilerplate of the site.
_BOILERPLATE = 50
# Shorter sentences recur in any news (by-lines, captions).
_SENTENCE_WORDS = 6

_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Findings:
    """Errors break the contract between labels and models; warnings are worth a look."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def check_labels(item: Labelled, schema: Schema, findings: Findings) -> None:
    """Check the mentions, relations and entity links of one document."""
    if item.article and not item.document.text.strip():
        findings.warnings.append(Problem(str(item.text_path), 0, "no text in this article"))
    elif item.article and not item.document.mentions:
        findings.warnings.append(Problem(str(item.path), 0, "no mention is labelled in this article"))
    _check_mentions(item, schema, findings)
    _check_relations(item, schema, findings)
    _check_links(item, findings)


def _check_mentions(item: Labelled, schema: Schema, findings: Findings) -> None:
    widest: Mention | None = None
    for mention in sorted(item.document.mentions, key=lambda m: (m.start, -m.end)):
        if mention.type not in schema.entities:
            message = f"{mention.id}: unknown type {mention.type}{suggestion(mention.type, schema.entities)}"
            findings.errors.append(item.at_mention(mention.id, message))
        if fault := edge_fault(mention.text):
            findings.warnings.append(item.at_mention(mention.id, f"{mention.id}: {mention.text!r} {fault}"))
        if widest is not None and mention.start < widest.end:
            line = item.mention_lines.get(widest.id, 0)
            message = f"{mention.id} {mention.text!r} overlaps {widest.id} {widest.text!r} of line {line}; keep one"
            findings.errors.append(item.at_mention(mention.id, message))
        if widest is None or mention.end > widest.end:
            widest = mention


def _check_relations(item: Labelled, schema: Schema, findings: Findings) -> None:
    mentions = {mention.id: mention for mention in item.document.mentions}
    pairs: dict[tuple[str, ...], int] = {}
    facts: dict[tuple[str, ...], int] = {}
    for line, relation in zip(item.relation_lines, item.document.relations, strict=True):
        head, tail = mentions[relation.head], mentions[relation.tail]
        shown = f"{relation.type}({head.id} {head.text!r}, {tail.id} {tail.text!r})"
        errors = list(_relation_errors(relation, head, tail, schema))
        symmetric = relation.type in schema.relations and schema.relations[relation.type].symmetric
        pair, fact = (
            (relation.type, *(sorted(ends) if symmetric else ends))
            for ends in ((head.id, tail.id), (head.entity, tail.entity))
        )
        if pair in pairs:
            errors.append(f"is already labelled at line {pairs[pair]}; take one out")
        elif fact in facts:
            message = f"{shown} says what line {facts[fact]} says of the same entities; a fact is labelled once"
            findings.warnings.append(Problem(str(item.path), line, message))
        elif head.id != tail.id and head.entity == tail.entity:
            findings.warnings.append(Problem(str(item.path), line, f"{shown} joins an entity to itself"))
        pairs.setdefault(pair, line)
        facts.setdefault(fact, line)
        findings.errors += [Problem(str(item.path), line, f"{shown} {error}") for error in errors]


def _relation_errors(relation: Relation, head: Mention, tail: Mention, schema: Schema) -> Iterator[str]:
    if head.id == tail.id:
        yield "joins a mention to itself"
    if relation.type not in schema.relations:
        yield f"is of a type that the schema has not{suggestion(relation.type, schema.relations)}"
        return
    kind = schema.relations[relation.type]
    for side, mention, allowed in (("head", head, kind.head), ("tail", tail, kind.tail)):
        if mention.type not in allowed:
            yield f"has a {mention.type} as its {side}; the schema wants {' or '.join(allowed)}"
    if kind.symmetric and tail.span < head.span:
        yield "is symmetric: the earlier mention is its head; swap Arg1 and Arg2"


def _check_links(item: Labelled, findings: Findings) -> None:
    seen: dict[str, int] = {}
    for line, ids in item.links:
        again = [mention_id for mention_id in ids if mention_id in seen and seen[mention_id] != line]
        if again:
            message = f"{' '.join(again)} already in the Equiv of line {seen[again[0]]}; write one line an entity"
            findings.warnings.append(Problem(str(item.path), line, message))
        for mention_id in ids:
            seen.setdefault(mention_id, line)


def check_words(item: Labelled, splitter: WordSplitter, findings: Findings) -> tuple[Document, int]:
    """Warn of each mention that is no run of words.

    Returns:
        The bare document with the words that inference sees (a corpus with its own words keeps them), and how many
        mentions are exactly runs of them.
    """
    document = item.document
    own_words = bool(document.words)
    seen = document.bare() if own_words else splitter(document.bare())
    kept = surviving(document.mentions, seen.words)
    if len(kept) == len(document.mentions):
        return seen, len(kept)
    cut = seen if own_words else splitter(document.bare(), gold_edges(document))
    _, lost = bio_labels(Document(document.id, document.text, cut.words, cut.sentences, document.mentions))
    lost_ids, kept_ids = {mention.id for mention in lost}, {mention.id for mention in kept}
    for mention in document.mentions:
        if mention.id not in kept_ids:
            words = ", ".join(repr(document.text[w.start : w.end]) for w in edge_words(mention, seen.words))
            where = f"has an edge inside the word {words}" if words else "has an edge between words"
            effect = "no model can learn it" if mention.id in lost_ids else "cut for training, a miss on new text"
            message = f"{mention.id}: {mention.text!r} {where}: {effect}"
            findings.warnings.append(item.at_mention(mention.id, message))
    return seen, len(kept)


def check_copies(splits: Mapping[Split, Sequence[Labelled]], findings: Findings) -> None:
    """Report near-duplicate articles: across splits errors, within one warnings.

    Two articles are near-duplicates when they share ``NEAR_DUPLICATE`` of the shorter one's distinct sequences of
    ``SHINGLE`` words (containment; Broder, 1997), which holds a fortiori for that Jaccard similarity. Equal texts
    across splits are left to ``leaked_articles``.
    """
    articles = [(split, item) for split, items in splits.items() for item in items if item.article]
    texts = [" ".join(item.document.text.split()) for _, item in articles]
    shingles = [_shingles(text) for text in texts]
    for (first, second), shared in _shared(shingles).items():
        smaller = min(len(shingles[first]), len(shingles[second]))
        if shared < NEAR_DUPLICATE * smaller:
            continue
        (other, earlier), (split, item) = articles[first], articles[second]
        if split != other and (texts[first] == texts[second] or item.document.id == earlier.document.id):
            continue
        message = (
            f"{item.document.id} ({split}) repeats {earlier.document.id} ({other}, {earlier.text_path}): "
            f"{shared / smaller:.0%} of the shorter one's {SHINGLE}-word sequences stand in both; take one out"
        )
        (findings.warnings if split == other else findings.errors).append(Problem(str(item.text_path), 0, message))


def _shingles(text: str) -> frozenset[str]:
    words = _WORD.findall(_plain(text))
    return frozenset(" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))


def _plain(text: str) -> str:
    """Text in which spelling variants of one wording are equal."""
    return tone_to_new(normalise(text).text).lower()


def _shared(shingles: Sequence[frozenset[str]]) -> Counter[tuple[int, int]]:
    """How many shingles each pair of articles shares, through an index: most pairs share none."""
    index: dict[str, list[int]] = {}
    for number, own in enumerate(shingles):
        for shingle in own:
            index.setdefault(shingle, []).append(number)
    counts: Counter[tuple[int, int]] = Counter()
    for numbers in index.values():
        if 1 < len(numbers) <= _BOILERPLATE:
            counts.update(combinations(numbers, 2))
    return counts


def check_sentences(splits: Mapping[Split, Sequence[tuple[Labelled, Document]]], findings: Findings) -> None:
    """Warn of sentences that stand in two splits, one warning for each pair of documents.

    Args:
        splits: each document with its words and sentences (``check_words`` returns them).
        findings: what is found goes here.
    """
    first: dict[str, tuple[Split, Labelled]] = {}
    found: dict[tuple[int, int], _Repeats] = {}
    for split, members in splits.items():
        for item, document in members:
            for start, sentence in _sentences(document):
                other, earlier = first.setdefault(_plain(sentence), (split, item))
                if other != split:
                    repeats = found.setdefault((id(item), id(earlier)), _Repeats(split, item, other, earlier))
                    repeats.sentences.append((start, sentence))
    findings.warnings += [repeats.warning() for repeats in found.values()]


@dataclass(slots=True)
class _Repeats:
    """Sentences of ``item`` that ``earlier``, in another split, has too."""

    split: Split
    item: Labelled
    other: Split
    earlier: Labelled
    sentences: list[tuple[int, str]] = field(default_factory=list)

    def warning(self) -> Problem:
        start, sentence = self.sentences[0]
        count = len(self.sentences)
        subject = f"{count} sentences of {self.split} stand" if count > 1 else f"a sentence of {self.split} stands"
        first = ", the first" if count > 1 else ""
        message = f"{subject} also in {self.other} ({self.earlier.document.id}){first}: {sentence[:60]!r}"
        return self.item.at_text(start, message)


def _sentences(document: Document) -> Iterator[tuple[int, str]]:
    """Raw start and text of the sentences that are long enough to be told apart."""
    for first, end in document.sentences:
        if end > first:
            start, stop = document.words[first].start, document.words[end - 1].end
            sentence = " ".join(document.text[start:stop].split())
            if len(_WORD.findall(sentence)) >= _SENTENCE_WORDS:
                yield start, sentence
