"""``quanhe crossval``: leave one article out; every article is scored by a model that has not seen it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.config import Config, load_config
from pipeline.data.corpus import load_splits
from pipeline.data.negatives import load_negatives
from pipeline.errors import QuanheError
from pipeline.evaluation.negatives import NegativeReadings
from pipeline.evaluation.pairs import Pair
from pipeline.evaluation.relations import TextPair, collect_seen_pairs
from pipeline.evaluation.report import Report, write_report
from pipeline.evaluation.tables import print_table
from pipeline.experiment import (
    Materials,
    about_negatives,
    check_types,
    read_negatives,
    run_system,
    train_stages,
    with_words,
)
from pipeline.schema import load_schema


def crossval(
    config: Config,
    output: Path,
    *,
    folds: int = 0,
    leave_out: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> Report:
    """Score every training article by models trained on the others.

    The articles of ``data.negatives`` are dealt out to the folds: each is read by the models of one of them, so that
    every pair counts once.

    Args:
        output: folder of the report.
        folds: groups of articles that are left out together; 0 leaves out one at a time.
        leave_out: ids of the articles to score; the other training articles are in every fold's training. All when
            empty.

    Raises:
        QuanheError: there are fewer than two training articles, or something else is not in order.
    """
    splits = load_splits(config.data)
    articles = splits["train"]
    if len(articles) < 2:
        raise QuanheError(f"cross-validation needs at least two training articles, data.train has {len(articles)}")
    unknown = set(leave_out) - {document.id for document in articles}
    if unknown:
        raise QuanheError(f"not among the training articles: {', '.join(sorted(unknown))}; name ids of data.train")
    scored = [document for document in articles if not leave_out or document.id in leave_out]
    materials = Materials.load(config, load_schema(config.schema_file))
    negatives = load_negatives(config.data, materials.schema)
    check_types([*articles, *splits["dev"], *(article.document for article in negatives)], materials.schema)
    step = min(folds or len(scored), len(scored))
    groups = [scored[start::step] for start in range(step)]
    systems: dict[str, list[Pair]] = {}
    on_gold: dict[str, list[Pair]] = {}
    seen: dict[str, frozenset[TextPair]] = {}
    readings = NegativeReadings()
    for number, group in enumerate(groups, 1):
        say(f"fold {number} of {len(groups)}: leaving out {', '.join(document.id for document in group)}")
        left_out = {document.id for document in group}
        held_out = with_words(map(copy, group), materials.splitter)
        rest = [copy(document) for document in articles if document.id not in left_out]
        pairs = frozenset(collect_seen_pairs(rest, materials.schema))
        seen |= {document.id: pairs for document in held_out}
        with tempfile.TemporaryDirectory() as scratch:
            model, _ = train_stages(materials, rest, splits["dev"], Path(scratch), say=say, progress=progress)
            for name, extractor in model.systems().items():
                systems.setdefault(name, []).extend(run_system(extractor, held_out))
                given = run_system(extractor.on_given_mentions(), held_out, given_mentions=True)
                on_gold.setdefault(name, []).extend(given)
            read_negatives(model, negatives[number - 1 :: len(groups)], readings)
    about = {
        "data": f"{len(scored)} of {len(articles)} articles, left out in {len(groups)} folds",
        "config": config.hash,
        **about_negatives(negatives),
    }
    title = f"{config.name}: cross-validation"
    return write_report(
        output,
        systems,
        materials.schema,
        config.evaluation,
        seen_pairs=seen,
        on_gold=on_gold if materials.schema.relations else None,
        negatives=readings if negatives else None,
        seed=config.seed,
        title=title,
        about=about,
    )


def crossval_cli(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings that go before the file's.")
    ] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="YAML settings.")] = Path("configs/default.yaml"),
    folds: Annotated[int, typer.Option(min=0, help="Groups of articles; 0 leaves one article out at a time.")] = 0,
    leave_out: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Article to score; repeat for more. All by default.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the report.")] = Path(
        "runs/crossval"
    ),
) -> None:
    """Leave one article out: score each training article by a model that was trained on all others."""
    settings = load_config(config, overrides or ())
    console = Console(stderr=True)
    report = crossval(
        settings,
        output,
        folds=folds,
        leave_out=leave_out or (),
        say=lambda line: console.print(line, highlight=False),
        progress=console.is_terminal,
    )
    print_table(report.systems, report.confidence)
    console.print(f"report: {output / 'report.html'}", highlight=False)
