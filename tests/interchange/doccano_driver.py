"""Imports a file into a real doccano project and exports it again: doccano's own code, on SQLite, without its server.

Usage: python doccano_driver.py FOLDER ARTICLES.jsonl EXPORT.jsonl LABELS.json RELATIONS.json [--overlap]

Prints a JSON object: what doccano counted.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path


def main(folder: Path, articles: Path, export: Path, labels: Path, relations: Path, overlap: bool) -> None:
    import backend

    sys.path.insert(0, str(Path(backend.__file__).parent))
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.development"
    os.environ["DATABASE_URL"] = f"sqlite:///{folder}/doccano.sqlite3"
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.MEDIA_ROOT = str(folder / "media")
    django.setup()
    call_command("migrate", verbosity=0)

    from data_export.celery_tasks import export_dataset
    from data_import.datasets import load_dataset
    from data_import.pipeline.catalog import JSONL, RELATION_EXTRACTION
    from data_import.pipeline.readers import FileName
    from django.contrib.auth import get_user_model
    from label_types.models import RelationType, SpanType
    from label_types.serializers import RelationTypeSerializer, SpanTypeSerializer
    from label_types.views import camel_to_snake_dict
    from labels.models import Relation, Span
    from projects.models import ProjectType, SequenceLabelingProject

    user = get_user_model().objects.create(username="tester")
    project = SequenceLabelingProject.objects.create(
        name="quanhe",
        description="",
        project_type=ProjectType.SEQUENCE_LABELING,
        use_relation=True,
        allow_overlapping=overlap,
        collaborative_annotation=True,
        created_by=user,
    )
    for path, serializer_class in ((labels, SpanTypeSerializer), (relations, RelationTypeSerializer)):
        rows = list(map(camel_to_snake_dict, json.loads(path.read_text(encoding="utf-8"))))
        serializer = serializer_class(data=rows, many=True)
        serializer.is_valid(raise_exception=True)
        serializer.save(project_id=project.id)
    uploaded = FileName(str(articles), str(articles), articles.name)
    dataset = load_dataset(RELATION_EXTRACTION, JSONL, [uploaded], project, encoding="utf_8")
    dataset.save(user)
    with zipfile.ZipFile(export_dataset(project.id, "JSONL", False)) as archive:
        export.write_bytes(archive.read("all.jsonl"))
    counted = {
        "version": version("doccano"),
        "errors": [error.dict() for error in dataset.errors],
        "examples": project.examples.count(),
        "spans": Span.objects.filter(example__project=project).count(),
        "relations": Relation.objects.filter(example__project=project).count(),
        "span types": sorted(SpanType.objects.values_list("text", flat=True)),
        "relation types": sorted(RelationType.objects.values_list("text", flat=True)),
    }
    print(json.dumps(counted))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:6]), overlap="--overlap" in sys.argv)
