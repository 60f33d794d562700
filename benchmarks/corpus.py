"""What the labelled corpus holds, whether it meets its targets, and pictures of its distributions.

Usage: python benchmarks/corpus.py [--config configs/default.yaml] [--pictures annotations/pictures]

Prints Markdown tables and draws the pictures (``--pictures ''`` draws none).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from babel import Locale
from corpus_counts import (
    HELD_BACK,
    KINDS,
    Article,
    Closest,
    Counts,
    closest,
    count,
    country_articles,
    country_forms,
    date_forms,
    load,
    repeated_sentences,
    spelling,
)

from pipeline.config import load_config
from pipeline.data.overlap import NEAR_DUPLICATE, SHINGLE
from pipeline.errors import QuanheError
from pipeline.schema import Schema, load_schema
from pipeline.text.segmenters import load_segmenter
from pipeline.text.words import WordSplitter

# Enough articles are to be this long; later ones were made longer on purpose, as papers' own are (some 530 words).
SHORTEST, LONGEST = 150, 450
ENOUGH = 150
# Relations whose two mentions nearly always stand side by side: rank, office and ministry around a name.
TITLES = ("HAS_RANK", "HOLDS_ROLE", "ROLE_AT")
MOST_COUNTRIES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--pictures", default="annotations/pictures")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    schema = load_schema(config.schema_file)
    articles = load(config, schema, WordSplitter(load_segmenter(config.text.segmenter)))
    parts = {part: [a for a in articles if a.part == part] for part in dict.fromkeys(a.part for a in articles)}
    authored = [article for article in articles if article.authored and article.part != HELD_BACK]
    counts = {part: count(members) for part, members in parts.items()}
    print_counts({**counts, "authored": count(authored)}, schema)
    print_kinds(parts)
    print_countries(authored)
    print_spelling(authored)
    print_copies(articles)
    print_targets(authored, counts.get(HELD_BACK, Counts()), articles)
    if arguments.pictures:
        from corpus_pictures import draw_all

        for path in draw_all(articles, counts, schema, Path(arguments.pictures)):
            print(f"drew {path}")


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A Markdown table whose columns stand straight in a terminal too; columns of figures are set to the right."""
    body = [[str(cell) for cell in row] for row in rows]
    columns = list(zip(header, *body, strict=True))
    widths = [max(map(len, column)) for column in columns]
    figures = [all(cell[:1].isdigit() for cell in column[1:]) for column in columns]
    rule = ["-" * (width - 1) + (":" if right else "-") for width, right in zip(widths, figures, strict=True)]
    print(f"\n## {title}\n")
    for row in [list(header), rule, *body]:
        aligned = zip(row, widths, figures, strict=True)
        print(f"| {' | '.join(cell.rjust(w) if right else cell.ljust(w) for cell, w, right in aligned)} |")


def print_counts(counts: dict[str, Counts], schema: Schema) -> None:
    """The size of each part, and its mentions, entities, relations and hard negatives by type."""
    columns = list(counts.values())
    header = ["", *counts]
    sizes = ("articles", "words", "sentences")
    print_table("Size", header, [[name, *(getattr(c, name) for c in columns)] for name in sizes])
    for title, tables in (
        ("Mentions", [c.mentions for c in columns]),
        ("Entities", [c.entities for c in columns]),
    ):
        rows = [[kind, *(table[kind] for table in tables)] for kind in schema.entities]
        print_table(title, header, [["all", *(table.total() for table in tables)], *rows])
    rows = [[kind, *(_crossing(c.relations[kind], c.crossing[kind]) for c in columns)] for kind in schema.relations]
    total = ["all", *(_crossing(c.relations.total(), c.crossing.total()) for c in columns)]
    print_table("Relations (share whose two mentions stand in different sentences)", header, [total, *rows])
    if HELD_BACK in counts:
        negatives = counts[HELD_BACK].negatives
        rows = [["all", negatives.total()], *([kind, negatives[kind]] for kind in schema.relations)]
        print_table("Hard negatives", ["", "pairs"], rows)


def _crossing(relations: int, crossing: int) -> str:
    return f"{relations} ({crossing / relations:.0%})" if relations else "0"


def print_kinds(parts: dict[str, list[Article]]) -> None:
    """Authored articles by kind; an article of two kinds counts in both."""
    tables = [Counter(kind for article in members for kind in article.kinds) for members in parts.values()]
    total = sum(tables, Counter())
    kinds = sorted(KINDS, key=lambda kind: -total[kind])
    rows = [(KINDS[kind], *(table[kind] for table in tables), total[kind]) for kind in kinds]
    print_table("Kinds of authored article (some are of two)", ["", *parts, "all"], rows)


