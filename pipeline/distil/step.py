"""Forward passes that training and measuring share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from pipeline.distil.batches import Batch
from pipeline.distil.config import LayerPair, LossConfig
from pipeline.distil.encoder import AnyEncoder, Encoder, MaskedLM
from pipeline.distil.losses import distance, masked_loss, pool


@dataclass(frozen=True)
class TeacherScale:
    """Mean and deviation per dimension of the teacher's word vectors, by layer; fp32 (H,)."""

    mean: dict[int, torch.Tensor]
    std: dict[int, torch.Tensor]


class Student(nn.Module):
    """The masked-LM student plus one projection per layer pair where the widths differ."""

    def __init__(self, model: MaskedLM, pairs: int, teacher_width: int) -> None:
        super().__init__()
        self.model = model
        width = model.encoder.shape.hidden
        self.projections = nn.ModuleDict(
            {str(i): nn.Linear(width, teacher_width, bias=False) for i in range(pairs) if width != teacher_width}
        )

    def project(self, pair: int, states: torch.Tensor) -> torch.Tensor:
        """States (N, student width) to (N, teacher width)."""
        key = str(pair)
        out: torch.Tensor = self.projections[key](states) if key in self.projections else states
        return out


@torch.no_grad()
def teacher_words(teacher: Encoder | AnyEncoder, batch: Batch, layers: set[int]) -> dict[int, torch.Tensor]:
    """Pooled word vectors of the teacher, fp32 (U, H) by layer."""
    states = teacher(batch.teacher_ids, batch.teacher_keys, layers)
    return {n: pool(s, batch.teacher_at, batch.teacher_unit, batch.units) for n, s in states.items()}


def measure_scale(teacher: Encoder | AnyEncoder, batches: list[Batch], layers: set[int]) -> TeacherScale:
    """Statistics of the teacher's word vectors over some batches."""
    found: dict[int, list[torch.Tensor]] = {n: [] for n in layers}
    for batch in batches:
        for n, vectors in teacher_words(teacher, batch, layers).items():
            found[n].append(vectors)
    joined = {n: torch.cat(v) for n, v in found.items()}
    return TeacherScale(
        {n: v.mean(0) for n, v in joined.items()},
        {n: v.std(0).clamp_(min=1e-3) for n, v in joined.items()},
    )


@dataclass(frozen=True)
class Parts:
    """Loss parts of one batch; pairs: (1 - cosine, squared error) per layer pair."""

    total: torch.Tensor
    pairs: list[tuple[torch.Tensor, torch.Tensor]]
    mlm: torch.Tensor
    hits: torch.Tensor
    plain_cosine: torch.Tensor | None


def student_loss(
    student: Student,
    words: dict[int, torch.Tensor],
    batch: Batch,
    scale: TeacherScale,
    pairs: Sequence[LayerPair],
    weights: LossConfig,
    plain: bool = False,
) -> Parts:
    """All loss parts of a batch given the teacher's word vectors; plain adds raw cosines."""
    encoder = student.model.encoder
    last = encoder.shape.layers
    states = encoder(batch.student_ids, batch.student_keys, {p.student for p in pairs} | {last})
    parts = []
    total = torch.zeros((), device=batch.student_ids.device)
    cosine = None
    for i, pair in enumerate(pairs):
        own = student.project(i, states[pair.student])
        vectors = pool(own, batch.student_at, batch.student_unit, batch.units)
        aim = words[pair.teacher]
        angle, square = distance(vectors, aim, scale.mean[pair.teacher], scale.std[pair.teacher])
        total = total + pair.weight * (weights.cosine * angle + weights.mse * square)
        parts.append((angle.detach(), square.detach()))
        if plain and i == 0:
            cosine = F.cosine_similarity(vectors, aim, dim=-1).mean()
    hidden = student.model.transform(states[last].index_select(0, batch.masked_at))
    mlm, hits = masked_loss(hidden, encoder.words.weight, student.model.bias, batch.labels)
    total = total + weights.mlm * mlm
    return Parts(total, parts, mlm.detach(), hits, cosine)
