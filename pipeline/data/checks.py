"""What can be wrong with labels although they can be read: against the schema, between articles, against the words."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.data.align import bio_labels, edge_words, gold_edges, surviving
from pipeline.data.corpus import Split
from pipeline.data.labelled import Labelled, suggestion
from pipeline.data.overlap import NEAR_DUPLICATE, SHINGLE, overlaps, plain, plain_words, shingles
from pipeline.data.reuse import ALIKE, Reuse, closest_sentences, own_sentences
from pipeline.document import Document, Mention, Relation
from pipeline.errors import Problem
from pipeline.schema import Schema
from pipeline.text.edges import edge_fault
from pipeline.text.words import WordSplitter

# Shorter sentences recur in any news (by-lines, captions).
_SENTENCE_WORDS = 6


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


Pair = frozenset[int]
"""Two articles, by ``id`` of their ``Labelled``."""


def check_copies(splits: Mapping[Split, Sequence[Labelled]], findings: Findings) -> set[Pair]:
    """Report near-duplicate articles as errors, within a split (an article counted twice) and across (a leak).

    Two articles are near-duplicates when they share ``NEAR_DUPLICATE`` of the shorter one's sequences of ``SHINGLE``
    words, as they stand or with every mention taken for its type: a text with other names put in is no new text.
    Equal texts across splits are left to ``leaked_articles``.

    Returns:
        All near-duplicates, equal texts among them.
    """
    articles = [(split, item) for split, items in splits.items() for item in items if item.article]
    texts = [" ".join(item.document.text.split()) for _, item in articles]
    reported: set[tuple[int, int]] = set()
    copies: set[Pair] = set()
    for masked, verb in ((False, "repeats"), (True, "with other names repeats")):
        for overlap in overlaps([shingles(item.document, masked=masked) for _, item in articles]):
            pair = overlap.first, overlap.second
            if overlap.share < NEAR_DUPLICATE:
                break
            (other, earlier), (split, item) = articles[overlap.first], articles[overlap.second]
            copies.add(frozenset((id(earlier), id(item))))
            leaked = texts[overlap.first] == texts[overlap.second] or item.document.id == earlier.document.id
            if pair in reported or (split != other and leaked):
                continue
            reported.add(pair)
            message = (
                f"{item.document.id} ({split}) {verb} {earlier.document.id} ({other}, {earlier.text_path}): "
                f"{overlap.share:.0%} of the shorter one's {SHINGLE}-word sequences stand in both; take one out"
            )
            findings.errors.append(Problem(str(item.text_path), 0, message))
    return copies


@dataclass(slots=True)
class SentenceCounts:
    """Sentences of one split: all, those long enough to be compared, and those found in an article before theirs."""

    all: int = 0
    compared: int = 0
    reused: int = 0


def check_reuse(
    splits: Mapping[Split, Sequence[tuple[Labelled, Document]]], copies: Container[Pair], findings: Findings
) -> tuple[dict[Split, SentenceCounts], set[tuple[int, int]]]:
    """Report sentences that an article before theirs has too, names, numbers and dates set aside.

    Across splits that is an error, and so is a sentence with other names put in, which is no new sentence wherever it
    stands. One that comes with its own names again, as papers copy each other, is worth a warning within a split.

    Args:
        splits: each document with its words and sentences (``check_words`` returns them).
        copies: articles that are reported as a whole (``check_copies`` returns them).
        findings: what is found goes here; of several earlier sentences the one in another split, then the most alike.

    Returns:
        The counts of each split, and the sentences reported: ``id`` of the ``Labelled`` and start.
    """
    articles = [(split, *member) for split, members in splits.items() for member in members if member[0].article]
    sentences = [own_sentences(item.document, segmented) for _, item, segmented in articles]
    counts = {split: SentenceCounts(sum(len(d.sentences) for _, d in members)) for split, members in splits.items()}
    for (split, *_), own in zip(articles, sentences, strict=True):
        counts[split].compared += len(own)
    worst: dict[tuple[int, int], tuple[bool, Reuse]] = {}
    for reuse in closest_sentences(sentences):
        (other, earlier, _), (split, item, _) = articles[reuse.earlier[0]], articles[reuse.later[0]]
        if reuse.share >= ALIKE and frozenset((id(earlier), id(item))) not in copies:
            ranked = split != other, reuse
            worst[reuse.later] = max(worst.get(reuse.later, ranked), ranked, key=lambda r: (r[0], r[1].share))
    for leaks, reuse in worst.values():
        (_, earlier, _), (split, item, _) = articles[reuse.earlier[0]], articles[reuse.later[0]]
        first, second = (sentences[article][place] for article, place in (reuse.earlier, reuse.later))
        counts[split].reused += 1
        place = earlier.at_text(first.start, "")
        message = (
            f"this sentence{' with other names' if reuse.renamed else ''} stands in {earlier.document.id} "
            f"({articles[reuse.earlier[0]][0]}, {place.path}:{place.line}), {reuse.share:.0%} alike: "
            f"{_short(second.text)} and {_short(first.text)}; write it anew, or take one article out"
        )
        problems = findings.errors if leaks or reuse.renamed else findings.warnings
        problems.append(item.at_text(second.start, message))
    return counts, {(id(articles[a][1]), sentences[a][s].start) for a, s in worst}


def _short(sentence: str) -> str:
    return repr(sentence if len(sentence) <= 80 else f"{sentence[:79]}…")


def check_sentences(
    splits: Mapping[Split, Sequence[tuple[Labelled, Document]]],
    findings: Findings,
    reported: Container[tuple[int, int]] = (),
) -> None:
    """Warn of sentences that stand in two splits, one warning for each pair of documents.

    Args:
        splits: each document with its words and sentences (``check_words`` returns them).
        findings: what is found goes here.
        reported: sentences that are left out (``check_reuse`` returns them).
    """
    first: dict[str, tuple[Split, Labelled]] = {}
    found: dict[tuple[int, int], _Repeats] = {}
    for split, members in splits.items():
        for item, document in members:
            for start, sentence in _sentences(document):
                other, earlier = first.setdefault(plain(sentence), (split, item))
                if other != split and (id(item), start) not in reported:
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
            if len(plain_words(sentence)) >= _SENTENCE_WORDS:
                yield start, sentence
