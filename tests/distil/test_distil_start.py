"""Students made from a teacher: vocabulary, layers, embeddings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModel, PhobertTokenizer, PreTrainedTokenizerFast, RobertaForMaskedLM

from pipeline.distil.config import DistilConfig, StartConfig
from pipeline.distil.corpus import Corpus, load_corpus
from pipeline.distil.start import make_student
from pipeline.distil.vocabulary import train_vocabulary
from pipeline.errors import QuanheError
from pipeline.windows.tokenizer import PhobertPieces


@pytest.fixture(scope="module")
def corpus(tiny: DistilConfig) -> Corpus:
    return load_corpus(tiny.data, tiny.data.cache or Path())


def made(tiny: DistilConfig, corpus: Corpus, folder: Path, teacher: str = "", **start: object) -> list[str]:
    settings = StartConfig.model_validate({"pieces": 160, "layers": [1, 3], "positions": 64, **start})
    lines: list[str] = []
    config = tiny.model_copy(update={"student": None, "start": settings})
    make_student(config, Path(teacher or tiny.teacher), corpus, folder, say=lines.append)
    return lines


def test_a_vocabulary_reads_back_the_same_everywhere(corpus: Corpus, tmp_path: Path) -> None:
    size = train_vocabulary(corpus, len(corpus), 160, tmp_path)
    pieces = PhobertPieces(tmp_path)
    theirs = PhobertTokenizer(str(tmp_path / "vocab.txt"), str(tmp_path / "bpe.codes"))
    assert size == pieces.size == len(theirs) <= 160
    for word in [*corpus.words, "Hoà", "thăm_Mỹ", "ô"]:
        assert pieces([word]).ids == theirs.convert_tokens_to_ids(theirs.tokenize(word))
    assert len(pieces(["Việt_Nam"]).ids) == 1  # frequent words are pieces
    assert pieces.unk_id not in pieces(corpus.words).ids
    counts = [int(line.split(" ")[1]) for line in (tmp_path / "vocab.txt").read_text(encoding="utf-8").splitlines()]
    assert counts == sorted(counts, reverse=True) and counts[0] > 0


def test_a_vocabulary_smaller_than_the_alphabet(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(QuanheError, match=r"start\.pieces"):
        train_vocabulary(corpus, len(corpus), 20, tmp_path)


def test_layers_and_embeddings_are_the_teachers(tiny: DistilConfig, corpus: Corpus, tmp_path: Path) -> None:
    (_, line) = made(tiny, corpus, tmp_path / "s")
    assert "2 layers x 32" in line
    teacher = AutoModel.from_pretrained(tiny.teacher)
    student = RobertaForMaskedLM.from_pretrained(tmp_path / "s")
    assert student.config.max_position_embeddings == 66
    for own, chosen in zip(student.roberta.encoder.layer, (0, 2), strict=True):
        theirs = teacher.encoder.layer[chosen].state_dict()
        assert all(torch.equal(tensor, theirs[name]) for name, tensor in own.state_dict().items())
    pieces = PhobertPieces(tmp_path / "s")
    words = student.roberta.embeddings.word_embeddings.weight
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tiny.teacher)
    (piece,) = pieces(["Việt_Nam"]).ids
    aim = teacher.embeddings.word_embeddings.weight[tokenizer.encode("Việt Nam", add_special_tokens=False)].mean(0)
    torch.testing.assert_close(words[piece], aim)
    for own_id, theirs_id in ((0, 0), (1, 1), (2, 2), (pieces.mask_id, tokenizer.mask_token_id)):
        assert torch.equal(words[own_id], teacher.embeddings.word_embeddings.weight[theirs_id])


def test_all_layers_and_the_teachers_vocabulary_are_the_teacher(
    tiny: DistilConfig, corpus: Corpus, tmp_path: Path
) -> None:
    made(tiny, corpus, tmp_path / "s", teacher=tiny.student or "", layers=[1, 2], vocabulary="teacher")
    ids = torch.tensor([[0, 5, 6, 7, 2]])
    with torch.no_grad():
        ours = AutoModel.from_pretrained(tmp_path / "s", add_pooling_layer=False).eval()(ids).last_hidden_state
        theirs = AutoModel.from_pretrained(tiny.student, add_pooling_layer=False).eval()(ids).last_hidden_state
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"layers": [1, 4]}, r"start\.layers: the teacher has 3"),
        ({"positions": 129}, r"start\.positions: the teacher has 128"),
        ({"vocabulary": "teacher"}, r"start\.vocabulary: .* has no vocab\.txt"),
    ],
)
def test_what_the_teacher_does_not_have(
    tiny: DistilConfig, corpus: Corpus, tmp_path: Path, start: dict[str, object], message: str
) -> None:
    with pytest.raises(QuanheError, match=message):
        made(tiny, corpus, tmp_path / "s", **start)
