"""Countries' names inside the names of other things: Bộ Quốc phòng Úc, Đối thoại Việt - Trung."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pipeline.data.augment.spelling import same_length_key, spelt_like

# ISO 3166-1 code, style, and the form as the gazetteer spells it.
CountryForm = tuple[str, str, str]

# A country's name of one syllable is often part of something else (Anh hùng). Inside a longer name it is believed to be
# the country's at the end, beside the dash of a pair, and before words that begin what is said of it.
_PAIRED = r"(?<=[-–] ){form}|(?<=[-–]){form}|{form}(?= ?[-–])"
_FINAL = r"{form}(?=$| (?:và|với|tại|ở|về|lần|giai|cấp|trong|đến|năm|từ|cho|trên|vì|nhằm|kỷ|[0-9])\b)"
_SHORT = 5
_DASH_BEFORE, _DASH_AFTER = re.compile(r"[-–] ?$"), re.compile(r" ?[-–]")


class CountryNames:
    """Finds countries' names inside longer names.

    Args:
        forms: of all countries.
        joined: (code, form) of those that stand in pairs.
        protected: names that only look as if they named a country.
    """

    def __init__(
        self, forms: Iterable[CountryForm], joined: Iterable[tuple[str, str]], protected: Iterable[str]
    ) -> None:
        self.joined = frozenset(joined)
        self.found: dict[str, CountryForm] = {}
        for form in forms:
            key = same_length_key(form[2])
            self.found |= {key: form, key.upper(): form}
        ordered = sorted(self.found, key=len, reverse=True)
        self.pattern = re.compile("|".join(rf"(?<!\w)(?:{self._where(spelling)})(?!\w)" for spelling in ordered))
        barred = sorted(map(same_length_key, protected), key=len, reverse=True)
        self.protected = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in barred) or r"(?!)")

    def _where(self, spelling: str) -> str:
        form = re.escape(spelling)
        if self.found[spelling][1] == "joined":
            return _PAIRED.format(form=form)
        if " " in spelling or "-" in spelling or len(spelling) > _SHORT:
            return form
        return f"{_PAIRED}|{_FINAL}".format(form=form)

    def find(self, text: str) -> list[tuple[int, int, CountryForm]]:
        """Half-open offsets of each country's name in a text, with its code, style and form."""
        key = same_length_key(text)
        if len(key) != len(text):  # decomposed letters: offsets would not hold
            return []
        barred = [match.span() for match in self.protected.finditer(key)]
        spans = []
        for match in self.pattern.finditer(key):
            start, end = match.span()
            if not any(first <= start and end <= last and end - start < last - first for first, last in barred):
                spans.append((start, end, self.in_place(self.found[match.group()], key, start, end)))
        return spans

    def in_place(self, form: CountryForm, text: str, start: int, end: int) -> CountryForm:
        """The form, its style ``joined`` when it stands beside a dash and may do so for short (Việt - Mỹ)."""
        code, _, name = form
        paired = _DASH_BEFORE.search(text, max(0, start - 2), start) or _DASH_AFTER.match(text, end)
        return (code, "joined", name) if paired and (code, name) in self.joined else form

    def replace(self, text: str, new: Callable[[str, str, str], str]) -> str:
        """The text with each country's name replaced.

        Args:
            new: code, style and form → the form to put there.
        """
        pieces, last = [], 0
        for start, end, (code, style, form) in self.find(text):
            pieces += [text[last:start], spelt_like(text[start:end], form, new(code, style, form))]
            last = end
        return "".join([*pieces, text[last:]])
