"""The two stages as modules of one window, and their way into ONNX files."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from transformers import PreTrainedModel

from pipeline.errors import QuanheError
from pipeline.onnx_session import Feed
from pipeline.relations.model import RelationModel

_OPSET = 17
_LARGE = 1000  # rows of a table that is worth halving
# Names of the sizes that differ from window to window, by input.
_SIZES: Mapping[str, Mapping[int, str]] = {
    "ids": {1: "pieces"},
    "positions": {1: "pieces"},
    "mask": {2: "pieces", 3: "pieces"},
    "spans": {0: "mentions"},
    "types": {0: "mentions"},
    "pairs": {0: "pairs"},
    "between": {0: "pairs"},
    "features": {0: "pairs"},
}


class PieceGraph(nn.Module):
    """The token classifier on one window: ids ``[1, pieces]`` → log probabilities ``[pieces, labels]``."""

    inputs: tuple[str, ...] = ("ids",)

    @property
    def body(self) -> str:
        """How the names of the encoder's nodes begin."""
        return f"/model/{self.model.base_model_prefix}/"

    @property
    def encoder(self) -> nn.Module:
        """The model without the classifier."""
        encoder: nn.Module = self.model.base_model
        return encoder

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(input_ids=ids).logits[0]
        return torch.log_softmax(logits, dim=-1)


class PairGraph(nn.Module):
    """The pair classifier on one window: what ``relations.onnx_engine.window_feed`` makes → log odds
    ``[pairs, relations]``.

    ``RelationModel.forward`` without padding; each mention is looked at once, not once a pair.
    """

    def __init__(self, model: RelationModel, *, levitated: bool) -> None:
        super().__init__()
        self.model = model
        self.inputs: tuple[str, ...] = ("ids", "spans", "types", "pairs", "between", "features")
        if levitated:
            self.inputs += ("positions", "mask")

    @property
    def body(self) -> str:
        """How the names of the encoder's nodes begin."""
        return "/encoder/"

    @property
    def encoder(self) -> nn.Module:
        """The model without the pair network."""
        encoder: nn.Module = self.model.encoder
        return encoder

    def forward(
        self,
        ids: torch.Tensor,
        spans: torch.Tensor,
        types: torch.Tensor,
        pairs: torch.Tensor,
        between: torch.Tensor,
        features: torch.Tensor,
        positions: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        head = self.model.head
        special = {} if mask is None else {"position_ids": positions, "attention_mask": mask}
        states = self.model.encoder(input_ids=ids, **special).last_hidden_state[0]
        known = head.spans(states[spans].flatten(1))
        hidden = head.join(known[pairs[:, 0]], known[pairs[:, 1]], _means(states, between), types[pairs], features)
        if head.evidence is not None:
            text = None if mask is None else mask[0, 0, 0] == 0  # what the first piece may see: text, no markers
            hidden = hidden + head.evidence.in_window(hidden, states, text)
        logits: torch.Tensor = head.out(hidden)
        return logits


def _means(states: torch.Tensor, ranges: torch.Tensor) -> torch.Tensor:
    """Mean state of each ``[start, end)``, zero for an empty one, as one matrix product."""
    places = torch.arange(states.shape[0])[None]
    inside = ((places >= ranges[:, :1]) & (places < ranges[:, 1:])).to(states.dtype)
    return (inside @ states) / inside.sum(1, keepdim=True).clamp(min=1)


def write_graph(module: PieceGraph | PairGraph, sample: Feed, path: Path) -> None:
    """Write a module's graph in fp32, tables of embeddings in fp16 where that loses nothing.

    Args:
        sample: inputs of one window; other windows may have other sizes.

    Raises:
        QuanheError: the encoder does something that ONNX cannot say.
    """
    arguments = tuple(torch.from_numpy(np.asarray(sample[name])) for name in module.inputs)
    try:
        with _quiet(), torch.no_grad(), _plain_attention(module):
            torch.onnx.export(
                module.eval(),
                arguments,
                str(path),
                # The exporter by tracing: the other one also writes control flow and shapes of this one sample.
                dynamo=False,
                opset_version=_OPSET,
                input_names=list(module.inputs),
                output_names=["scores"],
                dynamic_axes={name: dict(_SIZES[name]) for name in module.inputs},
            )
    except Exception as error:  # of torch and of any encoder's code
        reason = str(error).strip().split("\n")[0][:200]
        raise QuanheError(f"the encoder cannot be written as ONNX ({type(error).__name__}: {reason})") from error
    graph = onnx.load(path)
    share_weights(graph)
    halve_tables(graph)
    onnx.save(graph, path)


@contextmanager
def _plain_attention(module: nn.Module) -> Iterator[None]:
    """Attention as matrix products and a softmax, which ONNX Runtime fuses; torch's fused one comes out clumsily."""
    bodies: Sequence[PreTrainedModel] = [part for part in module.modules() if isinstance(part, PreTrainedModel)]
    before = bodies[0].config._attn_implementation
    bodies[0].set_attn_implementation("eager")
    try:
        yield
    finally:
        bodies[0].set_attn_implementation(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from telling that tracing fixes Python values: those are the same for all windows."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def share_weights(model: onnx.ModelProto) -> None:
    """Take out the copies by which the exporter lets two nodes read one weight: a copy is not known to be constant."""
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    copies = {n.output[0]: n for n in graph.node if n.op_type == "Identity" and n.input[0] in weights}
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in copies:
                node.input[place] = copies[name].input[0]
    for copy in copies.values():
        graph.node.remove(copy)


def halve_tables(model: onnx.ModelProto) -> None:
    """Store large tables that rows are only taken from in fp16, if their numbers are fp16's (as saved ones are)."""
    graph = model.graph
    uses = [(node, place) for node in graph.node for place in range(len(node.input))]
    for table in list(graph.initializer):
        readers = [(node, place) for node, place in uses if node.input[place] == table.name]
        gathered = all(node.op_type == "Gather" and place == 0 for node, place in readers)
        if table.data_type != onnx.TensorProto.FLOAT or table.dims[0] < _LARGE or not gathered:
            continue
        values = onnx.numpy_helper.to_array(table)
        halved = values.astype(np.float16)
        if not np.array_equal(halved.astype(np.float32), values):
            continue
        table.CopyFrom(onnx.numpy_helper.from_array(halved, table.name))
        for node, _ in readers:
            taken = f"{node.output[0]}_fp16"
            cast = onnx.helper.make_node("Cast", [taken], [node.output[0]], to=onnx.TensorProto.FLOAT)
            node.output[0] = taken
            graph.node.insert(list(graph.node).index(node) + 1, cast)
