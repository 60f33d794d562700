"""brat standoff: one ``.ann`` file beside the text it labels (format: https://brat.nlplab.org/standoff.html).

Read are text-bound lines (``T``), relations (``R``), ``*  Equiv`` sets and ``#`` comments. Whatever else stands in a
file is reported, since leaving it out unseen would change what the labels say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.data.labelled import Labelled, read_or_report
from pipeline.document import Document, Entity, Mention, Relation
from pipeline.errors import Problem

_MENTION = re.compile(r"(T\d+)\t(\S+) (\d+) (\d+)\t(.+)", re.DOTALL)
_PIECES = re.compile(r"T\d+\t\S+ \d+ \d+(;\d+ \d+)+\t")
_RELATION = re.compile(r"(R\d+)\t(\S+) Arg1:(\S+) Arg2:(\S+)\s*")
_EQUIV = re.compile(r"\*\tEquiv((?: \S+)+)\s*")
# brat writes a blank for a line break in the surface column; tabs and carriage returns would break the columns too.
_BREAKS = str.maketrans("\n\r\t", "   ")

_SHAPES = {
    "T": "T1<tab>TYPE start end<tab>surface",
    "R": "R1<tab>TYPE Arg1:T1 Arg2:T2",
    "*": "*<tab>Equiv T1 T2",
}
_FOREIGN = {"E": "an event", "A": "an attribute", "M": "an attribute", "N": "a normalisation"}


def read_brat(annotations: Path, text: Path) -> tuple[Document, list[Problem]]:
    """Read an article and its labels.

    Args:
        annotations: the ``.ann`` file; its stem becomes the document's id.
        text: the ``.txt`` file; offsets are code points into its content exactly as stored.

    Returns:
        The document, its mentions in text order and linked to entities ``E1``, ``E2``, … in order of first mention
        (a mention without ``Equiv`` is an entity of its own), its relations in text order; and every problem, with
        file and line. What has a problem is left out of the document.
    """
    labelled, problems = parse_brat(annotations, text)
    return labelled.document, problems


def parse_brat(annotations: Path, text: Path) -> tuple[Labelled, list[Problem]]:
    """``read_brat``, with the line of everything that was read."""
    problems: list[Problem] = []
    raw = read_or_report(text, problems)
    lines = read_or_report(annotations, problems)
    reader = _Reader(str(annotations), raw, problems)
    for number, line in enumerate((lines or "").removeprefix("\ufeff").split("\n"), 1):
        if line.strip():
            reader.read(number, line.removesuffix("\r"))
    reader.resolve()
    mentions = sorted(reader.mentions.values(), key=lambda m: (*m.span, int(m.id[1:])))
    order = {mention.id: index for index, mention in enumerate(mentions)}
    links = [ids for _, ids in reader.links]
    document = Document(annotations.stem, raw or "")
    document.mentions, document.entities = link_mentions(mentions, links)
    relations = sorted(reader.relations, key=lambda item: (order[item[1].head], order[item[1].tail], item[1].type))
    document.relations = [relation for _, relation in relations]
    labelled = Labelled(
        document,
        annotations,
        text,
        mention_lines={mention_id: line for mention_id, line in reader.lines.items() if mention_id in order},
        relation_lines=[line for line, _ in relations],
        links=reader.links,
    )
    return labelled, problems


@dataclass(slots=True)
class _Reader:
    """Collects the lines of one file; ids may be used before their line, so they are resolved at the end."""

    path: str
    text: str | None
    problems: list[Problem]
    lines: dict[str, int] = field(default_factory=dict)
    mentions: dict[str, Mention] = field(default_factory=dict)
    relations: list[tuple[int, Relation]] = field(default_factory=list)
    links: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def read(self, number: int, line: str) -> None:
        kind = line[0]
        if kind == "T":
            self._mention(number, line)
        elif kind == "R" and (match := _RELATION.fullmatch(line)):
            if self._new_id(match[1], number):
                self.relations.append((number, Relation(match[2], match[3], match[4])))
        elif kind == "*" and (match := _EQUIV.fullmatch(line)):
            self.links.append((number, tuple(match[1].split())))
        elif kind in _SHAPES:
            self._malformed(number, line, kind)
        elif kind in _FOREIGN:
            self._report(number, f"{_FOREIGN[kind]} ({line.split()[0]}); only T, R, Equiv and # are read: take it out")
        elif kind != "#":
            self._report(number, f"unknown kind of line {_short(line)}; T, R, * and # lines are read")

    def _mention(self, number: int, line: str) -> None:
        match = _MENTION.fullmatch(line)
        if match is None:
            self._mark_broken(line, number)
            if _PIECES.match(line):
                self._report(number, "a span in several pieces; label each piece, or one span over all of them")
            else:
                self._malformed(number, line, "T")
            return
        mention_id, kind, start, end, surface = match[1], match[2], int(match[3]), int(match[4]), match[5]
        if not self._new_id(mention_id, number) or self.text is None:
            return
        if start >= end or end > len(self.text):
            length = len(self.text)
            self._report(number, f"{mention_id}: {start} {end} is no span of the text, which has {length} code points")
        elif surface.translate(_BREAKS) != self.text[start:end].translate(_BREAKS):
            self._report(number, f"{mention_id}: {_difference(self.text, start, end, surface)}")
        else:
            self.mentions[mention_id] = Mention(mention_id, start, end, kind, self.text[start:end])

    def resolve(self) -> None:
        """Check the ids that relations and Equiv sets name."""
        self.relations = [
            (line, relation) for line, relation in self.relations if self._known(line, (relation.head, relation.tail))
        ]
        self.links = [(line, ids) for line, ids in self.links if self._known(line, ids)]
        for line, ids in self.links:
            types = {self.mentions[mention_id].type: mention_id for mention_id in reversed(ids)}
            if len(types) > 1:
                found = ", ".join(f"{mention_id} {kind}" for kind, mention_id in reversed(types.items()))
                self._report(line, f"Equiv over several types ({found}); one entity has one type: part them")
            if len(set(ids)) < max(2, len(ids)):
                self._report(line, f"Equiv {' '.join(ids)}: two or more different mentions are needed")

    def _known(self, line: int, ids: tuple[str, ...]) -> bool:
        for mention_id in ids:
            if mention_id not in self.lines or not mention_id.startswith("T"):
                self._report(line, f"{mention_id} is no mention of this file; name a T line")
        return all(mention_id in self.mentions for mention_id in ids)

    def _new_id(self, name: str, number: int) -> bool:
        if name in self.lines:
            self._report(number, f"{name} is already taken by line {self.lines[name]}; give it another number")
            return False
        self.lines[name] = number
        return True

    def _mark_broken(self, line: str, number: int) -> None:
        """Remember the id of an unreadable mention: its own line is the problem, not each line that names it."""
        self.lines.setdefault(line.split(maxsplit=1)[0], number)

    def _malformed(self, number: int, line: str, kind: str) -> None:
        self._report(number, f"malformed line {_short(line)}; write it as {_SHAPES[kind]}")

    def _report(self, number: int, message: str) -> None:
        self.problems.append(Problem(self.path, number, message))


def _short(line: str) -> str:
    return repr(line if len(line) <= 60 else line[:59] + "…")


def _difference(text: str, start: int, end: int, surface: str) -> str:
    """What stands at the span instead of the surface, and where the surface does stand."""
    flat, wanted = text.translate(_BREAKS), surface.translate(_BREAKS)
    message = f"the text has {_short(text[start:end])} at {start} {end}, the line says {_short(surface)}"
    places = [place for place in (flat.find(wanted, start), flat.rfind(wanted, 0, start + len(wanted))) if place >= 0]
    if not places:
        return f"{message}, which stands nowhere in the text"
    nearest = min(places, key=lambda place: abs(place - start))
    return f"{message}, which stands at {nearest} {nearest + len(wanted)}"


def link_mentions(mentions: list[Mention], links: Iterable[tuple[str, ...]]) -> tuple[list[Mention], list[Entity]]:
    """Give each mention its entity.

    Args:
        mentions: in text order.
        links: sets of ids of mentions of one entity; sets that share a mention are one. Links between mentions of
            different types are not followed.

    Returns:
        The mentions with ``entity`` filled, and the entities in order of first mention, named by their longest one.
    """
    by_id = {mention.id: mention for mention in mentions}
    parent = {mention.id: mention.id for mention in mentions}

    def root(mention_id: str) -> str:
        while parent[mention_id] != mention_id:
            parent[mention_id] = parent[parent[mention_id]]
            mention_id = parent[mention_id]
        return mention_id

    for ids in links:
        firsts: dict[str, str] = {}
        for mention_id in ids:
            parent[root(mention_id)] = root(firsts.setdefault(by_id[mention_id].type, mention_id))
    groups: dict[str, list[Mention]] = {}
    for mention in mentions:
        groups.setdefault(root(mention.id), []).append(mention)
    names = {group: f"E{number}" for number, group in enumerate(groups, 1)}
    entities = [
        Entity(names[group], members[0].type, max((m.text for m in members), key=len), tuple(m.id for m in members))
        for group, members in groups.items()
    ]
    return [replace(mention, entity=names[root(mention.id)]) for mention in mentions], entities


def write_brat(document: Document, path: Path) -> None:
    """Write the mentions, entity links and relations of a document, in an order that keeps diffs small.

    Mentions are renumbered in text order; then come ``Equiv`` lines for entities (``Mention.entity``) with two or
    more mentions, then relations by their place in the text. Scores, attributes and facts have no place in the format.
    A document that is numbered this way is read back equal. The text is not written.
    """
    mentions = sorted(document.mentions, key=lambda mention: mention.span)
    numbers = {mention.id: number for number, mention in enumerate(mentions, 1)}
    lines = [f"T{numbers[m.id]}\t{m.type} {m.start} {m.end}\t{m.text.translate(_BREAKS)}" for m in mentions]
    groups: dict[str, list[str]] = {}
    for mention in mentions:
        groups.setdefault(mention.entity, []).append(f"T{numbers[mention.id]}")
    lines += [f"*\tEquiv {' '.join(ids)}" for entity, ids in groups.items() if entity and len(ids) > 1]
    relations = sorted((numbers[r.head], numbers[r.tail], r.type) for r in document.relations)
    lines += [f"R{i}\t{kind} Arg1:T{head} Arg2:T{tail}" for i, (head, tail, kind) in enumerate(relations, 1)]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))
