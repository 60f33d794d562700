"""What we write, given to the tools' own import code; skipped where they are not installed.

pip install label-studio            # brings label-studio-sdk; needs an environment of its own
pip install doccano 'numpy<2' 'setuptools<81' 'marshmallow<4'      # another one
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tiny_corpus import marked, tiny_article

from pipeline.document import Document
from pipeline.interchange import conll, doccano, label_studio
from pipeline.interchange.articles import Options, links
from pipeline.interchange.label_config import doccano_labels, label_studio_config

HERE = Path(__file__).parent


def needs(package: str) -> pytest.MarkDecorator:
    try:
        missing = not importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        missing = True
    return pytest.mark.skipif(missing, reason=f"{package} is not installed: our files are not tried on it here")


def driver(name: str, *arguments: object) -> dict:
    """The object that a driver prints last; each has a process of its own, for it sets Django up."""
    command = [sys.executable, str(HERE / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def labels(document: Document) -> tuple:
    entities = sorted(sorted(mention.id for mention in group) for group in links(document))
    relations = sorted((r.head, r.tail, r.type) for r in document.relations)
    return document.id, document.text, [m.span for m in document.mentions], relations, entities


@pytest.fixture
def corpus(hard) -> list[Document]:
    return [*map(tiny_article, range(6)), *hard]


@needs("label-studio-sdk")
def test_label_studio_sdk_accepts_config_annotations_and_predictions(schema, corpus, hard):
    from label_studio_sdk.label_interface import LabelInterface

    interface = LabelInterface(label_studio_config(schema))
    interface.validate()
    for document in corpus:
        for predicted in (False, True):
            task = label_studio.task(document, predicted=predicted, model="m", score=0.25 if predicted else None)
            (labelled,) = task["predictions" if predicted else "annotations"]
            assert interface.validate_prediction(labelled, return_errors=True) == []
    broken = label_studio.task(marked("[Anh|NOSUCH]"), predicted=True, model="m")["predictions"][0]
    assert interface.validate_prediction(broken, return_errors=True)


@needs("label-studio-sdk")
def test_label_studio_sdk_converts_our_tasks_to_the_conll_that_we_read(schema, tmp_path):
    from label_studio_sdk.converter import Converter

    documents = list(map(tiny_article, range(6)))
    tasks = [
        {"id": number, **label_studio.task(document, predicted=False, model="")}
        for number, document in enumerate(documents)
    ]
    (tmp_path / "tasks.json").write_bytes(label_studio.dump(tasks))
    converter = Converter(label_studio_config(schema), project_dir=None, download_resources=False)
    converter.convert(str(tmp_path / "tasks.json"), str(tmp_path / "out"), "CONLL2003", is_dir=False)
    found = conll.read(tmp_path / "out" / "result.conll", Options())
    # Its tokenizer leaves the full stop inside a text on the word before.
    count = Counter((m.type, m.text.rstrip(".,;")) for document in found.documents for m in document.mentions)
    assert count == Counter((m.type, m.text) for document in documents for m in document.mentions)


@needs("label-studio")
@pytest.mark.parametrize("predicted", [False, True])
def test_label_studio_imports_and_exports(schema, corpus, tmp_path, predicted):
    tasks, config, export = tmp_path / "tasks.json", tmp_path / "labels.xml", tmp_path / "export.json"
    options = Options(predictions=predicted)
    label_studio.write(corpus, tasks, options)
    config.write_text(label_studio_config(schema), encoding="utf-8")
    counted = driver("label_studio_driver.py", tmp_path, tasks, config, export)
    annotations = (0, len(corpus)) if predicted else (len(corpus), 0)
    assert tuple(counted.values()) == (len(corpus), *annotations)
    back = label_studio.read(export, options)
    assert list(map(labels, back.documents)) == list(map(labels, corpus))
    assert back.notes == {}


@needs("doccano")
def test_doccano_imports_and_exports(schema, corpus, tmp_path):
    articles, export = tmp_path / "articles.jsonl", tmp_path / "export.jsonl"
    settings = [tmp_path / "labels.json", tmp_path / "relations.json"]
    for path, content in zip(settings, doccano_labels(schema), strict=True):
        path.write_text(content, encoding="utf-8")
    doccano.write(corpus, articles, Options())
    counted = driver("doccano_driver.py", tmp_path, articles, export, *settings, "--overlap")
    assert counted["errors"] == []
    assert counted["examples"] == len(corpus)
    assert counted["spans"] == sum(len(document.mentions) for document in corpus)
    assert counted["relations"] == sum(len(document.relations) for document in corpus)
    assert set(schema.entities) <= set(counted["span types"])
    assert set(schema.relations) <= set(counted["relation types"])
    back = doccano.read(export, Options())
    spans = [(d.id, d.text, [m.span for m in d.mentions], d.fields) for d in back.documents]
    assert spans == [(d.id, d.text, [m.span for m in d.mentions], d.fields) for d in corpus]
    assert [len(d.relations) for d in back.documents] == [len(d.relations) for d in corpus]
    assert [[m.entity for g in links(d) for m in g] for d in back.documents] == [
        [m.entity for g in links(d) for m in g] for d in corpus
    ]
