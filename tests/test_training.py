"""What both trained stages share."""

from __future__ import annotations

import pytest
import torch
from datasets import Dataset
from torch import nn

from pipeline.config import TrainerConfig
from pipeline.training import pad_rows, parameter_groups, train_model


class Line(nn.Module):
    """y = wx, with the loss that the Trainer asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x, labels=None):
        return {"loss": ((self.weight * x - labels) ** 2).mean()}


ROWS = Dataset.from_list([{"x": [float(x)], "labels": [3.0 * x], "length": 1} for x in (1, 2, 3, 4)])


def collate(rows):
    return {name: torch.tensor([row[name] for row in rows]) for name in ("x", "labels")}


def run(model: Line, dev_score=None, **settings):
    defaults = {"epochs": 8, "batch": 2, "head_learning_rate": 0.1, "weight_decay": 0.0, "warmup": 0.0}
    config = TrainerConfig(**{**defaults, **settings})
    return train_model(
        model, ROWS, collate, config, seed=1, device=torch.device("cpu"), bf16=False, dev_score=dev_score
    )


def test_without_dev_data_the_last_weights_count():
    model = Line()
    history = run(model)
    assert model.weight.item() > 0.5
    assert (history.epochs, history.dev, history.best_epoch) == (8, [], 0)
    assert not model.training


def test_training_stops_when_dev_gets_no_better_and_the_best_weights_stay():
    model, seen = Line(), []

    def dev_score() -> float:
        assert not model.training
        seen.append(model.weight.item())
        return [0.1, 0.5, 0.3, 0.5, 0.4, 0.9][len(seen) - 1]

    history = run(model, dev_score, patience=3)
    assert history.dev == [0.1, 0.5, 0.3, 0.5, 0.4]  # an equal score is no better one; after three of them it ends
    assert (history.best_epoch, history.best_score, history.epochs) == (2, 0.5, 5)
    assert model.weight.item() == pytest.approx(seen[1], rel=1e-3)  # rounded as it will be saved
    assert len(set(seen)) == 5


def test_weights_are_rounded_as_saving_rounds_them():
    model = Line()
    run(model, epochs=3)
    assert torch.equal(model.weight, model.weight.half().float())
    assert model.weight.item() != round(model.weight.item(), 2)


def test_the_same_seed_gives_the_same_weights():
    first, second = Line(), Line()
    run(first)
    run(second)
    assert first.weight.item() == second.weight.item()


def test_learning_rates_fall_from_the_head_to_the_embeddings(tiny_encoder):
    from pipeline.encoders import load_token_classifier

    model = load_token_classifier(tiny_encoder, ["O", "B-X", "I-X"])
    config = TrainerConfig(learning_rate=0.01, head_learning_rate=0.1, layer_decay=0.5, weight_decay=0.2)
    groups = parameter_groups(model, config)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    rates = {names[id(p)]: (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    assert len(rates) == len(names)
    assert rates["classifier.weight"] == (0.1, 0.2)
    assert rates["classifier.bias"] == (0.1, 0.0)
    assert rates["roberta.encoder.layer.1.output.dense.weight"] == (0.01, 0.2)
    assert rates["roberta.encoder.layer.0.output.dense.weight"] == (0.005, 0.2)
    assert rates["roberta.embeddings.word_embeddings.weight"] == (0.0025, 0.2)
    assert rates["roberta.encoder.layer.0.output.LayerNorm.weight"] == (0.005, 0.0)


def test_rows_are_padded_to_the_longest():
    assert pad_rows([[1], [2, 3, 4], []], 9).tolist() == [[1, 9, 9], [2, 3, 4], [9, 9, 9]]


def test_averaged_weights_lag_behind_and_are_what_is_scored_and_kept():
    last, averaged, scored = Line(), Line(), []

    def dev_score() -> float:
        scored.append(averaged.weight.item())
        return len(scored)

    run(last)
    history = run(averaged, dev_score, average=0.9)
    assert scored == sorted(scored)  # on the way up to 3
    assert history.best_epoch == len(scored) == 8
    assert averaged.weight.item() == pytest.approx(scored[-1], rel=1e-3)
    assert 0.1 < averaged.weight.item() < last.weight.item() - 0.01
    without_dev = Line()
    run(without_dev, average=0.9)
    assert without_dev.weight.item() == pytest.approx(scored[-1], rel=1e-3)
