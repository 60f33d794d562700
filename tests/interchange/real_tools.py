"""Gives our files to the real Label Studio and doccano and reads what they export; ``make interchange`` runs it.

Usage: python tests/interchange/real_tools.py [ENVIRONMENTS] [--tools label-studio doccano] [--every 8]

ENVIRONMENTS has a virtual environment for each tool, for they do not fit into one. Goes through: the seeds, every
eighth authored article (``--every 1``: all), and articles that are hard on formats. Compared are ids, texts, fields,
mentions, relations, links and scores. Exit code 1: something came back otherwise.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interchange_articles import hard_articles

from pipeline.config import Source, load_config
from pipeline.data.corpus import load_source
from pipeline.document import Document
from pipeline.errors import QuanheError
from pipeline.interchange import conll, doccano, label_studio
from pipeline.interchange.articles import Articles, Notes, Options
from pipeline.interchange.label_config import doccano_labels, label_studio_config
from pipeline.interchange.losses import compare
from pipeline.schema import Schema, load_schema

HERE = Path(__file__).parent
# docs/interchange.md says so: doccano has no place for them.
NO_SCORES = "scores of mentions and relations"


@dataclass(slots=True)
class Trial:
    """One way through a tool.

    Attributes:
        name: tool, its version and the way.
        found: what came back otherwise → how often; empty when all came back.
        beside: what else is worth saying.
    """

    name: str
    found: Notes
    beside: str = ""

    def __str__(self) -> str:
        found = "".join(f"\n  DIFFERENT {kind}: {number}" for kind, number in self.found.items())
        return f"{self.name}: {'' if self.found else 'all came back'}{self.beside}{found}"


def differences(sent: Sequence[Document], back: Articles, held: Sequence[str] = ()) -> Notes:
    """What of the articles did not come back.

    Args:
        back: what our reader made of the tool's export, and its notes.
        held: kinds of loss that are known and no difference.
    """
    found: Notes = Counter({f"our reader says: {note}": number for note, number in back.notes.items()})
    by_id = {document.id: document for document in back.documents}
    found["articles that came back twice, or that nobody sent"] = len(back.documents) - len(
        by_id.keys() & {document.id for document in sent}
    )
    for document in sent:
        if document.id in by_id:
            found += compare(document, by_id[document.id])
            found["texts"] += document.text != by_id[document.id].text
        else:
            found["articles that did not come back"] += 1
    return Counter({kind: number for kind, number in found.items() if number > 0 and kind not in held})


def drive(python: Path, driver: str, *arguments: object) -> dict[str, Any]:
    """The object that a driver prints last; each has a process of its own, for it sets Django up.

    Raises:
        QuanheError: it stopped with an error.
    """
    command = [str(python), str(HERE / driver), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise QuanheError(f"{driver} stopped with {done.returncode}:\n{done.stderr[-3000:]}")
    counted: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return counted


def try_label_studio(python: Path, documents: Sequence[Document], schema: Schema, folder: Path) -> list[Trial]:
    """Annotations and predictions through its API, the sdk's validation, and the sdk's CoNLL."""
    config = folder / "labels.xml"
    config.write_text(label_studio_config(schema), encoding="utf-8")
    trials = []
    for kind in ("annotations", "predictions"):
        options, place = Options(predictions=kind == "predictions"), folder / kind
        place.mkdir()
        label_studio.write(documents, place / "tasks.json", options)
        counted = drive(python, "label_studio_driver.py", place, place / "tasks.json", config, place / "export.json")
        found = differences(documents, label_studio.read(place / "export.json", options))
        found["articles that it counted otherwise"] += abs(counted["task_count"] - len(documents))
        found[f"{kind} that it counted otherwise"] += abs(counted[f"{kind[:-1]}_count"] - len(documents))
        found[f"{kind} that the sdk refuses"] += len(counted["refused"])
        trials.append(Trial(f"label-studio {counted['version']}, {kind}", +found, _conll(documents, place)))
    return trials


def _conll(documents: Sequence[Document], place: Path) -> str:
    """What our reader finds in the sdk's CoNLL: its tokens are parted by blanks, and spans inside them are lost."""
    sent = Counter((m.type, " ".join(m.text.split()).strip(".,;:")) for d in documents for m in d.mentions)
    found = conll.read(place / "conll" / "result.conll", Options()).documents
    back = Counter((m.type, " ".join(m.text.split()).strip(".,;:")) for d in found for m in d.mentions)
    return f" (its CoNLL: {(sent & back).total()} of {sent.total()} mentions)"


def try_doccano(python: Path, documents: Sequence[Document], schema: Schema, folder: Path) -> list[Trial]:
    """Its import and export pipelines, in a project that allows overlapping spans."""
    settings = [folder / "labels.json", folder / "labels-relations.json"]
    for path, content in zip(settings, doccano_labels(schema), strict=True):
        path.write_text(content, encoding="utf-8")
    articles, export = folder / "articles.jsonl", folder / "export.jsonl"
    doccano.write(documents, articles, Options())
    counted = drive(python, "doccano_driver.py", folder, articles, export, *settings, "--overlap")
    found = differences(documents, doccano.read(export, Options()), held=[NO_SCORES])
    found["import errors"] += len(counted["errors"])
    found["spans that it counted otherwise"] += abs(counted["spans"] - sum(len(d.mentions) for d in documents))
    found["relations that it counted otherwise"] += abs(counted["relations"] - sum(len(d.relations) for d in documents))
    return [Trial(f"doccano {counted['version']}, JSONL(Relation)", +found)]


TOOLS: dict[str, Callable[[Path, Sequence[Document], Schema, Path], list[Trial]]] = {
    "label-studio": try_label_studio,
    "doccano": try_doccano,
}


def articles(every: int) -> list[Document]:
    """The seeds, every so-manieth authored article, and the hard ones."""
    data = load_config("configs/default.yaml").data
    seeds = load_source(Source(path=Path("annotations"), texts=Path("seeds")), data)
    authored = load_source(Source(path=Path("annotations/authored")), data)
    return [*seeds, *authored[::every], *hard_articles()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environments", nargs="?", type=Path, default=Path(".venv-interchange"))
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--every", type=int, default=8)
    given = parser.parse_args()
    documents, schema = articles(given.every), load_schema(Path("annotations/schema.yaml"))
    mentions, relations = (sum(len(getattr(d, name)) for d in documents) for name in ("mentions", "relations"))
    print(f"{len(documents)} articles, {mentions} mentions, {relations} relations")
    wrong = False
    for tool in given.tools:
        python = given.environments / tool / "bin" / "python"
        if not python.is_file():
            raise QuanheError(f"{python}: not found; run make interchange, which makes it")
        with tempfile.TemporaryDirectory() as folder:
            for trial in TOOLS[tool](python.absolute(), documents, schema, Path(folder)):
                wrong |= bool(trial.found)
                print(trial, flush=True)
    return int(wrong)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except QuanheError as error:
        print(f"interchange: {error}", file=sys.stderr)
        sys.exit(2)
