"""``quanhe export``: a trained model as ONNX files, which extract faster and without torch."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config import Config, DataConfig
from pipeline.data.corpus import load_split
from pipeline.document import Document
from pipeline.errors import MissingExtraError, QuanheError
from pipeline.inputs.records import DEFAULT_NAMES, Record
from pipeline.inputs.sources import check_arguments, read_items
from pipeline.manifest import write_manifest
from pipeline.onnx_files import FOLDER

_TEXTS = 24
_OF_TORCH = ("model.safetensors", "pair_head.safetensors")


def export(
    model: Path,
    output: Path | None = None,
    *,
    texts: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write a model's ONNX files, in fp32 and int8.

    Args:
        model: a model folder.
        output: a folder to make that holds all that extraction needs and no torch weights; ``None`` writes into the
            model folder itself.
        texts: files or folders with articles such as the model will read, on which outliers are looked for; the
            training articles that the model's config names when there are none.
        say: gets a line for each file.

    Returns:
        The model folder that has the ONNX files now.

    Raises:
        QuanheError: the model, the texts or the output are not in order, or a package is missing.
    """
    try:
        from pipeline.export.run import export_model
        from pipeline.model import load_model
    except ImportError as error:
        raise MissingExtraError(error.name or "onnx", "export", "quanhe export") from error
    if output is not None and output.exists():
        raise QuanheError(f"{output}: exists; name a new folder with --output")
    loaded, manifest = load_model(model, Config(engine="torch", precision="fp32", device="cpu"))
    documents = _articles(texts) if texts else _training_articles(loaded.config.data)
    if output is None:
        export_model(loaded, model, model / FOLDER, documents, say)
        return model
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
            new = Path(scratch) / "model"
            shutil.copytree(
                model, new, ignore=shutil.ignore_patterns("model.safetensors", "pair_head.safetensors", FOLDER)
            )
            export_model(loaded, model, new / FOLDER, documents, say)
            write_manifest(manifest, new)
            new.rename(output)
    except OSError as error:
        raise QuanheError(f"{output}: cannot be written ({error.strerror or error})") from error
    return output


def _articles(paths: Sequence[str]) -> list[Document]:
    """The first articles of files or folders.

    Raises:
        QuanheError: there are none.
    """
    check_arguments(paths, None)
    records = (item for item in read_items(paths, DEFAULT_NAMES, None) if isinstance(item, Record))
    return [record.document for record in islice(records, _TEXTS)]


def _training_articles(data: DataConfig) -> list[Document]:
    """Some of the articles that the model was trained on, from all over the list.

    Raises:
        QuanheError: they are not there.
    """
    try:
        documents = load_split(data, "train")
    except QuanheError as error:
        raise QuanheError(f"{error}; or name some articles with --texts") from error
    return documents[:: max(len(documents) // _TEXTS, 1)][:_TEXTS]


def export_cli(
    model: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="Model folder; the shipped one by default.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Make a folder for extraction alone, without torch weights."
        ),
    ] = None,
    texts: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Articles like those to be read; else some that the model was trained on."),
    ] = None,
) -> None:
    """Write a model's ONNX files, with which it extracts faster and without torch (docs/performance.md)."""
    from pipeline.manifest import default_model

    folder = export(model or default_model(), output, texts=texts or (), say=lambda line: typer.echo(line, err=True))
    typer.echo(f"model: {folder}", err=True)
