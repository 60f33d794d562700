"""What became of articles on their way through a format, counted by reading back what was written."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence

from pipeline.document import Document, Mention, Relation
from pipeline.interchange.articles import Notes, Written, links

_Key = Callable[[Mention], Hashable]
_TOLERANCE = 1e-4  # scores are written with four digits


def count_losses(written: Written, back: Sequence[Document]) -> Notes:
    """Everything that the articles had and no longer have.

    Args:
        written: the articles, and under which id each should be read again.
        back: what was read again.
    """
    by_id: dict[str, deque[Document]] = defaultdict(deque)
    for document in back:
        by_id[document.id].append(document)
    losses: Notes = Counter()
    for before, name in zip(written.documents, written.ids, strict=True):
        if name is None or not by_id[name]:
            losses["articles without a text"] += 1
        else:
            losses += compare(before, by_id[name].popleft())
    return losses


def compare(before: Document, after: Document) -> Notes:
    """What of one article is not the same afterwards, by kind; places are compared between visible characters when the
    text was rebuilt."""
    losses: Notes = Counter()
    key_before, key_after = _keys(before, after, losses)
    losses["article ids"] += before.id != after.id
    losses["fields of articles"] += sum(after.fields.get(k, _MISSING) != v for k, v in before.fields.items())
    losses["articles' own word boundaries"] += bool(before.words) and not after.words and "_" in _forms(before)
    old, new = Counter(map(key_before, before.mentions)), Counter(map(key_after, after.mentions))
    losses["mentions"] += (old - new).total()
    losses["mentions that were not there before"] += (new - old).total()
    old, new = _relations(before, key_before), _relations(after, key_after)
    losses["relations"] += (old - new).total()
    losses["relations that were not there before"] += (new - old).total()
    kept = {frozenset(map(key_after, group)) for group in links(after)}
    losses["entities that link two or more mentions"] += sum(
        frozenset(map(key_before, group)) not in kept for group in links(before)
    )
    losses["scores of mentions and relations"] += _scores_lost(before, after, key_before, key_after)
    _compare_entities(before, after, losses)
    return +losses


_MISSING = object()


def _forms(document: Document) -> str:
    return "".join(word.form for word in document.words)


def _keys(before: Document, after: Document, losses: Notes) -> tuple[_Key, _Key]:
    """What makes a mention the same before and after."""
    if before.text == after.text:
        return (lambda mention: mention.span), (lambda mention: mention.span)
    losses["articles whose text is rebuilt from tokens: white space and line ends differ, and offsets with them"] += 1
    ways = [_visible(document.text) for document in (before, after)]
    if ways[0][1] != ways[1][1]:
        losses["articles whose text has other characters"] += 1

    def key(way: list[int]) -> _Key:
        return lambda mention: (way[mention.start], way[mention.end], mention.type)

    return key(ways[0][0]), key(ways[1][0])


def _visible(text: str) -> tuple[list[int], str]:
    """How many visible characters stand before each offset; and these characters."""
    counts, visible = [0], []
    for character in text:
        if not (character.isspace() or character == "_" or unicodedata.category(character) in ("Cc", "Cf")):
            visible.append(character)
        counts.append(len(visible))
    return counts, "".join(visible)


def _relations(document: Document, key: _Key) -> Counter[Hashable]:
    mentions = {mention.id: mention for mention in document.mentions}
    return Counter((r.type, key(mentions[r.head]), key(mentions[r.tail])) for r in document.relations)


def _scores_lost(before: Document, after: Document, key_before: _Key, key_after: _Key) -> int:
    """Scores other than 1 of what is still there."""

    def scores(document: Document, key: _Key) -> dict[Hashable, float]:
        mentions = {mention.id: mention for mention in document.mentions}
        items: Iterable[tuple[Hashable, Mention | Relation]] = [(key(m), m) for m in document.mentions]
        ends = [((r.type, key(mentions[r.head]), key(mentions[r.tail])), r) for r in document.relations]
        return {name: item.score for name, item in [*items, *ends]}

    kept = scores(after, key_after)
    return sum(
        name in kept and abs(kept[name] - score) > _TOLERANCE for name, score in scores(before, key_before).items()
    )


def _compare_entities(before: Document, after: Document, losses: Notes) -> None:
    """Names and attributes of entities, and facts: what ``quanhe extract`` finds and labels do not need."""
    kept = {(entity.type, entity.name, entity.mentions, *entity.attributes.items()) for entity in after.entities}
    longest = {mention.id: mention.text for mention in before.mentions}
    for entity in before.entities:
        plain = max((longest[name] for name in entity.mentions), key=len, default="")
        same = (entity.type, entity.name, entity.mentions, *entity.attributes.items()) in kept
        losses["names and attributes of entities"] += not same and (bool(entity.attributes) or entity.name != plain)
    facts = Counter(fact.type for fact in before.facts) - Counter(fact.type for fact in after.facts)
    losses["facts"] += facts.total()
