"""Files as other tools and other people make them: what is read, what is left out and told, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import QuanheError
from pipeline.interchange import doccano, jsonl, label_studio
from pipeline.interchange.articles import Articles, Options
from pipeline.interchange.formats import by_name, guess_input, guess_output

TEXT = "Đại tướng Lê Thử"


def region(key: str, start: int, end: int, *labels: str, **more: object) -> dict:
    value = {"start": start, "end": end, "labels": list(labels)}
    return {"id": key, "from_name": "ner", "to_name": "t", "type": "labels", "value": value, **more}


def arrow(head: str, tail: str, *labels: str, direction: str = "right") -> dict:
    return {"type": "relation", "from_id": head, "to_id": tail, "labels": list(labels), "direction": direction}


RESULT = [region("x1", 0, 9, "RANK"), region("x2", 10, 16, "PERSON"), arrow("x2", "x1", "HAS_RANK")]


LINK = {"id": "x1", "from_name": "entity", "to_name": "t", "type": "textarea"}


def studio(tmp_path: Path, *tasks: dict, **options: object) -> Articles:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(list(tasks)), encoding="utf-8")
    return label_studio.read(path, Options(**options))


def task(*annotations: dict, **more: object) -> dict:
    return {"id": 7, "data": {"text": TEXT}, "annotations": list(annotations), **more}


def relations(articles: Articles) -> list[tuple[str, str, str]]:
    (document,) = articles.documents
    return [(r.type, document.mention(r.head).text, document.mention(r.tail).text) for r in document.relations]


def test_the_annotation_that_counts(tmp_path):
    early = {"result": [], "updated_at": "2026-01-02T00:00:00Z"}
    late = {"result": RESULT, "updated_at": "2026-01-03T00:00:00Z"}
    skipped = {"result": [], "was_cancelled": True, "updated_at": "2026-02-01T00:00:00Z"}
    found = studio(tmp_path, task(late, early, skipped))
    assert found.documents[0].id == "7"
    assert relations(found) == [("HAS_RANK", "Lê Thử", "Đại tướng")]
    assert list(found.notes.values()) == [1]
    assert studio(tmp_path, task(late, {**early, "ground_truth": True})).documents[0].mentions == []


def test_what_nobody_labelled_is_left_out_and_told(tmp_path):
    prediction = {"result": RESULT, "score": 0.5}
    tasks = [task({"result": RESULT}), task(), task({"result": [], "was_cancelled": True}), task(predictions=[3])]
    found = studio(tmp_path, *tasks, task(predictions=[prediction]))
    assert len(found.documents) == 1
    assert sorted(found.notes.values()) == [1, 3]
    found = studio(tmp_path, *tasks, task(predictions=[prediction]), predictions=True)
    assert [len(document.mentions) for document in found.documents] == [2, 2]
    assert any("ids only" in kind for kind in found.notes)


def test_directions_and_labels_of_relations(tmp_path):
    arrows = [
        arrow("x1", "x2", "HAS_RANK", direction="left"),
        arrow("x1", "x2", "A", "B", direction="bi"),
        arrow("x1", "x2"),
    ]
    found = studio(tmp_path, task({"result": [*RESULT[:2], *arrows]}))
    assert sorted(relations(found)) == [
        ("A", "Đại tướng", "Lê Thử"),
        ("B", "Đại tướng", "Lê Thử"),
        ("HAS_RANK", "Lê Thử", "Đại tướng"),
    ]
    assert found.notes == {
        "relations drawn in both directions, read as from their first region to their second": 1,
        "relations without a label, left out": 1,
    }


def test_other_results_are_counted(tmp_path):
    choice = {"id": "c", "type": "choices", "from_name": "kind", "value": {"choices": ["tin"]}}
    both = region("x3", 0, 9, "RANK", "ROLE")
    found = studio(tmp_path, task({"result": [choice, region("x4", 0, 3), both]}))
    assert [m.type for m in found.documents[0].mentions] == ["RANK", "ROLE"]
    assert sum(found.notes.values()) == 3


def test_line_ends_may_be_written_as_the_page_writes_them(tmp_path):
    value = {"start": 0, "end": 5, "labels": ["ORG"], "text": "a\\n\\nbc"}
    item = {"data": {"text": "a\r\nbc"}, "annotations": [{"result": [{"id": "1", "type": "labels", "value": value}]}]}
    assert studio(tmp_path, item).documents[0].mentions[0].text == "a\r\nbc"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"annotation_id": 1, "text": TEXT}, r"task 1: no object `data`; .*JSON-MIN holds no relations"),
        ({"data": {"ner": TEXT}}, r"no text in data\['text'\]; name the key .* --text-field \(keys here: 'ner'\)"),
        (task({"result": [region("a", 0, 99, "X")]}), "the span a .0, 99. is none of the text, which has 16"),
        (task({"result": [region("a", "/p[1]", 3, "X")]}), "only labels of a <Text> tag"),
        (task({"result": [*RESULT[:1], arrow("x1", "x9", "R")]}), "R names x9, and no span has that id"),
        (task({"result": [RESULT[0], RESULT[0]]}), "two regions have the id x1"),
        (task({"result": [*RESULT, {**LINK, "value": None}]}), "the field entity of the region x1 holds no text"),
        (task({"result": [*RESULT, {**LINK, "value": {"text": [5]}}]}), "the field entity of the region x1 holds no"),
        (task({"result": [{**RESULT[2], "direction": ["right"]}]}), "from x2 to x1 has a direction that is no text"),
        (task({"result": [{**RESULT[2], "labels": "HAS_RANK"}]}), "labels that are no list"),
        (task({"score": 1}), "an annotation without a list `result`"),
        ("text", "not a JSON object"),
    ],
)
def test_tasks_that_cannot_be_read(tmp_path, item, message):
    with pytest.raises(QuanheError, match=rf"export\.json: .*{message}"):
        studio(tmp_path, item)


def test_a_surface_that_is_another_is_refused(tmp_path):
    wrong = region("a", 0, 3, "RANK")
    wrong["value"]["text"] = "Lê"
    with pytest.raises(QuanheError, match="the span a says 'Lê', the text has 'Đại' at 0"):
        studio(tmp_path, task({"result": [wrong]}))


def test_many_tasks_with_one_mistake_are_one_line(tmp_path):
    with pytest.raises(QuanheError) as raised:
        studio(tmp_path, *({"text": "a"} for _ in range(30)))
    assert str(raised.value).count("\n") == 0
    assert "task 1 (and 29 more)" in str(raised.value)


def test_files_that_are_no_json(tmp_path):
    (tmp_path / "a.json").write_text('[\n{"data": }]')
    with pytest.raises(QuanheError, match=r"a\.json:2: not valid JSON"):
        label_studio.read(tmp_path / "a.json", Options())
    (tmp_path / "b.json").write_text("[]")
    with pytest.raises(QuanheError, match=r"b\.json: no list of tasks"):
        label_studio.read(tmp_path / "b.json", Options())


def lines(tmp_path: Path, *objects: object) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in objects), encoding="utf-8")
    return path


def test_doccano_without_relations(tmp_path):
    for key in ("label", "labels"):
        path = lines(tmp_path, {"id": 5, "text": TEXT, key: [[0, 9, "RANK"], [10, 16, "PERSON"]], "Comments": ["?"]})
        found = doccano.read(path, Options())
        assert [(m.text, m.type) for m in found.documents[0].mentions] == [("Đại tướng", "RANK"), ("Lê Thử", "PERSON")]
        assert found.documents[0].id == "5"
        assert found.notes == {"comments, left out": 1}


def test_doccano_counts_utf_16(tmp_path):
    path = lines(tmp_path, {"text": "\U0001f600 Lê", "label": [[3, 5, "PERSON"]]})
    assert doccano.read(path, Options()).documents[0].mentions[0].text == "Lê"
    path = lines(tmp_path, {"text": "\U0001f600 Lê", "label": [[1, 5, "PERSON"]]})
    with pytest.raises(QuanheError, match=r"a\.jsonl:1: the span 1 ends inside a character at 1"):
        doccano.read(path, Options())


def test_links_to_spans_that_are_gone(tmp_path):
    entity = {"id": 1, "label": "PERSON", "start_offset": 10, "end_offset": 16}
    links = [[[10, 16, "PERSON"], [0, 3, "PERSON"]]]
    found = doccano.read(lines(tmp_path, {"text": TEXT, "entities": [entity], "entity_links": links}), Options())
    assert found.notes == {"entity links to spans that were changed or removed in doccano, left out": 1}


def test_equal_spans_take_the_linked_entities_in_their_order(tmp_path):
    text = "Thử gặp Mẫu và Ví"
    spans = [(0, 3), (0, 3), (8, 11), (15, 17)]
    entities = [{"id": n, "label": "P", "start_offset": a, "end_offset": b} for n, (a, b) in enumerate(spans, 1)]
    arrows = [{"id": 1, "from_id": 1, "to_id": 3, "type": "SAME"}, {"id": 2, "from_id": 2, "to_id": 4, "type": "SAME"}]
    groups = [[[0, 3, "P"], [8, 11, "P"]], [[0, 3, "P"], [15, 17, "P"]]]
    item = {"text": text, "entities": entities, "relations": arrows, "entity_links": groups}
    (document,) = doccano.read(lines(tmp_path, item), Options()).documents
    owner = {mention.id: mention.entity for mention in document.mentions}
    assert len(set(owner.values())) == 2
    assert all(owner[relation.head] == owner[relation.tail] for relation in document.relations)


@pytest.mark.parametrize(
    ("reader", "item", "message"),
    [
        (doccano, {"text": "a"}, "no `entities` and no `label`"),
        (doccano, {"text": "a", "label": [[0, 1]]}, r"label\.0\.2: field required"),
        (doccano, {"text": "a", "label": [[0, 2, "X"]]}, "is none of the text"),
        (doccano, {"text": "a", "entities": [], "relations": [{"from_id": 1, "to_id": 2, "type": "R"}]}, "names 1"),
        (jsonl, {"text": "a"}, "mentions: field required"),
        (jsonl, {"text": "a", "mentions": [{"id": "T1", "start": 0, "end": 1}]}, r"mentions\.0\.type: field required"),
        (jsonl, {"text": "a", "mentions": [{"id": "T1", "start": "0", "end": 1, "type": "X"}]}, "valid integer"),
        (jsonl, {"text": "a", "mentions": [{"id": "T", "start": 0, "end": 1, "type": "X", "text": "b"}]}, "says 'b'"),
        (jsonl, {"text": "a", "mentions": [], "facts": [{"type": "R", "head": "a", "tail": "b"}]}, "without entities"),
        (
            jsonl,
            {"text": "a", "mentions": [], "entities": [{"id": "E", "type": "X", "name": "a", "mentions": ["T1"]}]},
            "the entity E names T1",
        ),
    ],
)
def test_lines_that_cannot_be_read(tmp_path, reader, item, message):
    with pytest.raises(QuanheError, match=rf"a\.jsonl:2: .*{message}"):
        reader.read(lines(tmp_path, {"text": "", "mentions": [], "label": []}, item), Options())


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", "[]", "label-studio"),
        ("a.json", '{\n"data": {}}', "label-studio"),
        ("a.jsonl", '{"text": "", "label": []}\n', "doccano"),
        ("a.jsonl", '\ufeff{"text": "", "entities": [{"start_offset": 0}], "relations": []}\n{}', "doccano"),
        ("a.jsonl", '{"text": "", "entities": [], "mentions": []}', "jsonl"),
        ("a.conll", "", "conll"),
        ("a.ann", "", "brat"),
    ],
)
def test_formats_are_guessed(tmp_path, name, content, expected):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert guess_input(tmp_path / name).name == expected
    assert guess_input(tmp_path).name == expected


def test_formats_that_cannot_be_guessed(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": ""}')
    (tmp_path / "b.jsonl").write_text('{"text": "x", "entities": [5]}')
    (tmp_path / "a.xlsx").write_text("")
    for path in (tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "a.xlsx"):
        with pytest.raises(QuanheError, match="--from"):
            guess_input(path)
    with pytest.raises(QuanheError, match="not found"):
        guess_input(tmp_path / "none")
    names = {"out": "brat", "a.json": "label-studio", "a.jsonl": "jsonl", "a.iob2": "conll"}
    assert {name: guess_output(Path(name)).name for name in names} == names
    with pytest.raises(QuanheError, match=r"a\.csv: .*--to"):
        guess_output(Path("a.csv"))
    with pytest.raises(QuanheError, match="unknown format 'prodigy'; choose one of brat"):
        by_name("prodigy")
