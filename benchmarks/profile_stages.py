"""Where a word's time goes: processor time of each stage of the extraction, per white-space word.

Usage: python benchmarks/profile_stages.py [TEXT …] [--model DIR] [--rounds 3] [--every N] [--save NAME=FILE.json]
       [--compare NAME=FILE.json …] [--picture FILE.svg]

TEXT are files or folders as for ``quanhe extract``; by default ``seeds`` and the authored articles. Every second one
only warms up (tables that are read at first use, what is kept of words); the others are measured, in batches of 16 as
``quanhe extract`` makes them. Each round is a process of its own with one thread, and of each stage the fastest round
counts. ``--every N`` takes each N-th article only. ``--save`` keeps the figures, ``--compare`` shows kept ones beside
them.

The pipeline knows nothing of this: its functions are wrapped here, and what a stage's functions call of another stage
is taken off it.
"""

from __future__ import annotations

import argparse
import functools
import gc
import importlib
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Stage → its functions, "module:name" or "module:Class.method"; one that a version does not have is passed over.
STAGES = {
    "normalise": ["pipeline.text.normalise:normalise"],
    "tokens, sentences, words": ["pipeline.text.words:WordSplitter.__call__"],
    "pieces and windows": [
        "pipeline.mentions.tagger:encode_windows",
        "pipeline.mentions.windows:encode_windows",
        "pipeline.mentions.tagger:Tagger._merge",
    ],
    "mention encoder": [
        "pipeline.mentions.tagger:Tagger._score",
        "pipeline.mentions.onnx_engine:OnnxPieceScorer.__call__",
        "pipeline.mentions.torch_engine:TorchPieceScorer.__call__",
    ],
    "feature CRF": [
        "pipeline.mentions.crf:CrfTagger.log_probabilities",
        "pipeline.mentions.crf:CrfTagger.all_log_probabilities",
    ],
    "blend and decode": [
        "pipeline.mentions.blend:BlendedTagger.predict",
        "pipeline.mentions.tagger:Tagger.decode",
    ],
    "relation candidates": ["pipeline.relations.candidates:find_candidates"],
    "relation windows": ["pipeline.relations.encoding:RelationEncoder.__call__"],
    "relation encoder": [
        "pipeline.relations.classifier:RelationClassifier._logits",
        "pipeline.relations.classifier:RelationClassifier._probabilities",
        "pipeline.relations.onnx_engine:OnnxPairScorer.__call__",
        "pipeline.relations.torch_engine:TorchPairScorer.__call__",
    ],
    "linear pair classifier": ["pipeline.relations.linear:LinearPairs.logits"],
    "relation batches, selection": ["pipeline.relations.classifier:RelationClassifier.predict"],
    "entities and facts": ["pipeline.facts.build:complete"],
    "JSON": ["pipeline.outputs.writer:json_line"],
}
NEURAL = ("mention encoder", "relation encoder")
READ, REST = "read", "all else"
ROWS = (READ, *STAGES, REST)
_BATCH = 16


class Stopwatch:
    """Processor time by stage; the time of a stage that another one calls is the inner one's alone."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function with its time noted."""

        @functools.wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            self._inner.append(0.0)
            start = time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                whole = time.process_time() - start
                self.seconds[stage] += whole - self._inner.pop()
                self._inner[-1] += whole

        return run


def wrap_stages(watch: Stopwatch) -> None:
    """Put the stopwatch around every function of ``STAGES``, wherever the package has imported it.

    Raises:
        SystemExit: a stage has none of its functions in this version.
    """
    for stage, names in STAGES.items():
        if not [name for name in names if _wrap(name, watch, stage)]:
            sys.exit(f"no function of the stage {stage!r} is there any more; name its functions in STAGES")


def _wrap(name: str, watch: Stopwatch, stage: str) -> bool:
    module_name, _, path = name.partition(":")
    try:
        owner: Any = importlib.import_module(module_name)
        *classes, last = path.split(".")
        for part in classes:
            owner = getattr(owner, part)
        original = owner.__dict__[last]
    except (ImportError, AttributeError, KeyError):
        return False
    wrapped = watch.timed(stage, original)
    places = [owner] if classes else [m for n, m in list(sys.modules.items()) if n.startswith("pipeline")]
    for place in places:
        for key, value in list(vars(place).items()):
            if value is original:
                setattr(place, key, wrapped)
    return True


