"""What both trained stages share: the Hugging Face Trainer, its optimizer, and early stopping on dev scores only."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from datasets import Dataset
from torch import nn
from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from pipeline.attention import fast_attention
from pipeline.config import TrainerConfig
from pipeline.standardise import standardise_outputs

_SAMPLE = 64  # windows; some 10,000 words


@dataclass(slots=True)
class History:
    """What happened in training: ``dev`` holds a score per epoch, ``best_epoch`` counts from 1."""

    epochs: int = 0
    best_epoch: int = 0
    best_score: float | None = None
    dev: list[float] = field(default_factory=list)
    loss: float = 0.0


class _Average(TrainerCallback):  # type: ignore[misc]
    """A running average of the weights (Polyak and Juditsky, 1992), short at first, then as long as ``decay`` says."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay = model, decay
        self._live = list(model.parameters())
        self._mean = [parameter.detach().clone() for parameter in self._live]

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        decay = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        with torch.no_grad():
            torch._foreach_lerp_(self._mean, [parameter.detach() for parameter in self._live], 1 - decay)
        return control

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model with the averaged weights, for as long as it takes."""
        before = [parameter.detach().clone() for parameter in self._live]
        self._put(self._mean)
        try:
            yield
        finally:
            self._put(before)

    def keep(self) -> None:
        """Leave the averaged weights in the model."""
        self._put(self._mean)

    @torch.no_grad()
    def _put(self, values: list[torch.Tensor]) -> None:
        for parameter, value in zip(self._live, values, strict=True):
            parameter.copy_(value)


class _KeepBest(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Scores dev after each epoch, keeps the best weights, and stops when it no longer gets better."""

    def __init__(
        self,
        model: nn.Module,
        score: Callable[[], float],
        patience: int,
        history: History,
        average: _Average | None = None,
    ) -> None:
        self.model, self.score, self.patience, self.history, self.average = model, score, patience, history, average
        self.best_state: dict[str, torch.Tensor] | None = None

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        with self.average.in_place() if self.average else nullcontext():
            self.model.eval()
            score = self.score()
            self.model.train()
            self.history.dev.append(score)
            epoch = len(self.history.dev)
            if self.history.best_score is None or score > self.history.best_score:
                self.history.best_score, self.history.best_epoch = score, epoch
                self.best_state = copy.deepcopy(self.model.state_dict())
            elif epoch - self.history.best_epoch >= self.patience:
                control.should_training_stop = True
        return control


def train_model(
    model: nn.Module,
    rows: Dataset,
    collate: Callable[[list[dict[str, Any]]], dict[str, Any]],
    config: TrainerConfig,
    *,
    seed: int,
    device: torch.device,
    bf16: bool,
    progress: bool = False,
    loss: Callable[..., torch.Tensor] | None = None,
    dev_score: Callable[[], float] | None = None,
) -> History:
    """Train in place; with ``dev_score`` the weights of the best epoch are kept, else those of the last.

    Args:
        model: its forward takes what ``collate`` gives and returns a loss or logits.
        rows: one row a window, with its ``length``.
        loss: ``(outputs, labels, num_items_in_batch)`` → scalar, instead of the model's own.
        dev_score: scores the model as it stands; higher is better. Never sees test data.
    """
    history = History(epochs=config.epochs)
    if config.standardise:
        _standardise(model, rows, collate)
    callbacks: list[TrainerCallback] = []
    average = _Average(model, config.average) if config.average else None
    keeper = _KeepBest(model, dev_score, config.patience, history, average) if dev_score else None
    callbacks += [callback for callback in (average, keeper) if callback]
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            num_train_epochs=config.epochs,
            per_device_train_batch_size=config.batch,
            learning_rate=config.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=config.warmup,
            max_grad_norm=1.0,
            bf16=bf16,
            use_cpu=device.type == "cpu",
            seed=seed,
            train_sampling_strategy="group_by_length",  # little padding
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=not progress,
            remove_unused_columns=False,
            dataloader_pin_memory=device.type == "cuda",
        )
        arguments._n_gpu = min(arguments.n_gpu, 1)  # DataParallel would part pairs from their windows
        optimizer = torch.optim.AdamW(parameter_groups(model, config), fused=True)
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            data_collator=collate,
            callbacks=callbacks,
            optimizers=(optimizer, None),
            compute_loss_func=loss,
        )
        if not progress:
            trainer.remove_callback(PrinterCallback)
        with fast_attention(model):
            result = trainer.train()
    history.loss = float(result.training_loss)
    if average:
        average.keep()
    if keeper and keeper.best_state is not None:
        model.load_state_dict(keeper.best_state)
        history.epochs = len(history.dev)
    _round_to_fp16(model)
    model.eval()
    return history


def _standardise(model: nn.Module, rows: Dataset, collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> None:
    """Scale the encoder's outputs by what they are on some of the training windows, spread over all."""
    body = next((module for module in model.modules() if isinstance(module, PreTrainedModel)), None)
    if body is not None:
        chosen = range(0, len(rows), max(1, len(rows) // _SAMPLE))
        standardise_outputs(body.base_model, (collate([rows[index]]) for index in chosen))


def _round_to_fp16(model: nn.Module) -> None:
    """Round the weights as saving will, so that the scores printed after training are those of the saved model."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half())


def parameter_groups(model: nn.Module, config: TrainerConfig) -> list[dict[str, Any]]:
    """Parameters with a learning rate by depth (layer-wise decay: Howard and Ruder, 2018) and none for fresh layers.

    Biases and layer norms get no weight decay.
    """
    layers = 1 + max((_layer(name) for name, _ in model.named_parameters()), default=0)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        layer = _layer(name)
        rate = config.head_learning_rate
        if layer >= -1:
            rate = config.learning_rate * config.layer_decay ** (layers - 1 - layer)
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": ps, "lr": rate, "weight_decay": decay} for (rate, decay), ps in groups.items()]


def _layer(name: str) -> int:
    """Depth of a parameter in the encoder: its layer's number, -1 for embeddings, -2 for a head's."""
    parts = name.split(".")
    if "embeddings" in parts:
        return -1
    if "layer" in parts:
        return int(parts[parts.index("layer") + 1])
    return -2


def pad_rows(rows: list[list[int]], value: int) -> torch.Tensor:
    """Stack lists of different lengths to an int64 tensor ``[rows, longest]``."""
    longest = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])
