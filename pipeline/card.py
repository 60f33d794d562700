"""The model card: what a model folder holds, what it was made from, and how good it is."""

from __future__ import annotations

from pipeline.config import Config
from pipeline.evaluation.report import Report
from pipeline.evaluation.tables import markdown_tables
from pipeline.manifest import Manifest
from pipeline.schema import Schema


def model_card(config: Config, schema: Schema, manifest: Manifest, report: Report | None) -> str:
    """Markdown text of the folder's ``README.md``."""
    training = manifest.training
    lines = [
        f"# {manifest.name}",
        "",
        "A quanhe model: reads Vietnamese text, returns mentions, relations, entities and facts. Use it with",
        f"`quanhe extract PATH --model models/{manifest.name}` (this folder).",
        "",
        "| | |",
        "|---|---|",
        f"| made by | quanhe {manifest.quanhe}, `quanhe train`, config {manifest.config_hash} (`config.yaml` here) |",
        f"| encoder | {manifest.encoder} |",
        f"| word segmentation | {manifest.segmenter} |",
        f"| schema | {schema.name} {schema.version}: {len(schema.entities)} entity types, "
        f"{len(schema.relations)} relation types |",
        f"| trained on | {len(training.articles)} articles: {', '.join(_shorten(list(training.articles)))} |",
        f"| early stopping on | {len(manifest.dev_articles)} articles |",
        f"| labels not expressible in words | {training.unaligned} |",
    ]
    for name, stage in manifest.stages.items():
        dev = f", best dev score {max(stage.dev):.3f} in epoch {stage.best_epoch}" if stage.dev else ""
        lines.append(
            f"| {name} | {stage.parameters / 1e6:.1f} M parameters, {stage.epochs} epochs, {stage.seconds:.0f} s{dev} |"
        )
    lines += ["", "## Training labels", "", "| type | number |", "|---|---|"]
    lines += [f"| {kind} | {number} |" for kind, number in (training.mentions | training.relations).items()]
    lines += ["", "## Scores on held-out articles", ""]
    if report:
        lines += [f"{len(report.articles)} articles: {', '.join(_shorten(report.articles))}.", ""]
        lines.append(markdown_tables(report.systems, report.confidence))
    else:
        lines.append("None: the config names no test articles.")
    lines += [
        "",
        "## Limits",
        "",
        "Scores hold for articles like the test articles. Facts are what a text says, not what is true; check a fact",
        "against its evidence before you use it. Names of people outside defence and diplomacy, other languages, and",
        "text without diacritics are read less well.",
        "",
    ]
    return "\n".join(lines)


def _shorten(names: list[str], most: int = 12) -> list[str]:
    return names if len(names) <= most else [*names[:most], f"… {len(names) - most} more"]
