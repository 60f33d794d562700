"""Sentence boundaries over tokens: rules for news, where every line is a paragraph of its own."""

from __future__ import annotations

from collections.abc import Sequence

_ENDINGS = {".", "!", "?", "…"}
_CLOSERS = {'"', "”", "’", "'", ")", "]", "»"}
# Written with a full stop and followed by a capital without ending the sentence.
# fmt: off
_ABBREVIATIONS = frozenset([
    "tp", "tx", "tt", "gs", "pgs", "ts", "ths", "bs", "cn", "kts", "ks", "nxb",
    "mr", "mrs", "ms", "dr", "st", "vs", "no", "jr", "sr", "gen", "col", "lt", "adm", "capt", "maj",
])
# fmt: on


def sentence_starts(text: str, tokens: Sequence[tuple[int, int]]) -> list[int]:
    """Indices of the tokens that begin a sentence, the first always 0 (empty for no tokens).

    A sentence ends at a line break, or after ``. ! ? …`` with closing quotes or brackets, when a blank and then no
    lower-case letter follow and the full stop belongs to no abbreviation or initial (TP. Hồ Chí Minh, John F. Kennedy).
    """
    starts: list[int] = []
    for index, (start, _) in enumerate(tokens):
        if index == 0:
            starts.append(0)
            continue
        gap = text[tokens[index - 1][1] : start]
        if "\n" in gap or (gap and _ends_sentence(text, tokens, index)):
            starts.append(index)
    return starts


def _ends_sentence(text: str, tokens: Sequence[tuple[int, int]], index: int) -> bool:
    """Whether the token before ``index``, which a blank follows, closes a sentence."""
    if text[tokens[index][0]].islower():
        return False
    last = index - 1
    while last > 0 and text[slice(*tokens[last])] in _CLOSERS:
        last -= 1
    mark = text[slice(*tokens[last])]
    if mark[0] not in _ENDINGS:
        return False
    if mark != "." or last == 0 or tokens[last - 1][1] != tokens[last][0]:
        return True
    before = text[slice(*tokens[last - 1])]
    return not (before.lower() in _ABBREVIATIONS or (len(before) == 1 and before.isupper()))
