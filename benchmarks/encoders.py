"""Compare encoders by what comes out in the end: size, speed, entities and facts on held-out articles.

Usage: python benchmarks/encoders.py NAME=FOLDER … --data DIR [DIR …] [--seeds 13 14 15] [--config configs/default.yaml]
       [--set key=value …] [--fresh NAME=FOLDER …] -o RESULTS.jsonl

NAME=FOLDER is an encoder (a folder or hub name); --fresh takes one with random weights, that is, without pre-training.
Each is fine-tuned on the config's training articles once a seed, which is scored on every DIR. A finished training is a
line of RESULTS.jsonl; the same command goes on behind the last line, and with all done it only prints the table. F1 is
over all seeds together, its interval from resampling articles; the spread is that of the seeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

from pipeline.config import Config, EvaluationConfig, Source, load_config
from pipeline.data.corpus import load_source, load_splits
from pipeline.document import Document
from pipeline.encoders import (
    copy_tokenizer,
    encoder_config,
    find_encoder,
    load_encoder,
    pick_device,
    save_fp16,
    use_bf16,
)
from pipeline.evaluation.bootstrap import Bootstrap
from pipeline.evaluation.counts import Counts, micro, total
from pipeline.evaluation.entities import strict_counts
from pipeline.evaluation.facts import fact_counts
from pipeline.experiment import Materials, check_unseen, run_system, train_stages, with_words
from pipeline.mentions.tagger import encode_windows
from pipeline.mentions.torch_engine import batches
from pipeline.schema import load_schema
from pipeline.training import pad_rows
from pipeline.windows.plain import load_tokenizer

MEASURES = ("entities", "facts")
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--fresh", nargs="*", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[13, 14, 15])
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--set", nargs="*", default=[], dest="overrides", metavar="key=value")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        chosen = dict(item.split("=", 1) for item in arguments.encoders)
        for name, folder in (item.split("=", 1) for item in arguments.fresh):
            chosen[name] = str(_without_training(find_encoder(folder), Path(scratch) / name))
        for seed in arguments.seeds:
            for name, folder in chosen.items():
                # The same settings but for the encoder's place, which a fresh one has anew each time.
                settings = load_config(arguments.config, [*arguments.overrides, f"seed={seed}"]).hash
                key = {"encoder": name, "seed": seed, "settings": settings, "data": [str(f) for f in arguments.data]}
                if not any(all(row[item] == value for item, value in key.items()) for row in _read(arguments.output)):
                    config = load_config(arguments.config, [*arguments.overrides, f"encoder={folder}", f"seed={seed}"])
                    row = {**key, **_measure(config, arguments.data, Path(scratch))}
                    with arguments.output.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(row) + "\n")
    _print(_read(arguments.output), arguments.data)


def _without_training(source: Path, folder: Path) -> Path:
    """A copy of an encoder's folder with random weights of the same shape."""
    torch.manual_seed(0)
    save_fp16(AutoModel.from_config(encoder_config(source), add_pooling_layer=False), folder)
    copy_tokenizer(source, folder)
    return folder


def _measure(config: Config, folders: Sequence[Path], scratch: Path) -> dict[str, Any]:
    """Fine-tune on one seed and count on each folder, article by article: true positives, predicted, gold."""
    schema = load_schema(config.schema_file)
    materials = Materials.load(config, schema)
    splits = load_splits(config.data)
    start = time.monotonic()
    model, manifest = train_stages(materials, splits["train"], splits["dev"], scratch, say=print, progress=True)
    row: dict[str, Any] = {"seconds": round(time.monotonic() - start)}
    for folder in folders:
        documents = with_words(load_source(_source(folder), config.data), materials.splitter)
        check_unseen(documents, manifest)
        pairs = run_system(model.extractor(), documents)
        counts = {
            "entities": [micro(strict_counts(*pair)) for pair in pairs],
            "facts": [micro(fact_counts(*pair, schema)) for pair in pairs],
        }
        row[str(folder)] = {key: [[c.tp, c.predicted, c.gold] for c in values] for key, values in counts.items()}
        if "encoder_alone" not in row:
            row["encoder_alone"] = _speed(config, materials.encoder, documents)
    return row


def _source(folder: Path) -> Source:
    """The seeds' labels lie apart from their texts; everywhere else they are side by side."""
    return Source(path=folder, texts=Path("seeds") if folder == Path("annotations") else None)


def _speed(config: Config, folder: Path, documents: Sequence[Document]) -> dict[str, float]:
    """Size of an encoder, and white-space words a second through it alone: median of rounds after a first one."""
    device = pick_device(config.device)
    model = load_encoder(folder).to(device).eval()
    tokenizer = load_tokenizer(folder)
    windows = [window.ids for d in documents for window in encode_windows(d, tokenizer, config.windows)]
    words = sum(len(document.text.split()) for document in documents)
    seconds = []
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=use_bf16(config.precision, device)),
    ):
        for _ in range(ROUNDS + 1):
            start = time.monotonic()
            for batch in batches([len(ids) for ids in windows]):
                ids = pad_rows([windows[index] for index in batch], tokenizer.pad_id).to(device)
                model(input_ids=ids, attention_mask=(ids != tokenizer.pad_id).long())
            seconds.append(time.monotonic() - start)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    shape = {"layers": model.config.num_hidden_layers, "width": model.config.hidden_size, "parameters": parameters}
    return {**shape, "words_per_second": round(words / statistics.median(seconds[1:]))}


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _print(rows: Sequence[dict[str, Any]], folders: Sequence[Path]) -> None:
    names = list(dict.fromkeys(row["encoder"] for row in rows))
    heads = [f"{measure}, {folder.name}" for folder in folders for measure in MEASURES]
    print(f"| encoder | layers × width | M parameters | words/s | seeds | {' | '.join(heads)} | training s |")
    print("|---" * (6 + len(heads)) + "|")
    for name in names:
        runs = [row for row in rows if row["encoder"] == name]
        size = runs[0]["encoder_alone"]
        speed = statistics.median(run["encoder_alone"]["words_per_second"] for run in runs)
        cells = [_cell(runs, str(folder), measure) for folder in folders for measure in MEASURES]
        seconds = round(statistics.mean(run["seconds"] for run in runs))
        print(
            f"| {name} | {size['layers']} × {size['width']} | {size['parameters'] / 1e6:.1f} | {speed:,.0f} "
            f"| {len(runs)} "
            f"| {' | '.join(cells)} | {seconds} |"
        )


def _cell(runs: Sequence[dict[str, Any]], folder: str, measure: str) -> str:
    """F1 of all seeds together with its interval, and the lowest and highest seed."""
    by_seed = [[Counts(*values) for values in run[folder][measure]] for run in runs if folder in run]
    if not by_seed:
        return "–"
    articles = [total(same) for same in zip(*by_seed, strict=True)]
    interval = Bootstrap(len(articles), EvaluationConfig(), seed=13).interval(articles)
    f1s = [total(counts).f1 or 0.0 for counts in by_seed]
    low, high = interval or (0.0, 0.0)
    spread = f" ({min(f1s):.3f}–{max(f1s):.3f})" if len(f1s) > 1 else ""
    return f"{total(articles).f1 or 0.0:.3f} [{low:.3f}–{high:.3f}]{spread}"


if __name__ == "__main__":
    main()
