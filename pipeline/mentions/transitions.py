"""A linear-chain CRF on the classifier's label scores (Lafferty et al., 2001; on neural scores: Lample et al., 2016).

The classifier scores each word by itself; what may follow what, and how gladly, is learnt here together with it. Long
names profit, whose words a classifier alone labels in pieces. Sequences are sentences: no name crosses their ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from pipeline.mentions.decoding import legal_transitions

# Stands for minus infinity: differences stay finite, so that gradients do.
_NEVER = -1e4


class Transitions(nn.Module):
    """Learnt scores of beginning with a label and of going from one to the next, within IOB2's grammar.

    Args:
        labels: IOB2 labels.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        start, between = legal_transitions(labels)
        self.start = nn.Parameter(torch.zeros(len(labels)))
        self.between = nn.Parameter(torch.zeros(len(labels), len(labels)))
        self._start_rule: torch.Tensor
        self._between_rule: torch.Tensor
        self.register_buffer("_start_rule", torch.from_numpy(start).clamp(min=_NEVER), persistent=False)
        self.register_buffer("_between_rule", torch.from_numpy(between).clamp(min=_NEVER), persistent=False)

    def loss(self, logits: torch.Tensor, labels: torch.Tensor, sentences: torch.Tensor) -> torch.Tensor:
        """Negative log likelihood of the gold label sequences, divided by the number of words.

        Args:
            logits: of each piece, ``[rows, pieces, labels]``.
            labels: of each word at its first piece, -100 elsewhere, ``[rows, pieces]``.
            sentences: number of the word's sentence, ``[rows, pieces]``.
        """
        at = labels >= 0
        rows = torch.arange(len(labels), device=labels.device)[:, None].expand_as(labels)
        keys = torch.stack([rows[at], sentences[at]])
        _, lengths = torch.unique_consecutive(keys, dim=1, return_counts=True)
        cuts = lengths.tolist()
        scores = pad_sequence(list(torch.split(logits[at].float(), cuts)), batch_first=True)
        gold = pad_sequence(list(torch.split(labels[at], cuts)), batch_first=True)
        inside = torch.arange(scores.shape[1], device=scores.device)[None] < lengths[:, None]
        return (self._all_paths(scores, inside) - self._path(scores, gold, inside)).sum() / at.sum().clamp(min=1)

    def _path(self, scores: torch.Tensor, gold: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
        """Score of the gold path of each sequence: scores [S, W, C], gold and inside [S, W] → [S]."""
        start, between = self.start + self._start_rule, self.between + self._between_rule
        of_words = scores.gather(2, gold[..., None])[..., 0] * inside
        of_steps = between[gold[:, :-1], gold[:, 1:]] * inside[:, 1:]
        return start[gold[:, 0]] + of_words.sum(1) + of_steps.sum(1)

    def _all_paths(self, scores: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
        """Log of the summed exponentials of all paths' scores (forward algorithm), [S]."""
        between = self.between + self._between_rule
        total = self.start + self._start_rule + scores[:, 0]
        for word in range(1, scores.shape[1]):
            following = torch.logsumexp(total[:, :, None] + between, dim=1) + scores[:, word]
            total = torch.where(inside[:, word, None], following, total)
        return torch.logsumexp(total, dim=1)

    @torch.no_grad()
    def values(self) -> dict[str, list[float] | list[list[float]]]:
        """What was learnt, as plain lists: ``start [labels]`` and ``between [labels][labels]``."""
        rounded = {"start": self.start.half().tolist(), "between": self.between.half().tolist()}
        return rounded
