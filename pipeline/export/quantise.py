"""Graphs with 8-bit matrix products."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from pipeline.errors import QuanheError
from pipeline.export.channels import MOST_APART


def quantise(source: Path, target: Path, body: str) -> None:
    """Turn an encoder's matrix products to 8-bit ones, weights by output channel, states by the window's range.

    What stands behind the encoder stays as it is, being small, and its errors would reach the scores directly; so do
    channels that stand apart (``channels.Even``).

    Ranges of states are taken anew for each window (dynamic quantisation): fixed ones were neither faster nor nearer to
    full precision (docs/performance.md).

    Args:
        body: how the names of the encoder's nodes begin.

    Raises:
        QuanheError: no node has such a name.
    """
    graph = onnx.load(source).graph
    rows = {weight.name: weight.dims[0] for weight in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMul" and node.name.startswith(body)]
    chosen = [node.name for node in products if rows.get(node.input[1], 0) > MOST_APART]
    if not chosen:
        raise QuanheError(f"{source.name}: no matrix product of the encoder is called {body}…; it cannot be quantised")
    with _quiet():
        quantize_dynamic(
            source,
            target,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            nodes_to_quantize=chosen,
            extra_options={"MatMulConstBOnly": True},
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep onnxruntime from asking, on the root logger, for a preparation that these graphs do not need."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
