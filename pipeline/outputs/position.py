"""Where in its input a run is: a digest of all that was read, and ids that came before, in memory of a fixed size."""

from __future__ import annotations

import hashlib
import os

from pipeline.errors import Problem
from pipeline.inputs.records import Record

_TABLE_BITS = 28  # 2**28 bits are 32 MiB
_PROBES = 6
_CAPACITY = 25_000_000  # where one new id in a hundred would be taken for an old one


class InputPosition:
    """Counts items and remembers what they were.

    Attributes:
        items: records and problems taken.
        last: where the last one stood.
    """

    def __init__(self) -> None:
        self.items = 0
        self.last = ""
        self._hash = hashlib.sha256()
        self._ids = IdTable()

    @property
    def digest(self) -> str:
        """Of all ids and texts so far, and of the places of what could not be read."""
        return self._hash.copy().hexdigest()

    def take(self, item: Record | Problem) -> bool:
        """Count an item; returns whether an article before it had the same id (see :class:`IdTable`)."""
        self.items += 1
        self._hash.update(item_digest(item))
        if isinstance(item, Problem):
            self.last = f"{item.path}:{item.line}" if item.line else item.path
            return False
        self.last = item.place
        return self._ids.add(item.document.id)


def item_digest(item: Record | Problem) -> bytes:
    """Identity of an item: SHA-256 of an article's id and text, or of the place of what could not be read."""
    if isinstance(item, Problem):
        parts = ("problem", os.path.basename(item.path), str(item.line))
    else:
        parts = ("article", item.document.id, item.document.text)
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole.update(b"%d " % len(data))
        whole.update(data)
    return whole.digest()


class IdTable:
    """A set of ids in 32 MiB, whatever their number: a Bloom filter (Bloom, 1970).

    An id that was added is always known. A new one is taken for an old one with a probability of
    ``(1 - exp(-6 n / 2**28)) ** 6`` after ``n`` ids: 1e-10 at a million, 6e-5 at ten million. After 25 million it would
    be one in a hundred, and the table is closed: ids that come then are taken as new.
    """

    def __init__(self) -> None:
        self._bits = bytearray(1 << (_TABLE_BITS - 3))
        self._count = 0

    @property
    def closed(self) -> bool:
        """Whether there is no room for more ids."""
        return self._count >= _CAPACITY

    def add(self, identifier: str) -> bool:
        """Returns whether the id was there before, as far as the table can tell."""
        if self.closed:
            return False
        self._count += 1
        value = int.from_bytes(hashlib.blake2b(identifier.encode("utf-8", "surrogatepass"), digest_size=24).digest())
        known = True
        for _ in range(_PROBES):
            byte, bit = (value >> 3) & ((1 << (_TABLE_BITS - 3)) - 1), 1 << (value & 7)
            known = known and bool(self._bits[byte] & bit)
            self._bits[byte] |= bit
            value >>= 32
        return known
