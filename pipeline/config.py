"""Configuration: one YAML file a setting, checked as a whole, with every mistake at its file and line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import QuanheError
from pipeline.yaml_file import Location, Place, read_yaml, validate

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0.0, le=1.0)]
SettingsT = TypeVar("SettingsT", bound=BaseModel)


class Section(BaseModel):
    """A part of a config: unknown keys are mistakes, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Section):
    """Where labelled articles lie.

    Attributes:
        path: a folder of brat ``.ann`` files, or one CoNLL file; a plain string in YAML means this.
        texts: the folder of the ``.txt`` files when they do not lie beside the ``.ann`` files.
        only, skip: article ids to take, or to leave out.
    """

    path: Path
    texts: Path | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


def _as_sources(value: Any) -> Any:
    """Let YAML say ``train: folder`` or ``train: [a, {path: b, texts: c}]``."""
    items = value if isinstance(value, list | tuple) else [value]
    return [{"path": item} if isinstance(item, str | Path) else item for item in items]


Sources = Annotated[tuple[Source, ...], BeforeValidator(_as_sources)]


class ColumnsConfig(Section):
    """Layout of a CoNLL file: white-space separated columns counted from 0, sentences parted by empty lines."""

    word: int = 0
    tag: int = -1
    scheme: Literal["iob1", "iob2", "bioes"] = "iob2"


class AugmentConfig(Section):
    """Changed copies of the training articles, made anew for each training and never saved (docs/augmentation.md).

    Everything is off until a probability is set. Of what each is the probability:

    Attributes:
        copies: changed copies of each article; a copy in which chance changed nothing is left out.
        gazetteers: the folder of the lists that replacements come from.
        names: a person gets another name, in all its mentions.
        countries: a country becomes another through the whole article, with the places and organisations named by it.
        keep_vietnam: Việt Nam is spared when its turn comes.
        places: a place becomes another of its country.
        ranks, roles, organisations, agreements, events: one of them becomes another of its kind.
        dates: the article's dates move and are written in another form.
        case: the headline is set in capitals; and, drawn apart, offices and other titles get another first letter.
        tones: the article writes hoà or hòa throughout.
        i_or_y: the article writes kỹ or kĩ throughout.
        abbreviations: a long form is abbreviated, or a short one written out.
        diacritics: the headline loses its diacritics.
        segmentation: a word of several syllables is cut into syllables.
    """

    copies: Annotated[int, Field(ge=0)] = 1
    gazetteers: Path = Path("annotations/gazetteers")
    names: Share = 0.0
    countries: Share = 0.0
    keep_vietnam: Share = 0.95
    places: Share = 0.0
    ranks: Share = 0.0
    roles: Share = 0.0
    organisations: Share = 0.0
    agreements: Share = 0.0
    events: Share = 0.0
    dates: Share = 0.0
    case: Share = 0.0
    tones: Share = 0.0
    i_or_y: Share = 0.0
    abbreviations: Share = 0.0
    diacritics: Share = 0.0
    segmentation: Share = 0.0


class DataConfig(Section):
    """Labelled articles. Held out means by article: no id may stand in two splits.

    Attributes:
        negatives: held-back brat articles with ``.neg`` files (``pipeline.data.negatives``): on them every evaluation
            measures how often entities are linked that merely occur together. None of them may stand in train or dev.
    """

    format: Literal["brat", "conll"] = "brat"
    train: Sources = ()
    dev: Sources = ()
    test: Sources = ()
    negatives: Sources = ()
    columns: ColumnsConfig = ColumnsConfig()
    augment: AugmentConfig = AugmentConfig()


class TextConfig(Section):
    """How text becomes words."""

    segmenter: Literal["underthesea-crf", "syllables"] = "underthesea-crf"


class WindowConfig(Section):
    """Articles longer than the encoder are read through overlapping windows of whole words.

    Attributes:
        pieces: BPE pieces a window holds, ``<s>`` and ``</s>`` included; at most what the encoder takes.
        overlap: pieces that a window shares with the one before.
    """

    pieces: Annotated[int, Field(ge=16)] = 256
    overlap: Annotated[int, Field(ge=0)] = 64


