"""Labelling settings hold every type of the schema."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

from pipeline.interchange.label_config import doccano_labels, label_studio_config
from pipeline.schema import RelationType, Schema


def test_label_studio(schema):
    root = ElementTree.fromstring(label_studio_config(schema))
    assert [label.get("value") for label in root.findall("Labels/Label")] == list(schema.entities)
    assert [relation.get("value") for relation in root.findall("Relations/Relation")] == list(schema.relations)
    names = {tag.get("name") for tag in root.iter() if tag.get("name")}
    assert {tag.get("toName") for tag in root.iter() if tag.get("toName")} == {"text"} < names
    assert root.find("Text").get("value") == "$text"


def test_doccano(schema):
    spans, relations = map(json.loads, doccano_labels(schema))
    assert [label["text"] for label in spans] == list(schema.entities)
    assert [label["text"] for label in relations] == list(schema.relations)
    for labels in (spans, relations):
        keys = [label["suffixKey"] for label in labels]
        assert len(set(keys)) == len(keys)


def test_names_that_xml_minds_and_more_types_than_keys():
    entities = {f'A&B <"{number}">': "a < b" for number in range(50)}
    schema = Schema(entities=entities, relations={"R&D": RelationType(head=tuple(entities), tail=tuple(entities))})
    root = ElementTree.fromstring(label_studio_config(schema))
    assert [label.get("value") for label in root.findall("Labels/Label")] == list(entities)
    assert [relation.get("value") for relation in root.findall("Relations/Relation")] == ["R&D"]
    hotkeys = [label.get("hotkey") for label in root.findall("Labels/Label") if label.get("hotkey")]
    assert len(hotkeys) == len(set(hotkeys)) == 35
    spans, _ = doccano_labels(schema)
    assert json.loads(spans)[49]["suffixKey"] is None
