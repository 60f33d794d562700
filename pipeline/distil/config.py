"""Settings of ``quanhe distil``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from pipeline.config import Positive, Rate, Section, Share, load_settings

NotNegative = Annotated[float, Field(ge=0.0)]
Open = Annotated[float, Field(gt=0.0, lt=1.0)]


class TextSource(Section):
    """Where text lies; exactly one of ``path`` and ``dataset``. A plain string in YAML means ``path``.

    Attributes:
        path: a ``.txt`` or ``.txt.xz`` file, or a folder of them.
        dataset: name of a Hugging Face dataset (or its folder), with ``subset`` and ``split``; a record is an article.
        field: the dataset's field that holds the text.
    """

    path: Path | None = None
    dataset: str | None = None
    subset: str | None = None
    split: str = "train"
    field: str = "text"

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.dataset is None):
            raise ValueError("exactly one of path and dataset is needed")
        return self


def _as_sources(value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else [value]
    return [{"path": item} if isinstance(item, str | Path) else item for item in items]


class TextConfig(Section):
    """Which text is read, how it is disturbed, and how it is packed.

    Attributes:
        corpus: a file, folder or dataset (``TextSource``), or a list of them.
        segmenter: ``none`` when the text is word-segmented already (``_`` joins syllables, one sentence a line, an
            empty line between articles); else who makes words and sentences of raw text.
        cache: folder for the corpus as integers; beside the run when it is not given.
        heldout: share of the articles, taken from the end, that is never trained on.
        shard_articles: articles that are packed and sorted by length together.
        max_tokens: longest sequence in student pieces, ``<s>`` and ``</s>`` included.
        min_target: most sequences aim at a random length between this and ``max_tokens``.
        short_fraction, short_target: share of sequences that aim at ``short_target`` to ``min_target``, since users
            send short texts too.
        teacher_max_tokens: longest sequence in the teacher's pieces.
        batch_tokens: student pieces of one forward pass, padding included.
        length_multiple: lengths are padded to a multiple of this.
        mask: share of words that are masked (whole words: 80 % hidden, 10 % replaced, 10 % kept).
        split_word: probability that a word is split into its syllables.
        split_line: probability that a sentence loses its segmentation.
        lower_line, upper_line: probability that the student sees a sentence in lower, or upper, case.
        tone_line: probability that the student sees the other tone placement (hoà, hòa).
    """

    corpus: Annotated[tuple[TextSource, ...], BeforeValidator(_as_sources), Field(min_length=1)]
    segmenter: Literal["none", "underthesea-crf", "syllables"] = "none"
    cache: Path | None = None
    heldout: Open = 0.01
    shard_articles: Positive = 512
    max_tokens: Annotated[int, Field(ge=8)] = 250
    min_target: Annotated[int, Field(ge=8)] = 200
    short_fraction: Share = 0.15
    short_target: Annotated[int, Field(ge=4)] = 16
    teacher_max_tokens: Annotated[int, Field(ge=8)] = 510
    batch_tokens: Positive = 4096
    length_multiple: Positive = 8
    mask: Open = 0.20
    split_word: Share = 0.10
    split_line: Share = 0.05
    lower_line: Share = 0.02
    upper_line: Share = 0.03
    tone_line: Share = 0.25


class StartConfig(Section):
    """How a student is made from the teacher, when ``student`` names none.

    Attributes:
        layers: the teacher's blocks that become the student's, in this order, counted from 1.
        vocabulary: a folder with ``vocab.txt`` and ``bpe.codes``; ``teacher`` when the teacher has such files; or
            ``train`` to learn one from the corpus.
        pieces: size of a vocabulary that is trained, special tokens included.
        positions: pieces that the student will take, special tokens included.
    """

    layers: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 3, 5, 7, 9, 12)
    vocabulary: str = "train"
    pieces: Annotated[int, Field(ge=100)] = 24_000
    positions: Annotated[int, Field(ge=16)] = 256


class LayerPair(Section):
    """A student layer that imitates a teacher layer (1 is the output of the first block)."""

    student: Positive
    teacher: Positive
    weight: Annotated[float, Field(gt=0.0)] = 1.0


class LossConfig(Section):
    """Weights of the loss parts.

    Attributes:
        pairs: layers that are compared; last with last and middle with middle when none is named. The first pair is
            the one whose held-out measures are reported.
        cosine, mse: of the word vectors, in the teacher's standard units.
        mlm: of masked language modelling.
    """

    pairs: tuple[LayerPair, ...] = ()
    cosine: NotNegative = 1.0
    mse: NotNegative = 1.0
    mlm: NotNegative = 0.2


class OptimConfig(Section):
    """AdamW and its schedule; lengths are student pieces without padding.

    Attributes:
        accumulate: forward passes a step.
        ema_every: steps between two updates of the averaged weights; ``ema_decay`` is per update.
    """

    peak_lr: Rate = 6e-4
    warmup_tokens: Annotated[int, Field(ge=0)] = 500_000
    betas: tuple[Open, Open] = (0.9, 0.98)
    eps: Annotated[float, Field(gt=0.0)] = 1e-6
    weight_decay: NotNegative = 0.01
    clip_norm: Annotated[float, Field(gt=0.0)] = 1.0
    accumulate: Positive = 2
    ema_every: Positive = 4
    ema_decay: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.99


class RunConfig(Section):
    """Housekeeping.

    Attributes:
        threads: processor threads; 0 leaves the choice to torch.
        checkpoint_seconds: between two checkpoints.
        log_steps: steps between two lines of ``metrics.jsonl``.
        eval_tokens: student pieces between two held-out measures; ``eval_size`` is the size of the held-out slice.
        max_tokens: end of training in student pieces, a cool-down of ``cooldown_tokens`` at its end included; without
            it training goes on until it is stopped.
        background: give way to every other process of the machine.
        curves: draw ``curves.png`` at the end.
    """

    threads: Annotated[int, Field(ge=0)] = 0
    checkpoint_seconds: Annotated[float, Field(gt=0.0)] = 300.0
    log_steps: Positive = 10
    eval_tokens: Positive = 1_000_000
    eval_size: Positive = 24_000
    max_tokens: Positive | None = None
    cooldown_tokens: Annotated[int, Field(ge=0)] = 0
    background: bool = False
    curves: bool = True


class DistilConfig(Section):
    """Everything that a distillation run needs apart from its folder.

    Attributes:
        teacher: folder or hub name of any encoder that transformers loads.
        student: folder or hub name of an encoder in PhoBERT's file format to go on with; ``null`` makes one from the
            teacher as ``start`` says.
        device: ``auto`` takes a GPU when there is one.
        precision: ``auto`` computes in bf16 where the processor has it; masters and moments are always fp32.
    """

    teacher: str
    student: str | None = None
    seed: Annotated[int, Field(ge=0)] = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    start: StartConfig = StartConfig()
    data: TextConfig
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()
    run: RunConfig = RunConfig()


def load_distil_config(path: str | Path, overrides: Sequence[str] = ()) -> DistilConfig:
    """Read a config file with what it extends and overrides, as ``pipeline.config.load_config`` does.

    Raises:
        ProblemsError: all mistakes, each with file and line.
    """
    return load_settings(DistilConfig, path, overrides)
