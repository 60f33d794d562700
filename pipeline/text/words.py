"""Text → words and sentences: the first stage."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.document import Document, Word
from pipeline.text.normalise import NormalisedText, normalise, tone_to_new
from pipeline.text.segmenters import Segmenter
from pipeline.text.sentences import sentence_starts
from pipeline.text.tokens import token_spans

_SYLLABLE = re.compile(r"[^\W\d_][^\W_]*")
_VIETNAMESE = re.compile(
    r"(?:b|ch?|d|đ|gh?|gi|h|kh?|l|m|ngh?|nh?|ph?|qu?|r|s|th?|tr|v|x)?[aeiouyăâêôơư]{1,3}(?:ch?|m|ng?|nh|p|t)?"
)
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")

_spelling = lru_cache(maxsize=16_384)(tone_to_new)


class WordSplitter:
    """Fills ``Document.words`` and ``Document.sentences``; syllables are joined to words by the segmenter given."""

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter

    def __call__(self, document: Document, cuts: Iterable[int] = ()) -> Document:
        """Split the document's text; what was found in it before stays.

        Args:
            document: its ``text`` is read, ``words`` and ``sentences`` are replaced.
            cuts: raw offsets where a word must end, even inside a token: the edges of gold spans in training.
        """
        normalised = normalise(document.text)
        tokens = token_spans(normalised.text)
        cut_set = frozenset(cuts)
        document.words, document.sentences = [], []
        starts = sentence_starts(normalised.text, tokens)
        for start, end in zip(starts, [*starts[1:], len(tokens)], strict=False):
            first = len(document.words)
            document.words += self._sentence_words(normalised, tokens[start:end], cut_set)
            document.sentences.append((first, len(document.words)))
        return document

    def _sentence_words(
        self, normalised: NormalisedText, tokens: Sequence[tuple[int, int]], cuts: frozenset[int]
    ) -> list[Word]:
        text, has_raw_offsets = normalised.text, normalised.starts is None
        # The segmenter too sees one spelling of each word: it knows hoà bình better than hòa bình.
        forms = [_spelling(text[start:end]) for start, end in tokens]
        words: list[Word] = []
        first, last, form, shape = -1, -1, "", _NOTHING  # of the word that is not finished yet
        previous_end = -1
        for (start, end), token, join in zip(tokens, forms, self.segmenter.joins(forms), strict=True):
            raw_start, raw_end = (start, end) if has_raw_offsets else normalised.raw_span(start, end)
            own = _shape(token)
            if raw_start < last:  # tokens of one raw character: NFC takes the Bengali ড় apart
                form += token
                shape = _shape(form)
            elif (
                join
                and start > previous_end
                and _may_join(shape, own)
                and (not cuts or cuts.isdisjoint(range(last, raw_start + 1)))
            ):
                form = f"{form}_{token}"
                shape = _Shape(False, True, own.is_capital, own.is_foreign, shape.capitals + own.capitals)
            else:
                if form:
                    words.append(Word(first, last, form))
                first, form, shape = raw_start, token, own
            last, previous_end = raw_end, end
        if form:
            words.append(Word(first, last, form))
        return _split_at(words, cuts) if cuts else words


class _Shape(NamedTuple):
    """What decides whether a word may go on.

    Attributes:
        is_syllable: whether it is one syllable and nothing else.
        ends_in_syllable, is_capital, is_foreign: of its last syllable: whether it is one, begins with a capital, and is
            then not spelt as a Vietnamese one.
        capitals: syllables with a capital.
    """

    is_syllable: bool
    ends_in_syllable: bool
    is_capital: bool
    is_foreign: bool
    capitals: int


_NOTHING = _Shape(False, False, False, False, 0)


@lru_cache(maxsize=16_384)
def _shape(form: str) -> _Shape:
    parts = form.split("_")
    end = parts[-1]
    is_capital = end[:1].isupper()
    return _Shape(
        bool(_SYLLABLE.fullmatch(form)),
        bool(_SYLLABLE.fullmatch(end)),
        is_capital,
        is_capital and not _is_vietnamese(end),
        sum(part[:1].isupper() for part in parts),
    )


def _may_join(word: _Shape, syllable: _Shape) -> bool:
    """Whether a syllable may continue a word, whatever the segmenter says.

    The CRF likes to glue names to what stands beside them (``Phúc mong``, ``giao Phó``, ``Canada Harjit``). A word
    never runs across punctuation, from lower case to a capital, or from a name of two or more capitals to lower case;
    and a foreign name in capitals is a word by itself, so that its parts are always labelled in the same way.
    """
    if not syllable.is_syllable or not word.ends_in_syllable or word.is_foreign or syllable.is_foreign:
        return False
    return word.is_capital if syllable.is_capital else word.capitals < 2


@lru_cache(maxsize=8192)
def _is_vietnamese(syllable: str) -> bool:
    """Whether a syllable is spelt as Vietnamese ones are (tones and case set aside)."""
    letters = unicodedata.normalize("NFD", syllable.lower())
    toneless = unicodedata.normalize("NFC", _TONES.sub("", letters))
    return bool(_VIETNAMESE.fullmatch(toneless))


def _split_at(words: list[Word], cuts: frozenset[int]) -> list[Word]:
    """Cut words at raw offsets inside their syllables; the forms are cut at the same character."""
    result: list[Word] = []
    for word in words:
        inside = sorted(cut for cut in cuts if word.start < cut < word.end)
        if not inside or word.end - word.start != len(word.form):
            result.append(word)  # a form of another length has no character for the offset; counted by the aligner
            continue
        for start, end in zip([word.start, *inside], [*inside, word.end], strict=True):
            result.append(Word(start, end, word.form[start - word.start : end - word.start]))
    return result
