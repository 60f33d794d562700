"""Country names → ISO 3166-1 codes, with CLDR's Vietnamese names (through Babel) and those of the news."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from pipeline.text.names import name_key, one_edit_apart, table

# In CLDR's territory list, but no countries of ISO 3166-1: groupings, islands with reserved codes, test locales.
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
_GLUE = re.compile("[ -]")
# Shorter names have too many neighbours one letter away (Mali, Malta, Niger).
_MIN_MISSPELT = 7
_MAX_LENGTH = 100  # in characters; no country's name comes near


def country_code(name: str) -> str | None:
    """The code of a country in any of its Vietnamese or English names.

    Returns:
        ISO 3166-1 alpha-2; ISO 3166-3 (four letters) for a former state; ``XK`` for Kosovo as CLDR has it; ``None`` for
        a name that is not known.
    """
    return _code(name_key(name))


def guess_country(name: str) -> str | None:
    """Like ``country_code`` for a name that is known to be a country: one letter may be wrong (Malaisia)."""
    key = name_key(name)
    return _code(key) or _misspelt(_GLUE.sub("", key))


def country_name(code: str) -> str:
    """The canonical name: CLDR's Vietnamese short name, or ours for a former state."""
    return _names()[code]


def key_code(key: str) -> str | None:
    """``country_code`` of a ``name_key``; nothing is kept of it."""
    if len(key) > _MAX_LENGTH:
        return None
    codes = _codes()
    kinds = _kinds()
    while True:
        code = codes.get(_GLUE.sub("", key))
        if code or not (kind := kinds.match(key)):
            return code
        key = key[kind.end() :]


_code = lru_cache(maxsize=4096)(key_code)


@lru_cache(maxsize=1024)
def _misspelt(compact: str) -> str | None:
    if not _MIN_MISSPELT <= len(compact) <= _MAX_LENGTH:
        return None
    found = {code for known, code in _codes().items() if len(known) > 5 and one_edit_apart(known, compact)}
    return found.pop() if len(found) == 1 else None


@cache
def _names() -> dict[str, str]:
    from babel import Locale  # slow to import, and only needed once something is linked

    territories = Locale.parse("vi").territories
    names = {code: name for code, name in territories.items() if code.isalpha() and code not in _NO_COUNTRIES}
    return names | {code: forms[0] for code, forms in table("countries")["former"].items()}


@cache
def _codes() -> dict[str, str]:
    """Compact key → code; our own names win over CLDR's Vietnamese ones, these over its English ones."""
    from babel import Locale

    countries = table("countries")
    codes: dict[str, str] = {}
    english = {code: name for code, name in Locale.parse("en").territories.items() if code in _names()}
    for names in (english, _names()):
        codes |= {_GLUE.sub("", name_key(name)): code for code, name in names.items()}
    for section in (countries["names"], countries["former"]):
        codes |= {_GLUE.sub("", name_key(form)): code for code, forms in section.items() for form in forms}
    return codes


@cache
def _kinds() -> re.Pattern[str]:
    kinds = sorted((name_key(kind) for kind in table("countries")["kinds"]), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, kinds))}) ")
