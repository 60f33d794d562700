"""underthesea's word segmentation CRF, read as sums of table rows.

The model has 43 feature templates (``T[-1,0].lower``: the token before and this one, in lower case). Each of its
features depends on one, two or three neighbouring tokens only, and with two labels only the difference of their
weights counts. So all that a token, a pair or a triple of tokens contributes is one row of a table, with a number for
each place that the first of them can have beside the token in question. The answers are those of underthesea_core,
which writes every feature as a string and takes several times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import add

from pipeline.crfsuite import CrfWeights
from pipeline.errors import QuanheError

Row = tuple[float, ...]
# (first token's place, number of tokens, function) of a template → value → weight for continuing a word
_Templates = dict[tuple[int, int, str], dict[str, float]]

_BEGIN, _CONTINUE = "B-W", "I-W"
_TEMPLATE = re.compile(r"T\[(-?\d)(?:,(-?\d))?\](?:\.(\w+))?")
_FUNCTIONS = ("", "lower", "isdigit", "istitle", "is_in_dict")
_STARTS = {1: range(-2, 3), 2: range(-2, 2), 3: range(-2, 1)}  # where templates of so many tokens begin
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_MAX_TOKENS = 50_000  # that are kept with what is known of them, some 20 MB; then all are forgotten


class JoinModel:
    """Says which tokens continue the word of the one before.

    Args:
        weights: of underthesea's model; labels ``B-W`` and ``I-W``.
        dictionary: words in lower case, a blank between syllables.

    Raises:
        QuanheError: the model has other labels or features than those that are known here.
    """

    def __init__(self, weights: CrfWeights, dictionary: Iterable[str]) -> None:
        if sorted(weights.labels) != [_BEGIN, _CONTINUE]:
            raise QuanheError(f"word segmentation: unknown labels {weights.labels}; install underthesea as pinned")
        begin, go_on = weights.labels.index(_BEGIN), weights.labels.index(_CONTINUE)
        templates = _templates(weights.attributes, (weights.states[:, go_on] - weights.states[:, begin]).tolist())
        words: dict[int, list[str]] = {length: [] for length in _STARTS}
        for word in dictionary:
            words.get(word.count(" ") + 1, []).append(word)  # no template asks for longer ones
        self._one, self._two, self._three = (_Spans(length, templates, words[length]) for length in _STARTS)
        (self._bb, self._bg), (self._gb, self._gg) = weights.transitions[[begin, go_on]][:, [begin, go_on]].tolist()
        self._tokens: dict[str, _Token] = {}

    def __call__(self, tokens: Sequence[str]) -> list[bool]:
        """For each token of one sentence, whether the best labelling continues a word there."""
        return self._decode(self._scores(tokens)) if tokens else []

    def _scores(self, tokens: Sequence[str]) -> list[float]:
        """How much speaks for each token continuing a word, transitions aside."""
        found = self._look_up(tokens)
        one, two, three = self._one, self._two, self._three
        # Rows of spans in the order of their starts, the first of which lies two tokens before the sentence.
        ones = [one.begin, one.begin, *[token.row for token in found], one.end, one.end]
        twos, threes = [two.begin, two.begin], [three.begin, three.begin]
        texts: list[str] = []  # of the pairs, in lower case
        for a, b in pairwise(found):
            text = f"{a.lower} {b.lower}"
            texts.append(text)
            row = two.low.get(text, two.unknown) if a.is_low and b.is_low else two.row(f"{a.text} {b.text}", text)
            twos.append(_sum(row, two.title) if a.is_title and b.is_title else row)
        twos += [two.end, two.end]
        for text, a, b, c in zip(texts, found, found[1:], found[2:], strict=False):
            row = three.unknown
            if text in three.openings:
                row = three.row(f"{a.text} {b.text} {c.text}", f"{text} {c.lower}")
            threes.append(_sum(row, three.title) if a.is_title and b.is_title and c.is_title else row)
        threes += [three.end, three.end]
        if len(tokens) == 1:
            del threes[-1]
        return [
            a[0] + b[1] + c[2] + d[3] + e[4] + p[0] + q[1] + r[2] + s[3] + u[0] + v[1] + w[2]
            for a, b, c, d, e, p, q, r, s, u, v, w in zip(
                *[ones[start:] for start in range(5)],
                *[twos[start:] for start in range(4)],
                *[threes[start:] for start in range(3)],
                strict=False,
            )
        ]

    def _look_up(self, tokens: Sequence[str]) -> list[_Token]:
        known = self._tokens
        if len(known) > _MAX_TOKENS:
            known.clear()
        for token in tokens:
            if token not in known:
                known[token] = _Token(token, self._one)
        return [known[token] for token in tokens]

    def _decode(self, scores: Sequence[float]) -> list[bool]:
        """Viterbi's search; of two labels it is enough to know how far "go on" leads over "begin"."""
        bb, bg, gb, gg = self._bb, self._bg, self._gb, self._gg
        before_begin, before_go_on = bb - gb, bg - gg  # the lead from which on a step to that label comes from "go on"
        lead = scores[0]
        leads = [lead]
        for score in scores[1:]:
            to_go_on = lead + gg if lead > before_go_on else bg
            lead = score + to_go_on - (lead + gb if lead > before_begin else bb)
            leads.append(lead)
        joins: list[bool] = []
        needed = 0.0
        for lead in reversed(leads):
            joins.append(lead > needed)
            needed = before_go_on if joins[-1] else before_begin
        return joins[::-1]