class TrainerConfig(Section):
    """What both trained stages share.

    Attributes:
        epochs: passes over the data; the last one counts when there is no dev data.
        batch: windows a step.
        learning_rate: peak of the encoder's; ``head_learning_rate`` is for the fresh layers.
        layer_decay: factor from each encoder layer to the one below (Howard and Ruder, 2018); 1.0 switches it off.
        standardise: scale the encoder's outputs to mean 0 and variance 1 before training (``pipeline.standardise``).
        average: decay per step of a running average of the weights, which is scored and kept instead of the last ones;
            0 switches it off.
        patience: epochs without a better dev score before training stops (dev data only).
    """

    epochs: Positive = 10
    batch: Positive = 4
    learning_rate: Rate = 5e-4
    head_learning_rate: Rate = 5e-3
    layer_decay: Rate = 1.0
    standardise: bool = True
    warmup: Share = 0.1
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.01
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    average: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    patience: Positive = 4


class EntityConfig(TrainerConfig):
    """The token classifier.

    Attributes:
        crf: learn what label may follow what together with the classifier (a linear-chain CRF on its scores) and train
            whole label sequences instead of single labels; class weights and smoothing have no part in that.
        blend: weight of the feature CRF's label probabilities beside the encoder's when mentions are found; 0 leaves
            the CRF a mere baseline.
        class_weights: loss weights against the many ``O`` words: none, or inverse square root of label frequency.
        label_smoothing: mass taken from the gold label and spread over all.
        word_dropout: share of words whose pieces the encoder sees as ``<unk>`` while training.
    """

    crf: bool = False
    blend: Share = 0.0
    class_weights: Literal["none", "sqrt"] = "none"
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    word_dropout: Share = 0.0


class RelationConfig(TrainerConfig):
    """The relation classifier.

    Attributes:
        encoding: how candidates reach the encoder: ``markers`` (all mentions of a window in typed markers),
            ``levitated`` (typed markers after the text, tied to the spans by position), ``pooled`` (plain text, span
            pairs pooled).
        max_sentences: sentences between head and tail at most (0: the same sentence).
        max_words: words between head and tail at most.
        threshold: a candidate below this probability is no relation.
        blend: weight of the linear pair classifier's log odds beside the encoder's; 0 goes without it.
        repeats: what a mention pair is that repeats a fact labelled at another pair: left out of the loss (ignore), or
            one more positive or negative.
    """

    enabled: bool = True
    encoding: Literal["markers", "levitated", "pooled"] = "markers"
    max_sentences: Annotated[int, Field(ge=0)] = 4
    max_words: Positive = 150
    threshold: Share = 0.5
    blend: Share = 0.0
    repeats: Literal["ignore", "positive", "negative"] = "ignore"


class CrfConfig(Section):
    """The baseline beside the encoder: a CRF on hand-made features, L-BFGS with both penalties."""

    c1: Annotated[float, Field(ge=0.0)] = 0.1
    c2: Annotated[float, Field(ge=0.0)] = 0.05
    iterations: Positive = 150


class LinearConfig(Section):
    """The pair classifier beside the encoder: logistic regressions on hand-made features.

    Attributes:
        inverse_penalty: scikit-learn's ``C``; smaller keeps the weights nearer to 0.
        least: candidate pairs that a feature must stand at to get a weight.
    """

    inverse_penalty: Annotated[float, Field(gt=0.0)] = 0.5
    iterations: Positive = 60
    least: Positive = 2


class EvaluationConfig(Section):
    """How scores are made: bootstrap resamples of articles, and the confidence of the interval."""

    resamples: Annotated[int, Field(ge=10)] = 1000
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95


