"""What a model folder says of itself, and what is said of a folder that is not whole."""

from __future__ import annotations

import json
import shutil

import pytest

from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.manifest import FORMAT, Manifest, TrainingData, read_manifest, text_hash, write_manifest


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "m"
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "weights").write_bytes(b"12345")
    (folder / "README.md").write_text("card")
    (folder / "scores.json").write_text("{}")
    manifest = Manifest(
        name="m",
        quanhe="0",
        segmenter="syllables/1",
        config_hash="abc",
        encoder="e",
        training=TrainingData(articles={"a": "0"}),
        seen_pairs=[("anh", "pháp")],
    )
    write_manifest(manifest, folder)
    return folder


def error(folder) -> str:
    with pytest.raises(QuanheError) as raised:
        read_manifest(folder)
    assert "\n" not in str(raised.value)
    assert str(folder) in str(raised.value)
    return str(raised.value)


def change(folder, **values) -> None:
    path = folder / "quanhe.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_what_is_written_is_read_back(folder):
    manifest = read_manifest(folder)
    assert manifest.files == {"part/weights": 5}  # card and scores may be edited
    assert (manifest.name, manifest.format, manifest.seen_pairs) == ("m", FORMAT, [("anh", "pháp")])


def test_a_folder_that_is_not_there_or_no_model(folder, tmp_path):
    assert "no such folder; run `make train`" in error(tmp_path / "none")
    (folder / "quanhe.json").unlink()
    assert "quanhe.json is missing, so this is no quanhe model" in error(folder)


def test_a_missing_file_and_one_that_is_cut_off(folder):
    (folder / "part" / "weights").write_bytes(b"123")
    assert "part/weights has 3 bytes instead of 5" in error(folder)
    shutil.rmtree(folder / "part")
    assert "part/weights is missing" in error(folder)


def test_card_and_scores_may_be_edited(folder):
    (folder / "README.md").write_text("a longer card")
    (folder / "scores.json").unlink()
    assert read_manifest(folder).name == "m"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "m"}', "null", '{"format": 1}'])
def test_a_damaged_manifest(folder, content):
    (folder / "quanhe.json").write_text(content)
    assert "damaged" in error(folder)


def test_a_manifest_that_is_no_text(folder):
    (folder / "quanhe.json").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in error(folder)


def test_another_format_is_told_whatever_else_it_holds(folder):
    change(folder, format=FORMAT + 1)
    assert f"format {FORMAT + 1}, this quanhe reads {FORMAT}; train again" in error(folder)
    change(folder, stages_of_tomorrow={})
    assert f"format {FORMAT + 1}" in error(folder)


def test_texts_are_told_apart_by_every_character():
    texts = ["Anh", "Anh ", "anh", "", "\ud800"]
    assert len({text_hash(Document("a", text)) for text in texts}) == len(texts)
    assert text_hash(Document("a", "Anh")) == text_hash(Document("b", "Anh"))