def run_round(paths: Sequence[str], model: str | None, every: int) -> dict[str, float]:
    """Extract once in this process; microseconds a word of each row, and how many words were measured."""
    from pipeline.config import Config
    from pipeline.document import Document
    from pipeline.inputs.records import Record
    from pipeline.inputs.sources import read_items
    from pipeline.manifest import default_model
    from pipeline.model import load_pipeline

    extractor = load_pipeline(Path(model) if model else default_model(), Config(threads=1))
    watch = Stopwatch()
    wrap_stages(watch)
    from pipeline.outputs.writer import json_line  # now the wrapped one

    def extract(texts: list[tuple[str, str]]) -> None:
        for start in range(0, len(texts), _BATCH):
            batch = [Document(name, text) for name, text in texts[start : start + _BATCH]]
            for document in extractor.extract(batch):
                json_line(document)

    start = time.process_time()
    records = [item for item in read_items(paths) if isinstance(item, Record)]
    reading = time.process_time() - start
    texts = [(record.document.id, record.document.text) for record in records][::every]
    words = sum(len(text.split()) for _, text in texts[1::2])
    share = words / max(sum(len(record.document.text.split()) for record in records), 1)
    extract(texts[::2])
    # What is loaded stays: without this, one look of the garbage collector at all of torch is laid at a stage's door.
    gc.collect()
    gc.freeze()
    watch.seconds.clear()
    start = time.process_time()
    extract(texts[1::2])
    whole = time.process_time() - start
    seconds = {**watch.seconds, READ: reading * share, REST: whole - sum(watch.seconds.values())}
    return {**{row: seconds.get(row, 0.0) / max(words, 1) * 1e6 for row in ROWS}, "words": words}


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """The fastest of several rounds for each row."""
    command = [sys.executable, __file__, "--one-round", "--every", str(arguments.every)]
    command += ["--model", arguments.model] if arguments.model else []
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
    root = Path(__file__).resolve().parents[1]
    environment = os.environ | threads | {"PYTHONPATH": os.environ.get("PYTHONPATH", str(root))}
    rounds = []
    for _ in range(arguments.rounds):
        done = subprocess.run([*command, *arguments.texts], stdout=subprocess.PIPE, text=True, env=environment)
        if done.returncode:
            sys.exit(done.returncode)
        rounds.append(json.loads(done.stdout.splitlines()[-1]))
    return {row: min(found[row] for found in rounds) for row in rounds[0]}


def table(columns: dict[str, dict[str, float]]) -> str:
    """Markdown: a row a stage, a column a measurement."""
    lines = [f"| µs a word | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for row in ROWS:
        lines.append(f"| {row} | {' | '.join(f'{column[row]:.1f}' for column in columns.values())} |")
    for name, rows in (("without the encoders", [r for r in ROWS if r not in NEURAL]), ("in all", ROWS)):
        sums = [f"**{sum(column[row] for row in rows):.1f}**" for column in columns.values()]
        lines.append(f"| **{name}** | {' | '.join(sums)} |")
    return "\n".join(lines)


def draw(columns: dict[str, dict[str, float]], path: Path) -> None:
    """Bars of the stages without the encoders, one colour a measurement."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    style = {"svg.hashsalt": "quanhe", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    rows = [row for row in ROWS if row not in NEURAL]
    colours = ("#BBBBBB", "#4477AA", "#228833", "#EE6677")  # Paul Tol's bright scheme
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(figsize=(7.5, 0.3 * len(rows) * len(columns) ** 0.5 + 1), layout="constrained")
        height = 0.8 / len(columns)
        for number, (name, column) in enumerate(columns.items()):
            total = sum(column[row] for row in rows)
            bars = axes.barh(
                [place + (number - (len(columns) - 1) / 2) * height for place in range(len(rows))],
                [column[row] for row in rows],
                height,
                color=colours[number % len(colours)],
                label=f"{name}: {total:.0f} µs",
            )
            axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=7)
        axes.set_yticks(range(len(rows)), rows)
        axes.invert_yaxis()
        axes.set_xlabel("processor time, µs a white-space word, without the encoders")
        axes.legend(frameon=False, loc="lower right")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})


def _named(text: str) -> tuple[str, Path]:
    name, _, file = text.rpartition("=")
    return name or Path(file).stem, Path(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", default=["seeds/*.txt", "annotations/authored/*.txt"], metavar="TEXT")
    parser.add_argument("--model")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--save", type=_named)
    parser.add_argument("--compare", type=_named, nargs="*", default=[])
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--one-round", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one_round:
        print(json.dumps(run_round(arguments.texts, arguments.model, arguments.every)))
        return
    columns = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in arguments.compare}
    if arguments.rounds:
        name, file = arguments.save or ("this version", None)
        columns[name] = measure(arguments)
        if file:
            file.write_text(json.dumps(columns[name]), encoding="utf-8")
    print(table(columns))
    if arguments.picture:
        draw(columns, arguments.picture)


if __name__ == "__main__":
    main()
