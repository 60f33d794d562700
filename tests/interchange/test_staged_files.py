"""Outputs are there completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import QuanheError
from pipeline.interchange.files import staged


def state(folder: Path) -> dict[Path, str | None]:
    return {path: path.read_text() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_when_one_target_fails_the_others_are_as_they_were(tmp_path, kind):
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    if kind == "file":
        first.write_text("before")
    elif kind == "folder":
        first.mkdir()
    second.write_text("before")
    third.mkdir()
    before = state(tmp_path)
    with pytest.raises(QuanheError, match="cannot be written"), staged([first, second, third]) as places:
        for place in places:
            place.write_text("after")
        (third / "mine").write_text("mine")  # no longer empty, so that it cannot be replaced
    assert state(tmp_path) == {**before, third / "mine": "mine"}


def test_all_targets_are_replaced_and_nothing_else_is_left(tmp_path):
    (tmp_path / "file").write_text("before")
    (tmp_path / "folder").mkdir()
    targets = [tmp_path / name for name in ("file", "folder", "new/file")]
    with staged(targets) as (file, folder, new):
        file.write_text("after")
        folder.mkdir()
        (folder / "a").write_text("a")
        new.write_text("new")
    assert state(tmp_path) == {
        tmp_path / "file": "after",
        tmp_path / "folder": None,
        tmp_path / "folder" / "a": "a",
        tmp_path / "new": None,
        tmp_path / "new" / "file": "new",
    }


def test_a_symbolic_link_is_written_through(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real").write_text("before")
    (tmp_path / "link.json").symlink_to(tmp_path / "there" / "real")
    with staged([tmp_path / "link.json"]) as (place,):
        assert place.name == "link.json"  # writers go by the suffix
        place.write_text("after")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "there" / "real").read_text() == "after"
