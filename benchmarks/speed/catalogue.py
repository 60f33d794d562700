"""What is compared, in the order of the table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

SYSTEMS_FOLDER = Path(__file__).parent / "systems"
TOKENIZER = Path(__file__).resolve().parents[2] / "models" / "phobert-mini"
BASELINE = "transformers"  # the row that all ratios are against

ENTITIES = "entities"
ALL = "entities, relations, facts"


@dataclass(frozen=True, slots=True)
class System:
    """One row.

    Attributes:
        key: its name on the command line.
        file: the module in ``systems/`` that runs it, or a path.
        finds: what comes out for a text.
        about: what exactly is timed, for the notes under the table.
        options: given to ``load`` of that module.
        choices: settings given to ``run``; the fastest on a few texts is used.
        pins: file in ``pins/`` with the packages of its environment; empty: quanhe's own environment.
        packages: the packages whose requirements, all together, are its install size.
        needs: options of ``quanhe extract``, or commands of quanhe, that must be there.
        optional_arguments: given to ``quanhe extract`` if it has them, with these values.
        single: whether articles are also read one by one.
        probe: it only says how fast arithmetic is, and has no row in the table.
        refused: why it cannot be measured at all.
        exported: it reads a model with ONNX files; ``options`` get ``exported``, where that is.
    """

    key: str
    title: str
    file: str
    finds: str = ENTITIES
    precision: str = "fp32"
    about: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Mapping[str, Any], ...] = ({},)
    pins: str = ""
    packages: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    optional_arguments: Mapping[str, str] = field(default_factory=dict)
    single: bool = True
    probe: bool = False
    exported: bool = False
    refused: str = ""

    @property
    def path(self) -> Path:
        """The module that runs it."""
        return SYSTEMS_FOLDER / self.file


_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_PIPELINE_BATCHES = ({"batch": 1}, {"batch": 8}, {"batch": 16})


def _quanhe(key: str, title: str, engine: str, numbers: str) -> list[System]:
    """The rows of one engine: one process, and one a core (all articles only: one alone goes to one process)."""
    onnx = engine == "onnx"
    arguments = ["--engine", engine, "--precision", numbers] if onnx else []
    one = System(
        key=key,
        title=title,
        file="quanhe_command.py",
        finds=ALL,
        precision=numbers or "auto",
        options={"arguments": arguments, "numbers": numbers},
        packages=(f"quanhe[{engine}]",),
        needs=("--engine", "export") if onnx else (),
        optional_arguments={"--workers": "1"} if onnx else {"--workers": "1", "--engine": engine},
        exported=onnx,
    )
    workers = {"arguments": [*arguments, "--workers", str(_CORES)], "workers": _CORES, "numbers": numbers}
    many = replace(
        one,
        key=f"{key}-workers",
        title=f"{title}, {_CORES} processes",
        options=workers,
        needs=(*one.needs, "--workers"),
        optional_arguments={} if onnx else {"--engine": engine},
        single=False,
    )
    return [one, many]


def _encoder(key: str, engine: str, numbers: str) -> System:
    """The probe of one engine."""
    onnx = engine == "onnx"
    return System(
        key=key,
        title=f"quanhe's encoder, {engine} {numbers}".strip(),
        file="quanhe_encoder.py",
        options={"settings": {"engine": engine, **({"precision": numbers} if numbers else {})}},
        needs=("--engine", "export") if onnx else (),
        single=False,
        probe=True,
        exported=onnx,
    )


SYSTEMS: tuple[System, ...] = (
    *_quanhe("quanhe", "quanhe, torch", "torch", ""),
    *_quanhe("quanhe-onnx", "quanhe, ONNX fp32", "onnx", "fp32"),
    *_quanhe("quanhe-int8", "quanhe, ONNX int8", "onnx", "int8"),
    System(
        key="quanhe-crf",
        title="quanhe's CRF and rules",
        file="quanhe_crf.py",
        finds=ALL,
        precision="–",
        packages=("python-crfsuite", "underthesea-core", "joblib", "numpy", "pydantic", "ruamel.yaml", "babel"),
        about="the baseline of quanhe's reports: feature CRF, nearest-pair rules; one core",
    ),
    System(
        key=BASELINE,
        title="transformers pipeline, PhoBERT-base shape",
        file="transformers_phobert.py",
        options={"tokenizer": str(TOKENIZER)},
        choices=_PIPELINE_BATCHES,
        pins="transformers.txt",
        packages=("transformers", "torch", "underthesea"),
        about="`pipeline('token-classification')` on fresh weights (12 × 768, vocabulary 64,001); sentences and words "
        "by underthesea, PhobertTokenizer in Python on the vocabulary of the encoder here: 1.29 pieces a word, where "
        "PhoBERT's own 64,000 would give fewer, at best 1, and be that much faster; labels are grouped by `simple`, "
        "all that it can do without offsets",
    ),
    System(
        key="underthesea",
        title="underthesea ner",
        file="underthesea_ner.py",
        precision="–",
        pins="underthesea.txt",
        packages=("underthesea",),
        about="its own trained CRFs for words, parts of speech, chunks and names (person, place, organisation), "
        "sentence by sentence; one core",
    ),
    System(
        key="spacy",
        title="spaCy, tok2vec + transitions",
        file="spacy_blank.py",
        choices=({"batch": 8}, {"batch": 64}, {"batch": 8, "processes": _CORES}),
        pins="spacy.txt",
        packages=("spacy", "pyvi"),
        about="`spacy.blank('vi')` with pyvi's words and an `ner` of default size, initialised on the schema's labels",
    ),
    System(
        key="gliner",
        title="GLiNER, multilingual base shape",
        file="gliner_multi.py",
        options={"vocabulary": 3100},
        choices=({"batch": 1}, {"batch": 8}),
        pins="gliner.txt",
        packages=("gliner",),
        about="mDeBERTa-v3-base shape (12 × 768, vocabulary 251,000) and span markers on fresh weights, the nine types "
        "of the schema as labels, passages of at most 384 words; its threshold lets nothing through: its best case",
    ),
    System(
        key="phonlp",
        title="PhoNLP",
        file="",
        refused="`phonlp.load` needs a file from a file-sharing site and PhoBERT's configuration from a model hub",
    ),
    System(
        key="gemm",
        title="matrix products of 2048 × 2048",
        file="gemm.py",
        single=False,
        probe=True,
    ),
    _encoder("encoder", "torch", ""),
    _encoder("encoder-onnx", "onnx", "fp32"),
    _encoder("encoder-int8", "onnx", "int8"),
)
