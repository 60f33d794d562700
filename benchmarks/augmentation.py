"""What each kind of augmentation is worth: train with it alone, with all of them, with none, and with mere repetition.

Usage: python benchmarks/augmentation.py [--config configs/default.yaml] [--arms names dates …] [--probability 0.5]
       [--leave-out ID …] [--data DIR] [--entities-only] [--results runs/augmentation.jsonl] [key=value …]

Each seed article (or each ID) is left out in turn and read by a model trained on all other articles of data.train;
with --data, one model an arm reads the articles of a folder, none of which may be in train or dev. ``repeated`` sees
each article as often as the augmented arms do, unchanged: what an arm gains over it is not just more steps. Every
finished cell is a line in the results file; run again, the benchmark goes on where it stopped, and prints the tables
from all lines. --entities-only trains no relations (``relations.enabled=false``); such cells are others than those with
both stages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path

from pipeline.config import AugmentConfig, Config, Source, load_config
from pipeline.data.corpus import load_source, load_splits
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.evaluation.bootstrap import Bootstrap, Difference
from pipeline.evaluation.counts import Counts, TypeCounts, micro, total
from pipeline.evaluation.entities import strict_counts
from pipeline.evaluation.facts import fact_counts
from pipeline.experiment import Materials, check_types, run_system, train_stages, with_words
from pipeline.manifest import text_hash
from pipeline.schema import Schema, load_schema

NONE, REPEATED, ALL = "none", "repeated", "all"
_NO_OPERATIONS = {"copies", "gazetteers", "keep_vietnam"}
OPERATIONS = tuple(name for name in AugmentConfig.model_fields if name not in _NO_OPERATIONS)
ARMS = (NONE, REPEATED, *OPERATIONS, ALL)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Cell:
    """One trained model: its arm, what it was not trained on, and its counts on each article that it read.

    Attributes:
        config: hash of the settings, so that lines of other settings are not taken for these.
        articles: digest of the articles and labels of train, dev and those scored, for the same reason.
        entities, facts: article id → type → (true positives, predicted, gold).
    """

    arm: str
    left_out: str
    config: str
    articles: str = ""
    seconds: float = 0.0
    entities: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    facts: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.arm, self.left_out, self.config, self.articles


def arm_config(base: Config, arm: str, probability: float) -> Config:
    """The settings of an arm: probabilities that the base sets stay for the arm that has them, others become 0."""
    chosen = OPERATIONS if arm == ALL else (arm,)
    augment = base.data.augment
    shares = {name: (getattr(augment, name) or probability) * (name in chosen) for name in OPERATIONS}
    data = base.data.model_copy(update={"augment": AugmentConfig(**{**augment.model_dump(), **shares})})
    return base.model_copy(update={"data": data})


def articles_digest(*splits: Iterable[Document]) -> str:
    """Identity of articles with their labels; where one split ends counts."""
    digest = hashlib.sha256()
    for split in splits:
        for document in split:
            labels = [(m.start, m.end, m.type, m.entity) for m in document.mentions]
            relations = [(r.type, r.head, r.tail) for r in document.relations]
            digest.update(repr((document.id, text_hash(document), labels, relations)).encode())
        digest.update(b"|")
    return digest.hexdigest()[:16]


def read_cells(results: Path) -> dict[tuple[str, str, str, str], Cell]:
    """Finished cells; a line that an interrupted run left broken counts as not there."""
    cells = {}
    for line in results.read_text(encoding="utf-8").splitlines() if results.is_file() else ():
        try:
            cell = Cell(**json.loads(line))
        except ValueError:
            continue
        cells[cell.key] = cell
    return cells


def run(
    base: Config,
    results: Path,
    *,
    arms: Sequence[str] = ARMS,
    leave_out: Sequence[str] = (),
    data: Path | None = None,
    probability: float = 0.5,
    say: Say = print,
) -> list[Cell]:
    """Train and score what is not yet in the results file.

    Args:
        leave_out: ids of the articles to leave out, one a model; those of the first source of data.train when empty.
        data: a folder of held-out articles to score instead.

    Returns:
        The cells of all arms, those read from the file among them.

    Raises:
        QuanheError: an arm or an article is not known, the data is not in order, or ``data`` holds articles of train or
            dev.
    """
    if unknown := set(arms) - set(ARMS):
        raise QuanheError(f"no such arm: {', '.join(sorted(unknown))}; there are {', '.join(ARMS)}")
    schema = load_schema(base.schema_file)
    splits = load_splits(base.data)
    folds = _folds(base, splits["train"], splits["dev"], leave_out, data)
    check_types([*splits["train"], *splits["dev"], *(d for scored in folds.values() for d in scored)], schema)
    done = read_cells(results)
    results.parent.mkdir(parents=True, exist_ok=True)
    cells = []
    for name, scored in folds.items():
        articles = articles_digest(splits["train"], splits["dev"], scored)
        for arm in arms:
            config = arm_config(base, arm, probability)
            empty = Cell(arm, name, config.hash, articles)
            if empty.key not in done:
                say(f"{arm}: without {name}")
                cell = _train(empty, config, schema, splits["train"], splits["dev"], scored)
                _append(results, cell)
                done[cell.key] = cell
            cells.append(done[empty.key])
    return cells


def _append(results: Path, cell: Cell) -> None:
    """Add a line; half a line before it, of a run that was killed, is not to spoil it too."""
    half = results.is_file() and results.read_bytes()[-1:] not in (b"", b"\n")
    with results.open("a", encoding="utf-8") as file:
        file.write("\n" * half + json.dumps(asdict(cell), ensure_ascii=False) + "\n")


def _folds(
    base: Config, train: Sequence[Document], dev: Sequence[Document], leave_out: Sequence[str], data: Path | None
) -> dict[str, list[Document]]:
    """Name of a fold → the articles that its models read and were not trained on."""
    if data:
        scored = load_source(Source(path=data), base.data)
        known = {text_hash(document) for document in (*train, *dev)}
        if seen := [document.id for document in scored if text_hash(document) in known]:
            raise QuanheError(
                f"{data}: {', '.join(seen[:5])} among the articles of train or dev; give held-out articles"
            )
        return {str(data): scored}
    ids = list(leave_out) or [document.id for document in load_source(base.data.train[0], base.data)]
    by_id = {document.id: document for document in train}
    if unknown := [name for name in ids if name not in by_id]:
        raise QuanheError(f"not among the training articles: {', '.join(unknown)}; name ids of data.train")
    return {name: [by_id[name]] for name in ids}


def _train(
    cell: Cell,
    config: Config,
    schema: Schema,
    train: Sequence[Document],
    dev: Sequence[Document],
    scored: Sequence[Document],
) -> Cell:
    materials = Materials.load(config, schema)
    left_out = set(map(text_hash, scored))
    rest = [copy(document) for document in train if text_hash(document) not in left_out]
    if cell.arm == REPEATED:
        copies = config.data.augment.copies
        rest += [replace(document, id=f"{document.id}={number}") for document in rest for number in range(copies)]
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        model, _ = train_stages(materials, rest, list(map(copy, dev)), Path(scratch))
        gold = with_words(map(copy, scored), materials.splitter)
        pairs = run_system(next(iter(model.systems().values())), gold)
    return replace(
        cell,
        seconds=round(time.monotonic() - start, 1),
        entities={one.id: _plain(strict_counts(one, found)) for one, found in pairs},
        facts={one.id: _plain(fact_counts(one, found, schema)) for one, found in pairs},
    )


def _plain(counts: TypeCounts) -> dict[str, list[int]]:
    return {kind: list(astuple(count)) for kind, count in counts.items()}


def tables(cells: Iterable[Cell], base: Config, schema: Schema) -> str:
    """Markdown: micro F1 of each arm with its interval and its difference to none; then entity F1 by type."""
    by_arm: dict[str, list[Cell]] = {}
    for cell in cells:
        by_arm.setdefault(cell.arm, []).append(cell)
    entities = {arm: _articles(cells, "entities") for arm, cells in by_arm.items()}
    measures = {"entities": entities}
    if base.relations.enabled:
        measures["facts"] = {arm: _articles(cells, "facts") for arm, cells in by_arm.items()}
    ids = sorted(next(iter(entities.values()), {}))
    settings = base.evaluation
    bootstrap = Bootstrap(len(ids), settings, base.seed)
    lines = [
        f"{len(ids)} held-out articles; {settings.confidence:.0%} intervals of {settings.resamples} resamples of them",
        "",
        f"| augmentation | {''.join(f'{name} F1 | against none | ' for name in measures)}minutes a model |",
        "|---" * (2 + 2 * len(measures)) + "|",
    ]
    for arm, arm_cells in by_arm.items():
        row = [arm]
        for measure in measures.values():
            counts = [micro(measure[arm].get(name, {})) for name in ids]
            row.append(_score(counts, bootstrap))
            row.append(_against(counts, measure.get(NONE), ids, bootstrap) if arm != NONE else "")
        minutes = sum(cell.seconds for cell in arm_cells) / len(arm_cells) / 60
        lines.append(f"| {' | '.join(row)} | {minutes:.1f} |")
    lines += ["", f"| entities F1 | {' | '.join(schema.entities)} |", "|---" * (len(schema.entities) + 1) + "|"]
    for arm, articles in entities.items():
        sums = [total(counts.get(kind, Counts()) for counts in articles.values()).f1 for kind in schema.entities]
        lines.append(f"| {arm} | {' | '.join('–' if f1 is None else f'{f1:.3f}' for f1 in sums)} |")
    return "\n".join(lines)


def _articles(cells: Iterable[Cell], measure: str) -> dict[str, TypeCounts]:
    """Article id → type → counts."""
    found: dict[str, Mapping[str, list[int]]] = {}
    for cell in cells:
        found |= getattr(cell, measure)
    return {name: {kind: Counts(*numbers) for kind, numbers in types.items()} for name, types in found.items()}


def _score(counts: Sequence[Counts], bootstrap: Bootstrap) -> str:
    f1, interval = total(counts).f1, bootstrap.interval(counts)
    return f"{f1:.3f} [{interval[0]:.3f}–{interval[1]:.3f}]" if f1 is not None and interval else "–"


def _against(
    counts: Sequence[Counts], none: Mapping[str, TypeCounts] | None, ids: Sequence[str], bootstrap: Bootstrap
) -> str:
    """The paired difference to the arm without augmentation."""
    if none is None or not set(ids) <= none.keys():
        return "–"
    found: Difference = bootstrap.difference(counts, [micro(none[name]) for name in ids])
    return "–" if found.value is None else f"{found.value:+.3f} [{found.low:+.3f}–{found.high:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--results", type=Path, default=Path("runs/augmentation.jsonl"))
    parser.add_argument("--arms", nargs="+", default=ARMS, choices=ARMS, metavar="ARM")
    parser.add_argument("--leave-out", nargs="+", default=(), metavar="ID")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--entities-only", action="store_true", help="train no relations")
    parser.add_argument("--probability", type=float, default=0.5, help="of operations that the config leaves at 0")
    arguments = parser.parse_args()
    only = ["relations.enabled=false"] if arguments.entities_only else []
    base = load_config(arguments.config, [*arguments.overrides, *only])
    cells = run(
        base,
        arguments.results,
        arms=arguments.arms,
        leave_out=arguments.leave_out,
        data=arguments.data,
        probability=arguments.probability,
        say=lambda line: print(line, flush=True),
    )
    print(tables(cells, base, load_schema(base.schema_file)))


if __name__ == "__main__":
    main()