class Config(Section):
    """Everything that decides how a model is trained.

    Attributes:
        encoder: a folder in PhoBERT's file format or with another tokenizer that transformers loads (BERT, XLM-R …), or
            a model hub name such as ``vinai/phobert-base``.
        schema_file: the schema (YAML key ``schema``).
        seed: of every random choice.
        device: ``auto`` takes a GPU when there is one.
        precision: ``auto`` trains in bf16 where the processor has it, and extracts in the engine's fastest numbers:
            int8 (ONNX files only) or bf16.
        engine: what computes the encoders of a trained model: ``auto`` takes the model's ONNX files when there are any
            and onnxruntime is installed, else torch.
        threads: cores that extraction uses; 0 takes all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = "quanhe"
    encoder: str = "models/phobert-mini"
    schema_file: Path = Field(default=Path("annotations/schema.yaml"), alias="schema")
    seed: Annotated[int, Field(ge=0)] = 13
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16", "int8"] = "auto"
    engine: Literal["auto", "onnx", "torch"] = "auto"
    threads: Annotated[int, Field(ge=0)] = 0
    data: DataConfig = DataConfig()
    text: TextConfig = TextConfig()
    windows: WindowConfig = WindowConfig()
    entities: EntityConfig = EntityConfig()
    relations: RelationConfig = RelationConfig()
    crf: CrfConfig = CrfConfig()
    linear: LinearConfig = LinearConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    def resolved(self) -> dict[str, Any]:
        """Every setting, defaults included, as plain values in the words of the YAML file."""
        dumped: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        return dumped

    @property
    def hash(self) -> str:
        """The first 12 hex digits of SHA-256 over the resolved settings: equal settings, equal hash."""
        text = json.dumps(self.resolved(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config file, the files it extends, and overrides from the command line.

    Args:
        path: a YAML file; its key ``extends`` names another, relative to it, whose settings it builds on.
        overrides: ``key.sub=value``, the value in YAML.

    Raises:
        ProblemsError: all mistakes, each with file and line.
        QuanheError: a file cannot be read, or files extend each other in a circle.
    """
    return load_settings(Config, path, overrides)


def load_settings(model: type[SettingsT], path: str | Path, overrides: Sequence[str] = ()) -> SettingsT:
    """Read the settings of any model as ``load_config`` does those of ``Config``.

    Raises:
        ProblemsError: all mistakes, each with file and line.
        QuanheError: a file cannot be read, or files extend each other in a circle.
    """
    data, places = _read_with_parents(Path(path), ())
    for override in overrides:
        _apply(override, data, places)
    return validate(model, data, places)


def _read_with_parents(path: Path, children: tuple[Path, ...]) -> tuple[dict[str, Any], dict[Location, Place]]:
    if path.resolve() in children:
        raise QuanheError(f"{path}: extends itself through {children[-1]}; take one `extends:` out")
    data, places = read_yaml(path)
    parent = data.pop("extends", None)
    if parent is None:
        return data, places
    if not isinstance(parent, str):
        raise QuanheError(f"{path}:{places[('extends',)][1]}: extends: needs the name of one file")
    parent_path = path.parent / parent
    if not parent_path.is_file():
        raise QuanheError(f"{path}:{places[('extends',)][1]}: extends: no file {parent_path}")
    base, base_places = _read_with_parents(parent_path, (*children, path.resolve()))
    return _merge(base, data), {**base_places, **places}


def _merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """``top`` over ``base``: mappings merge key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        both_mappings = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both_mappings else value
    return merged


def _apply(override: str, data: dict[str, Any], places: dict[Location, Place]) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise QuanheError(f"override {override!r}: write it as key.sub=value, e.g. entities.epochs=10")
    try:
        value = YAML(typ="safe", pure=True).load(text) if text else None
    except YAMLError as error:
        raise QuanheError(f"override {override!r}: the value is not valid YAML") from error
    parts = key.strip().split(".")
    node = data
    for part in parts[:-1]:
        inner = node.get(part)
        node[part] = dict(inner) if isinstance(inner, dict) else {}
        node = node[part]
    node[parts[-1]] = value
    for length in range(1, len(parts) + 1):
        if length == len(parts) or tuple(parts[:length]) not in places:
            places[tuple(parts[:length])] = (f"override {override!r}", 0)
