"""Imports a file into a real Label Studio project and exports it again: its own API, on SQLite, in this process.

Usage: python label_studio_driver.py FOLDER TASKS.json LABELS.xml EXPORT.json

Also lets the sdk validate each annotation and prediction, and convert the tasks to CoNLL (FOLDER/conll).
Prints a JSON object: what Label Studio counted, and which tasks the sdk refuses.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path


def main(folder: Path, tasks: Path, labels: Path, export: Path) -> None:
    import label_studio

    sys.path.insert(0, str(Path(label_studio.__file__).parent))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "core.settings.label_studio",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LOG_LEVEL": "ERROR",
    }
    import django

    django.setup()
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    setup_test_environment()
    call_command("migrate", verbosity=0)

    from organizations.models import Organization
    from rest_framework.test import APIClient
    from users.models import User

    user = User.objects.create(email="tester@example.invalid", username="tester")
    user.active_organization = Organization.create_organization(created_by=user, title="tests")
    user.save()
    client = APIClient()
    client.force_authenticate(user)
    config = labels.read_text(encoding="utf-8")
    project = client.post("/api/projects", {"title": "quanhe", "label_config": config}, format="json")
    assert project.status_code == 201, project.content
    number = project.json()["id"]
    upload = {"file": SimpleUploadedFile(tasks.name, tasks.read_bytes(), "application/json")}
    imported = client.post(f"/api/projects/{number}/import?commit_to_project=true", upload, format="multipart")
    assert imported.status_code == 201, imported.content
    options = {"title": "all", "serialization_options": {"predictions": {"only_id": False}}}
    snapshot = client.post(f"/api/projects/{number}/exports/", options, format="json")
    assert snapshot.status_code == 201, snapshot.content
    url = f"/api/projects/{number}/exports/{snapshot.json()['id']}/download?exportType=JSON"
    found = client.get(url)
    assert found.status_code == 200, found.content
    export.write_bytes(b"".join(found.streaming_content) if found.streaming else found.content)
    counted = {key: imported.json()[key] for key in ("task_count", "annotation_count", "prediction_count")}
    print(json.dumps({**counted, "refused": use_sdk(folder, tasks, config), "version": version("label-studio")}))


def use_sdk(folder: Path, tasks: Path, config: str) -> list[list[str]]:
    """Convert the tasks to CoNLL; what the sdk has against those it refuses."""
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.label_interface import LabelInterface

    interface = LabelInterface(config)
    interface.validate()
    given = json.loads(tasks.read_text(encoding="utf-8"))
    labelled = [(task.get("annotations") or task["predictions"])[0] for task in given]
    # The converter reads annotations, and wants ids.
    whole = [{"id": n, "data": t["data"], "annotations": [labelled[n]]} for n, t in enumerate(given)]
    (folder / "with_ids.json").write_text(json.dumps(whole), encoding="utf-8")
    converter = Converter(config, project_dir=None, download_resources=False)
    converter.convert(str(folder / "with_ids.json"), str(folder / "conll"), "CONLL2003", is_dir=False)
    return [errors for one in labelled if (errors := interface.validate_prediction(one, return_errors=True))]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
