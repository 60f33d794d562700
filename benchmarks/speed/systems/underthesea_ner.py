"""underthesea's ``ner``: a CRF over its CRFs for words, parts of speech and chunks, called for each sentence."""

from __future__ import annotations

from pathlib import Path


def load(folder: Path) -> Ner:
    """The function; its models come with the package."""
    return Ner()


def model_bytes(folder: Path) -> int:
    """The four models that ``ner`` reads."""
    import underthesea

    models = Path(underthesea.__file__).parent / "pipeline"
    patterns = ("word_tokenize/models/ws_*/*.bin", "pos_tag/*.bin", "chunking/*.bin", "ner/*.bin")
    return sum(file.stat().st_size for pattern in patterns for file in models.glob(pattern))


class Ner:
    """``underthesea.ner``."""

    def __init__(self) -> None:
        from underthesea import ner, sent_tokenize

        self._ner, self._sentences = ner, sent_tokenize

    def run(self, texts: list[str]) -> int:
        """Words that begin a name."""
        lines = (line for text in texts for line in text.split("\n"))
        words = (word for line in lines for sentence in self._sentences(line) for word in self._ner(sentence))
        return sum(word[3].startswith("B-") for word in words)
