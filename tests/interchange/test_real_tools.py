"""``make interchange`` sees what a tool loses; the tools themselves are played by a script that gives files back."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import real_tools
from tiny_corpus import tiny_article

from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.interchange import doccano
from pipeline.interchange.articles import Articles, Options

# Exports what was imported; LOSE leaves the last relation of the last article out.
DRIVER = """
import json, sys
from pathlib import Path
folder, articles, export = map(Path, sys.argv[1:4])
rows = [json.loads(line) for line in articles.read_text(encoding="utf-8").split("\\n") if line]
if LOSE:
    rows[-1]["relations"].pop()
export.write_text("".join(json.dumps(row) + "\\n" for row in rows), encoding="utf-8")
spans, relations = (sum(len(row[name]) for row in rows) for name in ("entities", "relations"))
print("migrating …")
print(json.dumps({"version": "0", "errors": [], "spans": spans, "relations": relations}))
"""


@pytest.fixture
def sent(hard) -> list[Document]:
    return [*hard, tiny_article(0), tiny_article(1)]


@pytest.mark.parametrize("lose", [False, True])
def test_a_tool_that_loses_a_relation_is_told(monkeypatch, schema, sent, tmp_path, lose):
    (tmp_path / "doccano_driver.py").write_text(f"LOSE = {lose}\n{DRIVER}", encoding="utf-8")
    monkeypatch.setattr(real_tools, "HERE", tmp_path)
    (trial,) = real_tools.try_doccano(Path(sys.executable), sent, schema, tmp_path)
    assert trial.found == ({"relations": 1, "relations that it counted otherwise": 1} if lose else {})
    assert ("DIFFERENT relations: 1" in str(trial), "all came back" in str(trial)) == (lose, not lose)


def test_every_kind_of_change_is_found(sent):
    last = sent[-1]
    moved = replace(last, mentions=[replace(last.mentions[0], end=last.mentions[0].end - 1), *last.mentions[1:]])
    longer = replace(last, text=last.text + " ")
    found = [real_tools.differences([last], Articles([back])) for back in (last, moved, longer)]
    assert found[0] == {}
    assert found[1]["mentions"] == 1
    assert found[2]["texts"] == 1
    assert real_tools.differences(sent, Articles(sent[:-1])) == {"articles that did not come back": 1}
    assert real_tools.differences(sent[:-1], Articles(sent))["articles that came back twice, or that nobody sent"] == 1


def test_what_the_reader_notes_is_a_difference(sent, tmp_path):
    path = tmp_path / "a.jsonl"
    doccano.write(sent, path, Options())
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[0]["Comments"] = ["?"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = real_tools.differences(sent, doccano.read(path, Options()), held=[real_tools.NO_SCORES])
    assert found == {"our reader says: comments, left out": 1}


def test_a_driver_that_stops_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text("raise SystemExit('no such table')", encoding="utf-8")
    monkeypatch.setattr(real_tools, "HERE", tmp_path)
    with pytest.raises(QuanheError, match=r"broken.py stopped with 1:\nno such table"):
        real_tools.drive(Path(sys.executable), "broken.py")