def print_countries(articles: Sequence[Article]) -> None:
    """How many countries the authored articles name, and the forms of the most frequent ones."""
    forms, unknown = country_forms(articles)
    per_country = country_articles(articles)
    names = Locale.parse("en").territories
    rows = [
        (names.get(code, code), per_country[code], len(forms[code]), ", ".join(form for form, _ in f.most_common()))
        for code, f in sorted(forms.items(), key=lambda entry: (-per_country[entry[0]], entry[0]))[:MOST_COUNTRIES]
    ]
    print_table(f"Countries: the {MOST_COUNTRIES} in most articles", ["", "articles", "forms", "as written"], rows)
    states = {code: f for code, f in forms.items() if len(code) == 2}
    several = sum(len(f) > 1 for f in states.values())
    former = len(forms) - len(states)
    print(f"\n{len(states)} countries, {several} of them in two forms or more; {former} former state(s).")
    if unknown:
        print(f"No code is known for: {', '.join(unknown)}.")


def print_spelling(articles: Sequence[Article]) -> None:
    """Spelling variants and date forms of the authored articles."""
    rows = [(name, number, members) for name, (number, members) in spelling(articles).items()]
    print_table("Spelling", ["", "times", "articles"], rows)
    print_table("Date forms", ["", "mentions"], date_forms(articles).items())


def print_copies(articles: Sequence[Article]) -> None:
    """How close the two closest articles are."""
    rows = []
    for masked, wording in ((False, "as they stand"), (True, "names masked")):
        within, across = closest(articles, masked=masked)
        rows += [(f"{wording}, within a split", *_closest(within)), (f"{wording}, across splits", *_closest(across))]
    title = f"Closest articles: share of {SHINGLE}-word sequences in common (refused from {NEAR_DUPLICATE:.0%})"
    print_table(title, ["", "share", "articles"], rows)
    repeated = repeated_sentences(articles)
    print(f"\n{len(repeated)} sentence(s) stand in two articles, names set aside.")
    for wording, ids in repeated:
        print(f"* {', '.join(ids)}: {wording}")


def _closest(pair: Closest) -> tuple[str, str]:
    return f"{pair.share:.1%}", f"{pair.first}, {pair.second}"


def print_targets(authored: Sequence[Article], held_back: Counts, articles: Sequence[Article]) -> None:
    """Which targets the authored articles meet."""
    counts = count(authored)
    fewest = min(counts.relations, key=counts.relations.__getitem__)
    others = [kind for kind in counts.relations if kind not in TITLES]
    crossing = counts.crossing.total() / counts.relations.total()
    loose = sum(counts.crossing[k] for k in others) / sum(counts.relations[k] for k in others)
    countries = sum(len(code) == 2 for code in country_articles(authored))
    missing = KINDS.keys() - {kind for article in authored for kind in article.kinds}
    nearest = max(pair.share for masked in (False, True) for pair in closest(articles, masked=masked))
    rows: list[tuple[str, object, bool | None]] = [
        ("at least 150 authored articles", counts.articles, counts.articles >= 150),
        *length_rows([article.words for article in authored]),
        ("every kind of article", f"{len(KINDS) - len(missing)} of {len(KINDS)}", not missing),
        ("at least 40 countries", countries, countries >= 40),
        (
            "every relation at least 150 times",
            f"{counts.relations[fewest]} ({fewest})",
            counts.relations[fewest] >= 150,
        ),
        ("a third of relations across sentences", f"{crossing:.1%}", crossing >= 1 / 3),
        (f"… of those other than {', '.join(TITLES)}", f"{loose:.1%}", loose >= 1 / 3),
        ("at least 100 held-back pairs", held_back.negatives.total(), held_back.negatives.total() >= 100),
        ("no near-duplicates", f"{nearest:.1%} at most", nearest < NEAR_DUPLICATE),
    ]
    verdicts = {True: "yes", False: "NO", None: "–"}
    shown = [(target, found, verdicts[met]) for target, found, met in rows]
    print_table("Targets (authored articles, held-back ones apart)", ["", "found", "met"], shown)


def length_rows(words: Sequence[int]) -> list[tuple[str, object, bool | None]]:
    """Whether enough articles have the length that was wanted; and, as no target, how far the others go."""
    wanted = sum(SHORTEST <= number <= LONGEST for number in words)
    shorter = [number for number in words if number < SHORTEST]
    longer = [number for number in words if number > LONGEST]
    rows: list[tuple[str, object, bool | None]] = [
        (f"at least {ENOUGH} articles of {SHORTEST} to {LONGEST} words", wanted, wanted >= ENOUGH),
        ("… longer ones (no target)", f"{len(longer)}, up to {max(longer)} words" if longer else 0, None),
    ]
    if shorter:
        rows.append(("… shorter ones (no target)", f"{len(shorter)}, down to {min(shorter)} words", None))
    return rows


if __name__ == "__main__":
    try:
        main()
    except QuanheError as error:
        sys.exit(f"corpus: {error}")
