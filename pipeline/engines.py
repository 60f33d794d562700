"""Which engine computes the encoders: ONNX Runtime where a model folder has graphs for it, else torch."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import MissingExtraError, QuanheError
from pipeline.mentions.tagger import Tagger
from pipeline.onnx_files import FOLDER, TOKENIZER, Export, Numbers, graph_name, read_export
from pipeline.onnx_session import exact_in_8_bits
from pipeline.relations.classifier import RelationClassifier
from pipeline.relations.linear import LINEAR_FILE, LinearPairs
from pipeline.schema import Schema
from pipeline.windows.pieces import WordTokenizer
from pipeline.windows.plain import load_tokenizer


@dataclass(frozen=True)
class Engine:
    """What computes the encoders.

    Attributes:
        export: of the ONNX files; ``None`` means torch.
        numbers: of the ONNX files to use.
    """

    export: Export | None = None
    numbers: Numbers = "int8"

    def __str__(self) -> str:
        return f"onnx {self.numbers}" if self.export else "torch"


def choose_engine(folder: Path, config: Config) -> tuple[Engine, str]:
    """The engine that the settings ask for, or for ``auto`` the fastest at hand.

    Args:
        folder: of the model.

    Returns:
        The engine, and why the ONNX files of the folder are not used, if that is worth a line.

    Raises:
        QuanheError: what the settings ask for is not to be had.
    """
    exact = exact_in_8_bits() or config.precision == "int8"
    numbers: Numbers = "int8" if exact and config.precision != "fp32" else "fp32"
    if config.engine == "onnx":
        if config.precision == "bf16" or config.device == "cuda":
            raise QuanheError(
                "engine: onnx computes on the CPU in fp32 or int8; set precision or device, or take torch"
            )
        _need("onnxruntime", "onnx", "engine: onnx")
        return Engine(read_export(folder, numbers), numbers), ""
    if config.engine == "torch":
        if config.precision == "int8":
            raise QuanheError("engine: torch computes in fp32 or bf16; set precision, or take engine: onnx")
        _need("torch", "torch", "engine: torch")
        return Engine(), ""
    return _fastest(folder, config, numbers)


def _fastest(folder: Path, config: Config, numbers: Numbers) -> tuple[Engine, str]:
    reason = f"{folder / FOLDER}: no ONNX files"
    if config.device != "cuda" and config.precision != "bf16" and (folder / FOLDER).is_dir():
        try:
            _need("onnxruntime", "onnx", "the faster engine")
            return Engine(read_export(folder, numbers), numbers), ""
        except QuanheError as error:
            reason = str(error)
    else:
        reason = ""
    if config.precision == "int8":
        raise QuanheError(f"precision: int8 is for ONNX files; {reason or f'run `quanhe export {folder}`'}")
    if not _installed("torch"):
        raise QuanheError(
            f"model {folder}: neither engine is ready: {reason or 'no ONNX files'}; "
            "or use torch: pip install 'quanhe[torch]'"
        )
    return Engine(), f"{reason}; torch is used until then" if reason else ""


def _need(package: str, extra: str, purpose: str) -> None:
    if not _installed(package):
        raise MissingExtraError(package, extra, purpose)


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def load_stages(
    folder: Path, engine: Engine, config: Config, schema: Schema
) -> tuple[Tagger, RelationClassifier | None]:
    """Load tagger and relation classifier of a model folder.

    Raises:
        QuanheError: weights, graphs or tokenizer cannot be read.
    """
    return _load_onnx(folder, engine, config, schema) if engine.export else _load_torch(folder, config, schema)


def _load_onnx(
    folder: Path, engine: Engine, config: Config, schema: Schema
) -> tuple[Tagger, RelationClassifier | None]:
    from pipeline.mentions.onnx_engine import OnnxPieceScorer
    from pipeline.relations.onnx_engine import OnnxPairScorer

    export = engine.export
    assert export is not None
    files = {stage: folder / FOLDER / graph_name(stage, engine.numbers) for stage in ("entities", "relations")}
    tokenizer = _tokenizer(folder, export)
    tagger = Tagger(OnnxPieceScorer(files["entities"], export.entities, config.threads), tokenizer, config.windows)
    if export.relations is None:
        return tagger, None
    scorer = OnnxPairScorer(files["relations"], export.relations, config.threads)
    linear = _linear(folder, schema)
    return tagger, RelationClassifier(scorer, tokenizer, schema, config.relations, config.windows, linear=linear)


def _linear(folder: Path, schema: Schema) -> LinearPairs | None:
    path = folder / "relations" / LINEAR_FILE
    return LinearPairs.load(path, schema) if path.is_file() else None


def _tokenizer(folder: Path, export: Export) -> WordTokenizer:
    if export.tokenizer is None:
        return load_tokenizer(folder / "entities")
    from pipeline.windows.json_tokenizer import JsonPieces

    return JsonPieces(folder / FOLDER / TOKENIZER, export.tokenizer)


def _load_torch(folder: Path, config: Config, schema: Schema) -> tuple[Tagger, RelationClassifier | None]:
    try:
        import torch

        from pipeline.encoders import pick_device, use_bf16
        from pipeline.mentions.torch_engine import load_torch_tagger
        from pipeline.relations.torch_engine import load_torch_classifier
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "torch", "engine: torch") from error
    if config.threads:
        torch.set_num_threads(config.threads)
    device = pick_device(config.device)
    bf16 = use_bf16(config.precision, device)
    tagger = load_torch_tagger(folder / "entities", config.windows, device, bf16=bf16)
    if not (folder / "relations").is_dir():
        return tagger, None
    return tagger, load_torch_classifier(
        folder / "relations",
        schema,
        config.relations,
        config.windows,
        device,
        bf16=bf16,
        linear=_linear(folder, schema),
    )
