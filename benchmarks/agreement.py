"""Agreement of two independent labelling passes: one is scored against the other.

Usage: python benchmarks/agreement.py [PASS_A PASS_B TEXTS]   (default: the two passes over the seeds)

Only articles that both passes labelled count.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.config import DataConfig, EvaluationConfig, Source
from pipeline.data.corpus import load_source
from pipeline.evaluation.scores import score_system
from pipeline.evaluation.tables import print_table
from pipeline.schema import load_schema


def main(first: Path, second: Path, texts: Path) -> None:
    """Print F1 of the second pass against the first (F1 does not mind which is called gold)."""
    both = tuple(sorted({p.stem for p in first.glob("*.ann")} & {p.stem for p in second.glob("*.ann")}))
    gold, other = (load_source(Source(path=path, texts=texts, only=both), DataConfig()) for path in (first, second))
    schema = load_schema("annotations/schema.yaml")
    scores = score_system(list(zip(gold, other, strict=True)), schema, EvaluationConfig())
    print_table({"agreement": scores}, EvaluationConfig().confidence)


if __name__ == "__main__":
    arguments = sys.argv[1:] or ["annotations/passes/a", "annotations/passes/b", "seeds"]
    main(*map(Path, arguments))
