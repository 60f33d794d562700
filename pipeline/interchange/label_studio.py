"""Label Studio's JSON: a list of tasks, as its JSON import takes them and its JSON export gives them.

Offsets are code points: the labelling page counts ``[...text]``, and every CR and LF as one. Of two relations between
the same two regions that page keeps only the first, so several types become the labels of one relation. Entity links
are texts of a ``<TextArea name="entity" perRegion="true">``, which can be edited on the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.document import Document, Mention, Relation
from pipeline.errors import Problem, ProblemsError, read_utf8
from pipeline.interchange.articles import Articles, Notes, Options, Span, Written, build_document, links

# Names of the tags in our labelling config; in files that are read, only the one of the links matters.
LABELS, TEXT, ENTITY = "label", "text", "entity"
_ARROWS = {"right": False, "left": True}


def read(path: Path, options: Options) -> Articles:
    """Read the articles of a ``.json`` export, or of all such files of a folder.

    An article's labels are those of its ground-truth annotation, else of the one changed last; articles that were
    skipped or that nobody has labelled are left out and counted.
    """
    articles = Articles()
    errors: list[Problem] = []
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        wrong: dict[str, list[int]] = {}
        for number, task in enumerate(_tasks(file, errors), 1):
            try:
                document = _Task(task, f"{file.stem}-{number}", options, articles.notes).document()
            except ValueError as error:
                wrong.setdefault(str(error), []).append(number)
            else:
                articles.documents += [document] if document else []
        for message, numbers in wrong.items():
            more = f" (and {len(numbers) - 1} more)" if len(numbers) > 1 else ""
            errors.append(Problem(str(file), 0, f"task {numbers[0]}{more}: {message}"))
    if errors:
        raise ProblemsError(errors)
    return articles


def _tasks(file: Path, errors: list[Problem]) -> Sequence[Any]:
    try:
        content = json.loads(read_utf8(file).removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        errors.append(Problem(str(file), error.lineno, f"not valid JSON ({error.msg}); export it again as JSON"))
        return []
    except (ValueError, RecursionError) as error:
        errors.append(Problem(str(file), 0, f"this JSON cannot be read ({error}); export it again as JSON"))
        return []
    tasks = [content] if isinstance(content, dict) else content
    if not isinstance(tasks, list) or not tasks:
        errors.append(Problem(str(file), 0, "no list of tasks; export the project as JSON"))
        return []
    return tasks


class _Task:
    """Reads one task; every ``ValueError`` says in one sentence what does not fit."""

    def __init__(self, task: Any, name: str, options: Options, notes: Notes) -> None:
        if not isinstance(task, dict):
            raise ValueError("not a JSON object; export the project as JSON")
        if not isinstance(task.get("data"), dict):
            hint = " (JSON-MIN holds no relations)" if "annotation_id" in task else ""
            raise ValueError(f"no object `data`; export the project as JSON{hint}")
        self.task, self.data, self.name, self.options, self.notes = task, task["data"], name, options, notes
        self.spans: dict[str, list[Span]] = {}
        self.relations: list[Relation] = []
        self.entities: dict[str, str] = {}

    def document(self) -> Document | None:
        """The article, unless nobody has labelled it."""
        text = self.data.get(self.options.text_field)
        if not isinstance(text, str):
            known = ", ".join(map(repr, self.data)) or "none"
            raise ValueError(
                f"no text in data[{self.options.text_field!r}]; name the key that holds it with --text-field "
                f"(keys here: {known})"
            )
        labels = self._labels()
        if labels is None:
            return None
        for item in labels:
            self._item(item, text)
        identifier = self.data.get("id", self.task.get("id", self.name))
        fields = {key: value for key, value in self.data.items() if key not in ("id", "text", self.options.text_field)}
        if "text" in self.data and self.options.text_field != "text":
            self.notes["data keys called 'text' beside the text itself, left out"] += 1
        document, _ = build_document(str(identifier), text, list(self._final_spans()), self.relations, fields)
        return document

    def _labels(self) -> list[Any] | None:
        """The result list that counts."""
        given = self.task.get("annotations") or self.task.get("completions") or []
        done = [one for one in _objects(given, "annotations") if not (one.get("was_cancelled") or one.get("skipped"))]
        kind = "annotations of an article beside the one that was taken (ground truth, else the last)"
        if given and not done:
            self.notes["articles that were skipped in labelling, left out"] += 1
            return None
        predictions = self.task.get("predictions") or []
        named = isinstance(predictions, list) and all(isinstance(one, int) for one in predictions)
        if not done and self.options.predictions and named:
            # What the plain JSON export does; a snapshot with predictions has them whole.
            self.notes["articles whose predictions are not in the export (ids only), left out"] += 1
            return None
        if not done and self.options.predictions:
            done = _objects(predictions, "predictions")
            kind = "predictions of an article beside the one that was taken (the last)"
        if not done:
            self.notes["articles without an annotation, left out (--predictions takes a model's labels for them)"] += 1
            return None
        if len(done) > 1:
            self.notes[kind] += len(done) - 1
        chosen = max(enumerate(done), key=lambda item: (*_rank(item[1]), item[0]))[1]
        result = chosen.get("result")
        if not isinstance(result, list):
            raise ValueError("an annotation without a list `result`; export the project as JSON")
        return result

    def _item(self, item: Any, text: str) -> None:
        kind = item.get("type") if isinstance(item, dict) else None
        if kind == "relation":
            self._relation(item)
        elif kind == "labels":
            self._region(item, text)
        elif kind == "textarea" and item.get("from_name") == ENTITY:
            self._entity(item)
        else:
            self.notes[f"results of type {kind}, which say nothing of spans or relations: left out"] += 1

    def _entity(self, item: dict[str, Any]) -> None:
        key, value = str(item.get("id")), item.get("value")
        found = (value.get("text") or "") if isinstance(value, dict) else None
        texts = [found] if isinstance(found, str) else found
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise ValueError(f"the field {ENTITY} of the region {key} holds no text; export the project again")
        self.entities[key] = " ".join(texts).strip()

    def _region(self, item: dict[str, Any], text: str) -> None:
        key, value = str(item.get("id")), item.get("value")
        start, end = (value.get("start"), value.get("end")) if isinstance(value, dict) else (None, None)
        if not isinstance(value, dict) or type(start) is not int or type(end) is not int:
            raise ValueError(
                f"the region {key} has no whole numbers as start and end; only labels of a <Text> tag can be read"
            )
        labels = value.get("labels")
        if not isinstance(labels, list) or not labels:
            self.notes["regions without a label, left out"] += 1
            return
        surface = value.get("text")
        if isinstance(surface, str) and _flat(surface) == _flat(text[start:end]):
            surface = None  # the page writes line ends in its own way
        score = _score(item)
        spans = [Span(key, start, end, str(label), score, "", surface) for label in labels]
        if self.spans.setdefault(key, spans) is not spans:
            raise ValueError(f"two regions have the id {key}; export the project again")
        if len(labels) > 1:
            self.notes["regions with several labels, read as spans that lie on one another"] += 1

    def _relation(self, item: dict[str, Any]) -> None:
        head, tail = str(item.get("from_id")), str(item.get("to_id"))
        direction, labels = item.get("direction", "right"), item.get("labels") or []
        if not isinstance(direction, str | None) or not isinstance(labels, list):
            raise ValueError(
                f"the relation from {head} to {tail} has a direction that is no text, or labels that are no list; "
                "export the project again"
            )
        if direction not in _ARROWS:
            self.notes["relations drawn in both directions, read as from their first region to their second"] += 1
        elif _ARROWS[direction]:
            head, tail = tail, head
        if not labels:
            self.notes["relations without a label, left out"] += 1
        self.relations += [Relation(str(label), head, tail, _score(item)) for label in labels]

    def _final_spans(self) -> Iterator[Span]:
        """All spans; the first of a region keeps the region's id, which relations name."""
        for key, spans in self.spans.items():
            entity = self.entities.get(key, "")
            for number, span in enumerate(spans):
                yield Span(
                    f"{key}#{number}" if number else key,
                    span.start,
                    span.end,
                    span.type,
                    span.score,
                    f"{span.type} {entity}" if entity else "",
                    span.surface,
                )


