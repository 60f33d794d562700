"""The smallest units of text that labels can tell apart: syllables, numbers, punctuation marks."""

from __future__ import annotations

import re

_LETTER = r"[^\W\d_][\u0300-\u036f]*"
_TOKEN = re.compile(
    rf"""
      (?:https?|ftp)://[^\s<>"”»]+[^\s<>"”».,;:!?)\]]     # a web address is one token: nothing inside it is labelled
    | www\.[^\s<>"”»]+[^\s<>"”».,;:!?)\]]
    | [\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)+                 # an e-mail address; bounded, or a-b-c-… takes hours
    | \d+(?:[./,:]\d+)*%?                                 # 29/6, 11/9/1973, 1.500, 3,5%; dashes always split
    | (?:{_LETTER}|\d)+(?:['’](?:{_LETTER})+)*\+?         # a syllable or name: Việt, H'Mông, ADMM+
    | \.{{2,}} | (\S)\1{{3,}}                             # an ellipsis; a rule of dashes or stars
    | \S
    """,
    re.VERBOSE | re.UNICODE,
)
# Longer runs without a blank are no words; cutting them keeps every later step linear.
MAX_TOKEN = 100


def token_spans(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of the tokens of normalised text, in order; every visible character is in one.

    Hyphens, dashes, slashes between letters and dots between letters stand alone, so that ``Việt Nam-Anh``,
    ``ADMM/ADMM+`` and a missing blank after a full stop can each carry two labels.
    """
    spans: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if end - start <= MAX_TOKEN:
            spans.append((start, end))
        else:
            spans.extend((cut, min(cut + MAX_TOKEN, end)) for cut in range(start, end, MAX_TOKEN))
    return spans
