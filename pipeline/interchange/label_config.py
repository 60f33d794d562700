"""Labelling settings for Label Studio and doccano, made from a schema."""

from __future__ import annotations

import json
from xml.sax.saxutils import quoteattr

from pipeline.interchange.label_studio import ENTITY, LABELS, TEXT
from pipeline.schema import Schema

# Tableau's ten colours, dark enough for white letters.
_COLOURS = (
    "#4e79a7", "#d37295", "#59893c", "#b07aa1", "#d1711c",
    "#2f8f8b", "#c03d3e", "#7f6a4f", "#8a63b5", "#6b6b6b",
)  # fmt: skip
_KEYS = "123456789qwertyuiopasdfghjklzxcvbnm"


def label_studio_config(schema: Schema) -> str:
    """The labelling interface in XML: the entity types, the relation types, and a field for the entity of a span.

    Spans may begin and end at any character.
    """
    lines = ["<View>", "  <Relations>"]
    lines += [f"    <Relation value={quoteattr(name)}/>" for name in schema.relations]
    lines += ["  </Relations>", f'  <Labels name="{LABELS}" toName="{TEXT}">']
    for number, (name, about) in enumerate(schema.entities.items()):
        colour, key = _COLOURS[number % len(_COLOURS)], _KEYS[number : number + 1]
        hotkey = f' hotkey="{key}"' if key else ""
        hint = f" hint={quoteattr(about)}" if about else ""
        lines.append(f'    <Label value={quoteattr(name)} background="{colour}"{hotkey}{hint}/>')
    lines += [
        "  </Labels>",
        f'  <Text name="{TEXT}" value="$text" granularity="symbol"/>',
        f'  <TextArea name="{ENTITY}" toName="{TEXT}" perRegion="true" maxSubmissions="1" editable="true"',
        '            placeholder="the same word for all spans that name one thing, e.g. E1"/>',
        "</View>",
    ]
    return "\n".join(lines) + "\n"


def doccano_labels(schema: Schema) -> tuple[str, str]:
    """The files that doccano imports as labels: of spans, and of relations."""
    return _doccano_file(list(schema.entities)), _doccano_file(list(schema.relations))


def _doccano_file(names: list[str]) -> str:
    labels = [
        {
            "text": name,
            "prefixKey": None,
            "suffixKey": _KEYS[number : number + 1] or None,
            "backgroundColor": _COLOURS[number % len(_COLOURS)],
            "textColor": "#ffffff",
        }
        for number, name in enumerate(names)
    ]
    return json.dumps(labels, ensure_ascii=False, indent=1) + "\n"
