"""Encoders in PhoBERT's file format: damaged ones, missing ones, and one of the size of vinai/phobert-base."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import huggingface_hub
import pytest
import torch
from transformers import RobertaConfig, RobertaModel

from pipeline.config import WindowConfig, load_config
from pipeline.document import Document
from pipeline.encoders import (
    encoder_config,
    find_encoder,
    load_encoder,
    load_token_classifier,
    max_pieces,
    pick_device,
    save_fp16,
    use_bf16,
)
from pipeline.errors import QuanheError
from pipeline.mentions.torch_engine import torch_tagger
from pipeline.windows.tokenizer import PhobertPieces

ROOT = Path(__file__).parents[1]
LABELS = ["O", "B-X", "I-X"]


@pytest.fixture
def copy(tiny_encoder, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


def error_of(function, *arguments) -> str:
    with pytest.raises(QuanheError) as raised:
        function(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_an_encoder_is_a_folder(tiny_encoder):
    assert find_encoder(str(tiny_encoder)) == tiny_encoder


def test_an_encoder_of_the_checkout_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_encoder("models/phobert-mini") == ROOT / "models" / "phobert-mini"


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "bpe.codes"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    assert f"{name} missing; it must be in PhoBERT's file format" in error_of(find_encoder, str(copy))


@pytest.mark.parametrize("name", ["./none", "none", "a/b/c", "~/none/x"])
def test_no_folder_and_no_hub_name(name, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)  # never asked
    assert f"encoder {name}: no such folder; give a folder, or a hub name" in error_of(find_encoder, name)


@pytest.mark.parametrize("failure", [ConnectionError("no route\nto host"), ValueError("x"), OSError("y")])
def test_a_hub_that_does_not_answer_is_one_line(monkeypatch, failure):
    def snapshot_download(*arguments, **options):
        raise failure

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    message = error_of(find_encoder, "vinai/phobert-imaginary")
    assert "encoder vinai/phobert-imaginary: no such folder, and the model hub does not give it" in message
    assert type(failure).__name__ in message
    assert "models/phobert-mini" in message


def test_what_the_hub_gives_is_checked_too(monkeypatch, copy):
    asked = []

    def snapshot_download(name, allow_patterns):
        asked.append((name, allow_patterns))
        return str(copy)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert find_encoder("vinai/phobert-base") == copy
    assert asked[0][0] == "vinai/phobert-base"
    assert {"vocab.txt", "bpe.codes", "config.json"} <= set(asked[0][1])
    (copy / "bpe.codes").unlink()
    assert "bpe.codes missing" in error_of(find_encoder, "vinai/phobert-base")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model_type": "no-such-thing"}'])
def test_a_damaged_config(copy, content):
    (copy / "config.json").write_text(content)
    assert str(copy / "config.json") in error_of(encoder_config, copy)
    assert "config.json" in error_of(load_encoder, copy)


@pytest.mark.parametrize("load", [load_encoder, lambda folder: load_token_classifier(folder, LABELS)])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut off", "zeros", "other shapes"])
def test_weights_that_cannot_be_read(copy, damage, load):
    weights = copy / "model.safetensors"
    if damage == "missing":
        weights.unlink()
    elif damage == "other shapes":
        settings = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps({**settings, "hidden_size": 64}))
    else:
        data = weights.read_bytes()
        weights.write_bytes({"empty": b"", "cut off": data[:5000], "zeros": bytes(len(data))}[damage])
    assert f"encoder {copy}: weights cannot be read" in error_of(load, copy)


def test_a_vocabulary_larger_than_the_weights_is_refused(copy):
    with (copy / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("quanhe_one 1\nquanhe_two 1\n")
    model = load_token_classifier(copy, LABELS)
    message = error_of(lambda: torch_tagger(model, PhobertPieces(copy), WindowConfig()))
    assert f"{copy}: the tokenizer has 24002 pieces, but the weights are of 24000" in message


def test_positions_without_those_before_the_padding(tiny_encoder):
    assert max_pieces(encoder_config(tiny_encoder)) == 256


def test_a_head_gets_the_labels_and_settings_given(tiny_encoder):
    model = load_token_classifier(tiny_encoder, LABELS, hidden_dropout_prob=0.25)
    assert model.config.id2label == dict(enumerate(LABELS))
    assert model.config.hidden_dropout_prob == 0.25
    assert model(torch.tensor([[0, 5, 2]])).logits.shape == (1, 3, 3)


def test_saving_halves_the_size_and_keeps_the_scores(tiny_encoder, tmp_path):
    model = load_token_classifier(tiny_encoder, LABELS).eval()
    save_fp16(model, tmp_path / "m")
    again = load_token_classifier(tmp_path / "m", LABELS).eval()
    ids = torch.arange(100, 150)[None]
    with torch.inference_mode():
        torch.testing.assert_close(model(ids).logits, again(ids).logits, atol=5e-3, rtol=5e-2)
    assert next(model.parameters()).dtype == torch.float32  # the model itself is not halved
    original, halved = (folder / "model.safetensors" for folder in (tiny_encoder, tmp_path / "m"))
    assert halved.stat().st_size < 0.6 * original.stat().st_size
    assert not [path for path in (tmp_path / "m").iterdir() if path.suffix in {".bin", ".pt", ".pkl"}]


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == torch.device("cpu")
    assert "torch sees no GPU" in error_of(pick_device, "cuda")


def test_precision_is_what_the_config_says():
    cpu = torch.device("cpu")
    assert use_bf16("bf16", cpu) is True
    assert use_bf16("fp32", cpu) is False


@pytest.mark.parametrize(
    ("has", "expected"), [({"amx_bf16": True}, True), ({"avx512_bf16": True}, True), ({"avx512_f": True}, False)]
)
def test_bf16_is_used_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, has: dict[str, bool], expected: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert use_bf16("auto", torch.device("cpu")) is expected


def test_an_encoder_of_the_shape_of_phobert_base(encoder_folder, splitter, tmp_path):
    """configs/phobert-base.yaml needs nothing but another folder: fresh weights of that shape go the same way."""
    folder = tmp_path / "phobert-base"
    shape = RobertaConfig(
        vocab_size=64001,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
        max_position_embeddings=258,
        type_vocab_size=1,
        tokenizer_class="PhobertTokenizer",
    )
    with torch.device("meta"):
        model = RobertaModel(shape, add_pooling_layer=False)
    torch.manual_seed(13)
    model.to_empty(device="cpu").half()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(float("LayerNorm.weight" in name)) if parameter.ndim < 2 else parameter.normal_(0, 0.02)
    model.save_pretrained(folder)
    pieces = (encoder_folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    known = len(dict.fromkeys(line.rpartition(" ")[0] for line in (line.strip() for line in pieces)))
    pieces += [f"quanhe{number} 1" for number in range(64001 - 5 - known)]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    shutil.copyfile(encoder_folder / "bpe.codes", folder / "bpe.codes")

    config = load_config(ROOT / "configs" / "phobert-base.yaml", [f"encoder={folder}"])
    found = find_encoder(config.encoder)
    tokenizer = PhobertPieces(found)
    classifier = load_token_classifier(found, LABELS).eval()
    assert classifier.num_parameters() > 130e6
    assert tokenizer.size == classifier.config.vocab_size == 64001
    tagger = torch_tagger(classifier, tokenizer, config.windows)
    document = splitter(Document("a", "Đại tướng Trần Văn Mẫu hội đàm với ông Sample tại Hà Nội. " * 30))
    (mentions,) = tagger.predict([document])
    assert mentions  # of a fresh head, so anything; but they are spans of the text
    assert all(document.text[m.start : m.end] == m.text and 0 < m.score <= 1 for m in mentions)
    assert max_pieces(classifier.config) == 256
