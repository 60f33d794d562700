"""A spaCy pipeline as ``spacy init config --lang vi --pipeline ner`` makes it: pyvi's words, tok2vec, transitions.

The weights are fresh, initialised on the labels of annotations/schema.yaml.
"""

from __future__ import annotations

from pathlib import Path

_TYPES = ("PERSON", "RANK", "ROLE", "ORG", "COUNTRY", "LOCATION", "DATE", "AGREEMENT", "EVENT")


def prepare(folder: Path, texts: list[str]) -> None:
    """Write the pipeline."""
    import spacy

    nlp = spacy.blank("vi")
    ner = nlp.add_pipe("ner")
    for label in _TYPES:
        ner.add_label(label)
    nlp.initialize()
    nlp.to_disk(folder)


def load(folder: Path) -> Pipeline:
    """The pipeline in that folder."""
    return Pipeline(folder)


class Pipeline:
    """``nlp.pipe``."""

    def __init__(self, folder: Path) -> None:
        import spacy

        self._nlp = spacy.load(folder)

    def run(self, texts: list[str], batch: int = 8, processes: int = 1) -> int:
        """Entities of all texts; a single text gets no process of its own."""
        several = processes if len(texts) > 1 else 1
        return sum(len(document.ents) for document in self._nlp.pipe(texts, batch_size=batch, n_process=several))
