"""A student made from chosen layers of the teacher, with a vocabulary of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from transformers import PhobertTokenizer, RobertaConfig

from pipeline.distil.batches import train_articles
from pipeline.distil.config import DistilConfig
from pipeline.distil.corpus import Corpus
from pipeline.distil.encoder import Encoder, MaskedLM, Shape, load_teacher, transformers_state
from pipeline.distil.export import write_weights
from pipeline.distil.pieces import WordPieces
from pipeline.distil.vocabulary import piece_numbers, train_vocabulary
from pipeline.encoders import find_folder
from pipeline.errors import QuanheError
from pipeline.windows.tokenizer import PHOBERT_FILES, PhobertPieces

_OFFSET = PhobertPieces.pad_id + 1  # RoBERTa's positions begin behind the padding id


def make_student(
    config: DistilConfig, teacher: Path, corpus: Corpus, folder: Path, *, say: Callable[[str], None]
) -> None:
    """Write the folder of a student, untrained, as ``config.start`` says.

    The student is as wide as the teacher. Its blocks and positions are copies of the teacher's; a token embedding is
    the mean of the teacher's pieces of the same surface form; the language-model head is fresh.

    Raises:
        QuanheError: the teacher is neither BERT nor RoBERTa, or lacks a layer, positions or a vocabulary to take.
    """
    source = load_teacher(teacher)
    if not isinstance(source, Encoder):
        raise QuanheError(f"teacher {teacher}: only BERT and RoBERTa layers can start a student; set student")
    start = config.start
    if max(start.layers) > source.depth:
        raise QuanheError(f"start.layers: the teacher has {source.depth} layers, not {max(start.layers)}")
    if start.positions > source.room:
        raise QuanheError(f"start.positions: the teacher has {source.room}, not {start.positions}")
    if folder.exists():
        shutil.rmtree(folder)  # left unfinished: the configuration is written last
    folder.mkdir(parents=True)
    _write_vocabulary(config, teacher, corpus, folder, say)
    student = _build(config, source, teacher, folder)
    shape = student.encoder.shape
    tokenizer = PhobertTokenizer(str(folder / "vocab.txt"), str(folder / "bpe.codes"), model_max_length=start.positions)
    tokenizer.save_pretrained(folder)
    settings = RobertaConfig(
        architectures=["RobertaForMaskedLM"],
        tokenizer_class="PhobertTokenizer",
        vocab_size=shape.vocab,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.eps,
        pad_token_id=shape.pad,
    )
    write_weights(transformers_state(student.state_dict(), shape.layers), folder, torch.float32)
    settings.save_pretrained(folder)
    say(f"student: {len(start.layers)} layers x {shape.hidden}, {shape.vocab} pieces, from the teacher's layers")


def _write_vocabulary(
    config: DistilConfig, teacher: Path, corpus: Corpus, folder: Path, say: Callable[[str], None]
) -> None:
    choice = config.start.vocabulary
    if choice == "train":
        say("learning a vocabulary")
        train_vocabulary(corpus, train_articles(corpus, config.data), config.start.pieces, folder)
        return
    source = teacher if choice == "teacher" else find_folder(choice)
    for name in PHOBERT_FILES:
        if not (source / name).is_file():
            raise QuanheError(f"start.vocabulary: {source} has no {name}; take another folder, or train")
        shutil.copyfile(source / name, folder / name)


def _build(config: DistilConfig, source: Encoder, teacher: Path, folder: Path) -> MaskedLM:
    theirs, start = source.shape, config.start
    pieces = PhobertPieces(folder)
    shape = Shape(
        vocab=pieces.size,
        hidden=theirs.hidden,
        inner=theirs.inner,
        layers=len(start.layers),
        heads=theirs.heads,
        positions=start.positions + _OFFSET,
        types=1,
        eps=theirs.eps,
        pad=pieces.pad_id,
        position_offset=_OFFSET,
    )
    generator = torch.Generator().manual_seed(config.seed)
    student = MaskedLM(shape)
    with torch.no_grad():
        nn.init.normal_(student.dense.weight, std=0.02, generator=generator)
        nn.init.zeros_(student.dense.bias)
        first = theirs.position_offset
        student.encoder.positions.weight.zero_()
        student.encoder.positions.weight[_OFFSET:] = source.positions.weight[first : first + start.positions]
        student.encoder.types.weight[0] = source.types.weight[0]
        student.encoder.norm.load_state_dict(source.norm.state_dict())
        for own, chosen in zip(student.encoder.layers, start.layers, strict=True):
            own.load_state_dict(source.layers[chosen - 1].state_dict())
        student.encoder.words.weight.copy_(_embeddings(source.words.weight, teacher, pieces, folder))
    return student


def _embeddings(theirs: torch.Tensor, teacher: Path, pieces: PhobertPieces, folder: Path) -> torch.Tensor:
    """Token embeddings (V, H) from the teacher's (W, H): the mean over the teacher's pieces of a surface form."""
    words = WordPieces(teacher)
    ids = {
        pieces.bos_id: words.special.bos,
        pieces.pad_id: words.special.pad,
        pieces.eos_id: words.special.eos,
        pieces.unk_id: words.special.unk,
        pieces.mask_id: words.special.mask,
    }
    rows = theirs[words.special.unk].repeat(pieces.size, 1)
    for own, other in ids.items():
        rows[own] = theirs[other]
    same = piece_numbers(teacher) if words.reads_words else {}
    for piece, number in piece_numbers(folder).items():
        surface = piece.removesuffix("@@")
        found = (same[piece],) if piece in same else words(surface) if surface.strip() else ()
        if found and number not in ids:
            rows[number] = theirs[list(found)].mean(0)
    return rows
