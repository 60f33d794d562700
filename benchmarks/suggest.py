"""Do articles that ``quanhe suggest`` puts first teach more than articles taken at random?

Usage: python benchmarks/suggest.py [key=value …] [--start 16] [--sizes 24 32 48 64] [--seeds 1 2 3]
           [--orders random entropy …] [--entities-only] [--config configs/default.yaml] [--output runs/suggest.jsonl]

The pool is the config's training articles with their labels hidden. A model is trained on START random ones; then each
order says which articles are labelled next, a model is trained on those and all before, and so on (pool-based active
learning: Lewis and Gale, 1994). Every model is scored on the config's test articles, which are in no pool. The random
order and the first articles are the same for all orders of one seed, so that differences are paired.

Each trained model is a line of OUTPUT; the same command goes on where it was stopped. --entities-only trains no
relations (``relations.enabled=false``) and needs an OUTPUT of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline.commands.suggest import MEASURES, choose, rank
from pipeline.config import load_config
from pipeline.data.corpus import load_splits
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.evaluation.counts import micro, total
from pipeline.evaluation.entities import strict_counts
from pipeline.evaluation.facts import fact_counts
from pipeline.experiment import Materials, run_system, train_stages, with_words
from pipeline.model import Model
from pipeline.schema import load_schema
from pipeline.uncertainty import UncertainExtractor

ORDERS = ("random", *MEASURES)


@dataclass(frozen=True, slots=True)
class Run:
    """One trained model.

    Attributes:
        setting: digest of the config and of texts and labels of all articles.
        chosen: ids of the articles that it was trained on, in the order of choice.
        words: white-space words of these.
        entities, facts: F1 on the test articles (strict; article facts).
        next: ids of what is to be labelled next.
    """

    setting: str
    seed: int
    order: str
    chosen: list[str]
    words: int
    entities: float
    facts: float
    next: list[str]
    seconds: float = 0.0


class Experiment:
    """Trains, scores and remembers; everything is drawn from the seed, so a run can be taken up at any point."""

    def __init__(self, config_path: Path, overrides: Sequence[str], output: Path) -> None:
        self.config = load_config(config_path, overrides)
        splits = load_splits(self.config.data)
        self.pool = {document.id: document for document in splits["train"]}
        self.dev, self.test = splits["dev"], splits["test"]
        if not self.test:
            raise QuanheError(f"{config_path}: no data.test; name articles to score on")
        self.schema = load_schema(self.config.schema_file)
        articles = [[item.to_dict() for item in items] for items in (splits["train"], self.dev, self.test)]
        known = json.dumps([self.config.hash, articles])
        self.setting = hashlib.sha256(known.encode()).hexdigest()[:12]
        self.output = output
        self.runs = [Run(**json.loads(line)) for line in _lines(output)]
        if any(run.setting != self.setting for run in self.runs):
            raise QuanheError(f"{output}: made with other settings or articles; name another file with --output")

    def curve(self, order: str, seed: int, sizes: Sequence[int], say: Callable[[str], None]) -> list[Run]:
        """The models of one order, each trained on the articles of the one before and some more."""
        chosen = self._shuffled(seed)[: sizes[0]]
        curve: list[Run] = []
        for size, after in zip(sizes, [*sizes[1:], 0], strict=True):
            run = self._known(order, seed, chosen)
            if run is None:
                run = self._train(order, seed, chosen, max(after - size, 0))
                self._keep(run)
            say(f"seed {seed}, {order}, {size} articles: entities {run.entities:.3f}, facts {run.facts:.3f}")
            curve.append(run)
            chosen = [*chosen, *run.next]
        return curve

    def _shuffled(self, seed: int, without: Sequence[str] = ()) -> list[str]:
        ids = sorted(self.pool)
        random.Random(seed).shuffle(ids)
        return [name for name in ids if name not in without]

    def _known(self, order: str, seed: int, chosen: Sequence[str]) -> Run | None:
        runs = (run for run in self.runs if (run.seed, run.order, run.chosen) == (seed, order, list(chosen)))
        return next(runs, None)

    def _keep(self, run: Run) -> None:
        self.runs.append(run)
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with self.output.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(run), ensure_ascii=False) + "\n")

    def _train(self, order: str, seed: int, chosen: Sequence[str], wanted: int) -> Run:
        """Train on the chosen articles, score, and say which articles come next."""
        twin = next((run for run in self.runs if (run.seed, run.chosen) == (seed, list(chosen))), None)
        if twin and order == "random":  # what comes next needs no model, and a model like this one has its scores
            return replace(twin, order=order, next=self._shuffled(seed, chosen)[:wanted], seconds=0.0)
        began = time.monotonic()
        config = self.config.model_copy(update={"seed": seed})
        materials = Materials.load(config, self.schema)
        train = deepcopy([self.pool[name] for name in chosen])
        with tempfile.TemporaryDirectory() as scratch:
            model, _ = train_stages(materials, train, deepcopy(self.dev), Path(scratch))
        pairs = run_system(model.extractor(), with_words(deepcopy(self.test), materials.splitter))
        return Run(
            self.setting,
            seed,
            order,
            list(chosen),
            sum(len(self.pool[name].text.split()) for name in chosen),
            total(micro(strict_counts(*pair)) for pair in pairs).f1 or 0.0,
            total(micro(fact_counts(*pair, self.schema)) for pair in pairs).f1 or 0.0,
            self._next(order, seed, chosen, wanted, model),
            round(time.monotonic() - began, 1),
        )

    def _next(self, order: str, seed: int, chosen: Sequence[str], wanted: int, model: Model) -> list[str]:
        left = self._shuffled(seed, chosen)
        if not wanted or order == "random":
            return left[:wanted]
        unlabelled = [Document(name, self.pool[name].text) for name in left]
        measure = next(measure for measure in MEASURES if measure == order)
        ranking = rank(UncertainExtractor(model, measure), unlabelled)
        choose(ranking, wanted)
        ordered = sorted(ranking, key=lambda item: not item.chosen)  # near-copies only when nothing else is left
        return [item.document.id for item in ordered[:wanted]]


def _lines(path: Path) -> list[str]:
    """The complete lines of a file; half a line at its end, of a run that was killed, is cut off."""
    if not path.exists():
        return []
    content = path.read_text(encoding="utf-8")
    whole = content[: content.rfind("\n") + 1]
    if whole != content:
        path.write_text(whole, encoding="utf-8")
    return whole.splitlines()


def table(curves: dict[str, list[list[Run]]], measures: Sequence[str] = ("entities", "facts")) -> str:
    """Mean and standard deviation over seeds by number of articles, and the paired difference from random.

    Args:
        curves: order → for each seed (the same seeds in the same order) its runs by size.
        measures: ``entities`` and ``facts``, or one of them.
    """
    lines = [
        f"| articles | order | words |{''.join(f' {name} F1 | − random |' for name in measures)}",
        "|---" * (3 + 2 * len(measures)) + "|",
    ]
    first = next(iter(curves.values()))
    for step, run in enumerate(first[0]):
        for order, seeds in curves.items():
            runs = [curve[step] for curve in seeds]
            cells = [str(len(run.chosen)), order, f"{statistics.mean(r.words for r in runs):.0f}"]
            for name in measures:
                values = [getattr(r, name) for r in runs]
                cells.append(_spread(values))
                base = [getattr(curve[step], name) for curve in curves.get("random", [])]
                differences = [value - other for value, other in zip(values, base, strict=False)]
                same = order == "random" or step == 0 or not base
                better = f" ({sum(d > 0 for d in differences)} of {len(differences)} seeds)"
                cells.append("" if same else f"{_spread(differences, '+')}{better}")
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float], sign: str = "") -> str:
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{sign}.3f}{deviation}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--output", type=Path, default=Path("runs/suggest.jsonl"))
    parser.add_argument("--start", type=int, default=16)
    parser.add_argument("--sizes", type=int, nargs="+", default=[24, 32, 48, 64])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=["random", "entropy"])
    parser.add_argument("--entities-only", action="store_true", help="train no relations")
    given = parser.parse_args(arguments)
    only = ["relations.enabled=false"] if given.entities_only else []
    experiment = Experiment(given.config, [*given.overrides, *only], given.output)
    sizes = [given.start, *given.sizes]
    if sizes != sorted(set(sizes)) or sizes[-1] > len(experiment.pool):
        raise QuanheError(
            f"--start and --sizes must rise and end at most at {len(experiment.pool)}, the pool's articles"
        )
    curves: dict[str, list[list[Run]]] = {order: [] for order in given.orders}
    for seed in given.seeds:
        for order in sorted(given.orders, key="random".__eq__):  # last: its first model is that of the others
            curves[order].append(experiment.curve(order, seed, sizes, lambda line: print(line, file=sys.stderr)))
    print(f"{len(experiment.pool)} articles in the pool, {len(experiment.test)} to score on, {len(given.seeds)} seeds")
    print(table(curves, ("entities",) if given.entities_only else ("entities", "facts")))


if __name__ == "__main__":
    try:
        main()
    except QuanheError as error:
        sys.exit(f"suggest: {error}")
