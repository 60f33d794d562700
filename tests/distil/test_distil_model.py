"""The fast encoder, the attention and the losses against plain torch and transformers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from transformers import AutoModel, ElectraConfig, ElectraModel, RobertaForMaskedLM

from pipeline.attention import Attention, find_padding
from pipeline.distil.config import DistilConfig
from pipeline.distil.encoder import (
    load_masked_lm,
    load_teacher,
    transformers_state,
)
from pipeline.distil.losses import distance, masked_loss, pool
from pipeline.errors import QuanheError


def _input(vocab: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    ids = torch.randint(4, vocab, (3, 16))
    keys = torch.ones(3, 16, dtype=torch.bool)
    keys[1, 10:] = False
    ids[~keys] = 1
    return ids, keys


@pytest.mark.parametrize("flash", [True, False])
def test_teacher_equals_transformers(tiny: DistilConfig, flash: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.distil.encoder.flash_pays", lambda device: flash)
    theirs = AutoModel.from_pretrained(tiny.teacher).eval()
    ids, keys = _input(theirs.config.vocab_size)
    with torch.no_grad():
        wanted = theirs(ids, attention_mask=keys.long(), output_hidden_states=True).hidden_states
        ours = load_teacher(Path(tiny.teacher))(ids, keys, {1, 3})
    for layer in (1, 3):
        torch.testing.assert_close(ours[layer].view(3, 16, -1)[keys], wanted[layer][keys], atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("gradient", [True, False])
def test_student_equals_transformers(tiny: DistilConfig, gradient: bool) -> None:
    theirs = RobertaForMaskedLM.from_pretrained(tiny.student).eval()
    ours = load_masked_lm(Path(tiny.student or ""))
    ids, keys = _input(theirs.config.vocab_size)
    with torch.set_grad_enabled(gradient):
        states = ours.encoder(ids, keys, {2})[2]
        logits = F.linear(ours.transform(states), ours.encoder.words.weight, ours.bias)
        wanted = theirs(ids, attention_mask=keys.long()).logits
    torch.testing.assert_close(logits.view_as(wanted)[keys], wanted[keys], atol=2e-5, rtol=1e-4)
    back = transformers_state(ours.state_dict(), 2)
    reference = theirs.state_dict()
    for name, tensor in back.items():
        assert torch.equal(tensor, reference[name]), name


def test_attention_gradient() -> None:
    torch.manual_seed(0)
    q, k, v = (torch.randn(6, 5, 4, dtype=torch.double, requires_grad=True) for _ in range(3))
    keys = torch.ones(2, 5, dtype=torch.bool)
    keys[1, 3:] = False
    padding = find_padding(keys, torch.double)
    assert torch.autograd.gradcheck(lambda a, b, c: Attention.apply(a, b, c, padding), (q, k, v))
    heads = [t.detach().view(2, 3, 5, 4) for t in (q, k, v)]
    wanted = F.scaled_dot_product_attention(*heads, attn_mask=keys[:, None, None, :], scale=1.0)
    torch.testing.assert_close(Attention.apply(q, k, v, padding).view(2, 3, 5, 4), wanted)
    assert find_padding(torch.ones(2, 5, dtype=torch.bool), torch.double) is None


def test_masked_loss_equals_cross_entropy() -> None:
    torch.manual_seed(0)
    x, w, b = torch.randn(7, 8), torch.randn(11, 8), torch.randn(11)
    y = torch.randint(11, (7,))
    results = []
    for fast in (True, False):
        leaves = [t.clone().requires_grad_() for t in (x, w, b)]
        loss = masked_loss(*leaves, y)[0] if fast else F.cross_entropy(F.linear(*leaves), y)
        (3 * loss).backward()
        results.append([loss.detach(), *(t.grad for t in leaves)])
    for ours, wanted in zip(*results, strict=True):
        torch.testing.assert_close(ours, wanted)


def test_pool_and_distance() -> None:
    states = torch.tensor([[9.0, 9], [1, 3], [3, 5], [2, 2]])
    words = pool(states, torch.tensor([1, 2, 3]), torch.tensor([0, 0, 1]), 2)
    torch.testing.assert_close(words, torch.tensor([[2.0, 4], [2, 2]]))
    angle, square = distance(words, words, words.mean(0), torch.ones(2))
    assert float(angle) == pytest.approx(0, abs=1e-6) and float(square) == 0


def _electra(folder: Path) -> None:
    torch.manual_seed(4)
    config = ElectraConfig(
        vocab_size=50,
        hidden_size=16,
        embedding_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
    )
    ElectraModel(config).save_pretrained(folder)


def test_a_teacher_of_another_architecture(tmp_path: Path) -> None:
    _electra(tmp_path)
    ids, keys = _input(50)
    teacher = load_teacher(tmp_path).eval()
    assert (teacher.width, teacher.depth, teacher.room) == (16, 2, 512)
    with torch.no_grad():
        states = teacher(ids, keys, {1, 2})
        alone = teacher(ids[1:2, :10], keys[1:2, :10], {2})[2]
    assert states[1].shape == states[2].shape == (48, 16)
    torch.testing.assert_close(states[2].view(3, 16, -1)[1, :10], alone, atol=1e-5, rtol=1e-4)


def test_what_is_no_student(tmp_path: Path) -> None:
    _electra(tmp_path)
    with pytest.raises(QuanheError, match="no RoBERTa"):
        load_masked_lm(tmp_path)


def test_a_student_without_a_head_gets_a_fresh_one(tiny: DistilConfig, tmp_path: Path) -> None:
    body = RobertaForMaskedLM.from_pretrained(tiny.student).roberta
    body.save_pretrained(tmp_path)
    model = load_masked_lm(tmp_path)
    assert torch.equal(model.encoder.words.weight, body.embeddings.word_embeddings.weight)
    assert model.bias.shape == (body.config.vocab_size,)
