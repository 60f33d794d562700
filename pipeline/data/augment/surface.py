"""The same article in another spelling: capitals, tone placement, i or y, abbreviations, no diacritics."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

from pipeline.data.augment.edits import Edit, apply_edits, mentions_of, replace_mentions, stretches
from pipeline.data.augment.gazetteers import Gazetteers, Strings
from pipeline.data.augment.spelling import looks_vietnamese, lookup_key, lower_first, upper_first, without_diacritics
from pipeline.document import Document, Mention
from pipeline.text.normalise import tone_to_new, tone_to_old

# A headline is shorter; a first line longer than this is the text itself.
_LONGEST_HEADLINE = 200
# How likely each way of writing an office is: as it stands, with a small or a capital first letter, all small.
_INITIALS = (lower_first, upper_first, str.lower)
# i and y are both right after these consonants when nothing follows: kỹ thuật, kĩ thuật.
_I = "iíìỉĩị"
_Y = "yýỳỷỹỵ"
_WITH_I = re.compile(rf"(?<![\w-])([hklmstHKLMST])([{_I}])(?![\w-])")
_WITH_Y = re.compile(rf"(?<![\w-])([hklmstHKLMST])([{_Y}])(?![\w-])")


def _headline(document: Document) -> tuple[int, int] | None:
    """The first line, when there is a text below it and it is no paragraph itself."""
    text = document.text
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    return (start, end) if 0 < end - start <= _LONGEST_HEADLINE and text[end:].strip() else None


def _change(document: Document, span: tuple[int, int], change: Callable[[str], str]) -> Document:
    """Change a stretch of the text, cut at the edges of mentions."""
    pieces = ((first, last, document.text[first:last]) for first, last in stretches(document, *span))
    return apply_edits(document, [Edit(a, b, change(text)) for a, b, text in pieces if change(text) != text])


def change_case(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Set the headline in capitals; and, drawn apart, write offices, ranks and titles with another first letter."""
    headline = _headline(document)
    capitals = rng.random() < share
    if rng.random() < share:
        document = _change_initials(document, gazetteers, rng)
        headline = _headline(document)
    if headline and capitals:
        document = _change(document, headline, str.upper)
    return document


def _change_initials(document: Document, gazetteers: Gazetteers, rng: Random) -> Document:
    """One way of writing for all offices and ranks of the article, one for what agreements and events begin with."""
    style = rng.choice(_INITIALS)
    title_style = rng.choice((lower_first, upper_first))
    groups = (*gazetteers.agreements.groups.values(), *gazetteers.events.groups.values())
    heads = {lookup_key(head) for group in groups for head in group.heads}
    heads |= {lookup_key(title) for title in gazetteers.agreements.partnerships}
    surfaces: dict[str, str] = {}
    for mention in document.mentions:
        if mention.text.isupper() or _begins_sentence(document.text, mention):
            continue
        if mention.type in ("ROLE", "RANK") and all(map(looks_vietnamese, mention.text.split())):
            surfaces[mention.id] = style(mention.text)
        elif mention.type in ("AGREEMENT", "EVENT") and _first_words(mention.text) & heads:
            surfaces[mention.id] = title_style(mention.text)
    return replace_mentions(document, surfaces)


def _first_words(text: str) -> set[str]:
    """Keys of the first one to four words."""
    words = text.split()
    return {lookup_key(" ".join(words[:number])) for number in range(1, 5)}


def _begins_sentence(text: str, mention: Mention) -> bool:
    before = text[: mention.start].rstrip(" \"“”'‘(")
    return not before or before[-1] in "\n.!?:" or text[mention.start - 1] == "\n"


def change_tones(document: Document, share: float, rng: Random) -> Document:
    """Write hoà or hòa throughout; the model's words have one spelling of both (``pipeline.text.words``)."""
    draw, change = rng.random(), rng.choice((tone_to_new, tone_to_old))
    return _change(document, (0, len(document.text)), change) if draw < share else document


def change_i_and_y(document: Document, share: float, rng: Random) -> Document:
    """Write kỹ or kĩ, lý or lí throughout, except in names of persons and places."""
    draw, to_i = rng.random(), rng.random() < 0.5
    if draw >= share:
        return document
    pattern, pairs = (_WITH_Y, dict(zip(_Y, _I, strict=True))) if to_i else (_WITH_I, dict(zip(_I, _Y, strict=True)))
    names = [(mention.start, mention.end) for mention in mentions_of(document, "PERSON", "LOCATION", "COUNTRY")]
    edits = [
        Edit(match.start(2), match.end(2), pairs[match[2]])
        for match in pattern.finditer(document.text)
        if not any(start <= match.start() < end for start, end in names)
    ]
    return apply_edits(document, edits)


def swap_abbreviations(document: Document, share: float, gazetteers: Gazetteers, rng: Random) -> Document:
    """Draw for each abbreviation of the article whether it is written out, and for each long form the reverse.

    Forms that an article explains by each other, ``Liên hợp quốc (LHQ)``, are left alone.
    """
    drawn: dict[str, str] = {}
    surfaces: dict[str, str] = {}
    for kind, table in gazetteers.abbreviations.types.items():
        mentions = mentions_of(document, kind)
        others = _both_ways(table)
        ordered = sorted(others, key=len, reverse=True)
        pattern = re.compile("|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for form in ordered))
        present = dict.fromkeys(form for mention in mentions for form in pattern.findall(mention.text))
        for form in present:
            change = rng.random() < share and present.keys().isdisjoint(others[form])
            drawn.setdefault(form, rng.choice(others[form]) if change else form)
        surfaces |= {mention.id: pattern.sub(lambda match: drawn[match.group()], mention.text) for mention in mentions}
    return replace_mentions(document, surfaces)


def _both_ways(table: Mapping[str, Strings]) -> dict[str, Strings]:
    """Each form → what it may be swapped with: a long form with its short ones, a short one with the long one."""
    return {short: (long,) for long, shorts in table.items() for short in shorts} | dict(table)


def drop_diacritics(document: Document, share: float, rng: Random) -> Document:
    """Take the diacritics off the headline, as in web addresses and old mail."""
    headline = _headline(document)
    return _change(document, headline, without_diacritics) if rng.random() < share and headline else document
