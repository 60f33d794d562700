"""Compare the three ways of showing candidates to the encoder: score for cost.

Usage: python benchmarks/relation_encodings.py DATA [--config configs/default.yaml] [key=value …]

DATA is a folder of .txt and .ann that is not in the config's training data. Every encoding is trained on the config's
training articles and scored between the gold mentions of DATA.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pipeline.config import Config, Source, load_config
from pipeline.data.align import gold_edges
from pipeline.data.corpus import load_source, load_splits
from pipeline.document import Document
from pipeline.evaluation.relations import collect_seen_pairs
from pipeline.evaluation.scores import Score, score_system
from pipeline.experiment import Materials, run_system, with_words
from pipeline.extractor import Extractor
from pipeline.relations.candidates import find_candidates
from pipeline.relations.rules import NearestPairRules
from pipeline.relations.training import train_relations
from pipeline.schema import load_schema

ENCODINGS = ("markers", "levitated", "pooled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--encodings", nargs="*", default=ENCODINGS)
    parser.add_argument("overrides", nargs="*")
    arguments = parser.parse_args()
    base = load_config(arguments.config, arguments.overrides)
    schema = load_schema(base.schema_file)
    materials = Materials.load(base, schema)
    train = load_splits(base.data)["train"]
    for document in train:
        materials.splitter(document, gold_edges(document))
    test = with_words(load_source(Source(path=arguments.data), base.data), materials.splitter)
    candidates = sum(len(find_candidates(document, schema, base.relations)) for document in test)
    print(f"{len(train)} training articles; {len(test)} test articles with {candidates} candidate pairs")
    print("| encoding | facts F1 | relations F1 | encoder passes | pieces | words/s | training s |")
    print("|---|---|---|---|---|---|---|")
    rules = Extractor(schema, materials.splitter, None, NearestPairRules(schema, base.relations))
    facts, relations, _ = _scores(rules, train, test, base, materials)
    print(f"| nearest-pair rules | {facts} | {relations} | 0 | 0 | | |")
    for encoding in arguments.encodings:
        config = load_config(arguments.config, [*arguments.overrides, f"relations.encoding={encoding}"])
        start = time.monotonic()
        classifier, _ = train_relations(train, config, schema, materials.encoder)
        seconds = time.monotonic() - start
        extractor = Extractor(schema, materials.splitter, None, classifier)
        facts, relations, speed = _scores(extractor, train, test, config, materials)
        windows = [w for d in test for w in classifier.encoder(d, find_candidates(d, schema, config.relations))[0]]
        pieces = sum(len(window.ids) for window in windows)
        print(
            f"| {encoding} | {facts} | {relations} | {len(windows)} | {pieces} | {speed:.0f} | {seconds:.0f} |",
            flush=True,
        )


def _scores(
    extractor: Extractor, train: list[Document], test: list[Document], config: Config, materials: Materials
) -> tuple[str, str, float]:
    """Facts F1, strict relation F1, and white-space words a second of the relation and facts stages."""
    start = time.monotonic()
    pairs = run_system(extractor, test, given_mentions=True)
    speed = sum(len(document.text.split()) for document in test) / (time.monotonic() - start)
    seen = collect_seen_pairs(train, materials.schema)
    scores = score_system(pairs, materials.schema, config.evaluation, seen_pairs=seen)
    assert scores.facts and scores.relations
    return _show(scores.facts.micro), _show(scores.relations.strict.micro), speed


def _show(score: Score) -> str:
    return f"{score.f1:.3f} [{score.low:.3f}–{score.high:.3f}]"


if __name__ == "__main__":
    main()
