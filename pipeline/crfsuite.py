"""CRFsuite's model files, read into arrays.

CRFsuite's own tagger takes a string a feature and gives one marginal a call; with the weights at hand a stage can look
up whole words and compute whole documents at once. The file (``crf1d_model.c`` and ``cqdb.c`` of CRFsuite 0.12, all
numbers little-endian) is a header with offsets, the features, and two constant hash tables with the names of labels
and attributes. ``pycrfsuite.Tagger.info`` gives the same through a text dump that takes a second.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import QuanheError

# magic, size, type, version, then numbers of features, labels and attributes, then where each part begins.
_HEADER = struct.Struct("<4sI4s8I")
_CHUNK = struct.Struct("<4sII")  # name, size, number of items
_TABLE = struct.Struct("<4s5I")  # name, size, flags, byte order, number of names, where their places begin
_FEATURE = np.dtype([("kind", "<u4"), ("source", "<u4"), ("label", "<u4"), ("weight", "<f8")])


@dataclass(frozen=True, slots=True)
class CrfWeights:
    """A linear-chain CRF.

    Attributes:
        labels, attributes: their names; the index is the row or column below.
        states: how much an attribute speaks for a label, ``[attributes, labels]``.
        transitions: how gladly a label (row) is followed by another (column), ``[labels, labels]``.
    """

    labels: list[str]
    attributes: list[str]
    states: NDArray[np.float64]
    transitions: NDArray[np.float64]


def read_crfsuite(path: str | Path) -> CrfWeights:
    """Read a model file that CRFsuite (or a writer of its format) has made.

    Raises:
        OSError: it cannot be read.
        QuanheError: it is no such file, or damaged.
    """
    data = Path(path).read_bytes()
    try:
        return _parse(data)
    except (struct.error, ValueError, IndexError) as error:
        raise QuanheError(f"{path}: no CRFsuite model, or damaged") from error


def _parse(data: bytes) -> CrfWeights:
    magic, _, kind, _, _, n_labels, n_attributes, at_features, at_labels, at_attributes, _ = _HEADER.unpack_from(data)
    if magic != b"lCRF" or kind != b"FOMC":
        raise ValueError("another kind of file")
    labels, attributes = _names(data, at_labels, n_labels), _names(data, at_attributes, n_attributes)
    chunk, _, count = _CHUNK.unpack_from(data, at_features)
    if chunk != b"FEAT":
        raise ValueError("no features")
    features = np.frombuffer(data, _FEATURE, count, at_features + _CHUNK.size)
    states, transitions = np.zeros((n_attributes, n_labels)), np.zeros((n_labels, n_labels))
    for kind_number, target in ((0, states), (1, transitions)):
        chosen = features[features["kind"] == kind_number]
        target[chosen["source"], chosen["label"]] = chosen["weight"]
    return CrfWeights(labels, attributes, states, transitions)


def _names(data: bytes, start: int, count: int) -> list[str]:
    """The keys of a hash table in the order of their numbers; each is stored as number, length, bytes and a zero."""
    chunk, _, _, _, stored, at_places = _TABLE.unpack_from(data, start)
    if chunk != b"CQDB" or stored < count:
        raise ValueError("no names")
    places = np.frombuffer(data, "<u4", count, start + at_places).astype(np.int64) + start
    ends = [data.index(b"\0", place + 8) for place in places.tolist()]
    return [data[place + 8 : end].decode() for place, end in zip(places.tolist(), ends, strict=True)]