class _Spans:
    """What spans of so many tokens contribute, as rows.

    Attributes:
        low: text of a span in lower case → its row.
        unknown: row of a span in lower case that is not there.
        title: what is added when all tokens are written like titles.
        openings: of the longest spans: those that are there, in lower case and without their last token.
        begin, end: rows of spans that begin before the sentence, and of others that end behind it.
    """

    def __init__(self, length: int, templates: _Templates, words: Iterable[str]) -> None:
        starts = _STARTS[length]
        zero = (0.0,) * len(starts)
        tables = {name: _table([templates.pop((at, length, name), {}) for at in starts]) for name in _FUNCTIONS}
        self.begin, self.end = (_sum(*(table.get(mark, zero) for table in tables.values())) for mark in ("BOS", "EOS"))
        # Every row holds what a span without digits and titles has: the exceptions are added where they occur.
        form = _sum(tables["isdigit"].get("False", zero), tables["istitle"].get("False", zero))
        self.digit, self.title = (
            tuple(yes - no for yes, no in zip(table.get("True", zero), table.get("False", zero), strict=True))
            for table in (tables["isdigit"], tables["istitle"])
        )
        self.unknown = _sum(tables["is_in_dict"].get("False", zero), form)
        self._cased = tables[""]
        self._lower = dict.fromkeys(words, _sum(tables["is_in_dict"].get("True", zero), form))
        for text, row in tables["lower"].items():
            self._lower[text] = _sum(row, self._lower.get(text, self.unknown))
        self.low = dict(self._lower)
        for text, row in self._cased.items():
            if text == text.lower():
                self.low[text] = _sum(row, self._lower.get(text, self.unknown))
        self.openings: set[str] = set()
        if length == max(_STARTS):
            self.openings = {text.lower().rpartition(" ")[0] for texts in (self._lower, self._cased) for text in texts}

    def row(self, text: str, lower: str) -> Row:
        """The row of a span and of its form in lower case."""
        row, cased = self._lower.get(lower, self.unknown), self._cased.get(text)
        return _sum(row, cased) if cased else row


class _Token:
    """What is known of a token.

    Attributes:
        lower: in lower case.
        is_low: whether it is written so.
        is_title: whether its first character is no lower-case letter.
        row: what it contributes by itself.
    """

    __slots__ = ("is_low", "is_title", "lower", "row", "text")

    def __init__(self, text: str, spans: _Spans) -> None:
        self.text, self.lower = text, text.lower()
        self.is_low = self.lower == text
        self.is_title = text[0].upper() == text[0]
        row = spans.row(text, self.lower)
        if self.is_title:
            row = _sum(row, spans.title)
        if _INTEGER.fullmatch(text) and -(2**31) <= int(text) < 2**31:
            row = _sum(row, spans.digit)
        self.row = row


def _templates(attributes: Sequence[str], weights: Sequence[float]) -> _Templates:
    """The weights sorted by template."""
    names: dict[str, dict[str, float]] = {}
    for attribute, weight in zip(attributes, weights, strict=True):
        name, _, value = attribute.partition("=")
        names.setdefault(name, {})[value] = weight
    templates: _Templates = {}
    for name, values in names.items():
        match = _TEMPLATE.fullmatch(name)
        first, last, function = match.groups() if match else ("9", None, None)
        start, length = int(first), int(last or first) - int(first) + 1
        if start not in _STARTS.get(length, ()) or (function or "") not in _FUNCTIONS:
            raise QuanheError(f"word segmentation: unknown features {name}; install underthesea as pinned")
        templates[start, length, function or ""] = values
    return templates


def _table(columns: Sequence[dict[str, float]]) -> dict[str, Row]:
    """Value → its weights in each column."""
    rows: dict[str, list[float]] = {}
    for number, column in enumerate(columns):
        for value, weight in column.items():
            row = rows.get(value)
            if row is None:
                row = rows[value] = [0.0] * len(columns)
            row[number] = weight
    return {value: tuple(row) for value, row in rows.items()}


def _sum(first: Row, *others: Row) -> Row:
    for other in others:
        first = tuple(map(add, first, other))
    return first
