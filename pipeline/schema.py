"""The schema of a project: entity types, relation types and what each relation may join."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.yaml_file import load_model

Linking = Literal["name", "person", "role", "organisation", "country", "title", "date"]


class RelationType(BaseModel):
    """A directed relation type; a symmetric one takes the earlier mention as its head.

    Attributes:
        head, tail: entity types that it may join.
        one_head: a tail mention belongs to one head only (a rank is one person's); of several the likeliest is kept.
        one_tail: a head mention has one tail only (an event is held on one day).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: tuple[str, ...] = Field(min_length=1)
    tail: tuple[str, ...] = Field(min_length=1)
    symmetric: bool = False
    one_head: bool = False
    one_tail: bool = False
    about: str = ""


class Schema(BaseModel):
    """Types that exist. Order matters: label and class ids follow it.

    Attributes:
        entities: entity type → what it is.
        relations: relation type → allowed heads and tails; may be empty.
        linking: entity type → how mentions of one entity find each other; ``name`` when not given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "unnamed"
    version: int = 1
    entities: dict[str, str] = Field(min_length=1)
    relations: dict[str, RelationType] = Field(default_factory=dict)
    linking: dict[str, Linking] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_exist(self) -> Schema:
        problems = []
        for name, relation in self.relations.items():
            for side, types in (("head", relation.head), ("tail", relation.tail)):
                problems += [f"relations.{name}.{side}: {t} is no entity type" for t in types if t not in self.entities]
        problems += [f"linking: {t} is no entity type" for t in self.linking if t not in self.entities]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def labels(self) -> list[str]:
        """IOB2 labels (Tjong Kim Sang and Veenstra, 1999): ``O``, then ``B-X``, ``I-X`` for each type."""
        return ["O", *(f"{prefix}-{kind}" for kind in self.entities for prefix in "BI")]

    def relations_between(self, head: str, tail: str) -> list[str]:
        """Relation types that may lead from an entity of type ``head`` to one of type ``tail``."""
        return [name for name, r in self.relations.items() if head in r.head and tail in r.tail]

    def link_kind(self, entity_type: str) -> Linking:
        """How mentions of this type are linked to entities."""
        return self.linking.get(entity_type, "name")


def load_schema(path: str | Path) -> Schema:
    """Read and check a schema file.

    Raises:
        ProblemsError: every mistake in the file, with its line.
    """
    return load_model(Path(path), Schema)