def _objects(given: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ValueError(f"`{name}` is no list of objects; export the project as JSON")
    return given


def _rank(annotation: dict[str, Any]) -> tuple[bool, str]:
    changed = annotation.get("updated_at") or annotation.get("created_at") or ""
    return bool(annotation.get("ground_truth")), str(changed)


def _flat(text: str) -> str:
    return text.replace("\\n", " ").replace("\r", " ").replace("\n", " ")


def _score(item: dict[str, Any]) -> float:
    score = item.get("score")
    return float(score) if isinstance(score, int | float) and not isinstance(score, bool) else 1.0


def write(documents: Sequence[Document], path: Path, options: Options) -> Written:
    """Write a list of tasks with one annotation each, or one prediction."""
    tasks = [task(document, predicted=options.predictions, model=options.model) for document in documents]
    path.write_bytes(dump(tasks))
    return Written(documents, [document.id for document in documents])


def dump(tasks: Sequence[dict[str, Any]]) -> bytes:
    """Tasks as the file that Label Studio imports."""
    return (json.dumps(tasks, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8")


def task(document: Document, *, predicted: bool, model: str, score: float | None = None) -> dict[str, Any]:
    """One article as a task.

    Args:
        predicted: the labels are a prediction, which waits for someone to accept it, and not an annotation.
        model: the version that a prediction names.
        score: of the whole prediction, from 0 to 1; by it the page can sort tasks.
    """
    result = list(_results(document))
    data = {"id": document.id, "text": document.text, **document.fields}
    if not predicted:
        # Left out, ground_truth would be taken for true, and a later annotation could never win over this one.
        return {"data": data, "annotations": [{"result": result, "ground_truth": False}]}
    prediction: dict[str, Any] = {"model_version": model, "result": result}
    if score is not None:
        prediction["score"] = round(score, 6)
    return {"data": data, "predictions": [prediction]}


def _results(document: Document) -> Iterator[dict[str, Any]]:
    linked = {mention.id: mention.entity for group in links(document) for mention in group}
    for mention in document.mentions:
        place = {"start": mention.start, "end": mention.end}
        region = {"id": mention.id, "from_name": LABELS, "to_name": TEXT, "type": "labels"}
        yield {**region, "value": {**place, "text": mention.text, "labels": [mention.type]}, **_score_of(mention)}
        if mention.id in linked:
            region |= {"from_name": ENTITY, "type": "textarea"}
            yield {**region, "value": {**place, "text": [linked[mention.id]]}}
    pairs: dict[tuple[str, str], list[Relation]] = {}
    for relation in document.relations:
        pairs.setdefault((relation.head, relation.tail), []).append(relation)
    for (head, tail), relations in pairs.items():
        arrow = {"from_id": head, "to_id": tail, "type": "relation", "direction": "right"}
        score = _score_of(relations[0]) if len(relations) == 1 else {}
        yield {**arrow, "labels": [relation.type for relation in relations], **score}


def _score_of(item: Mention | Relation) -> dict[str, float]:
    return {} if item.score == 1.0 else {"score": round(item.score, 4)}
