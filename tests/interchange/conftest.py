"""Articles that are hard on formats."""

from __future__ import annotations

import pytest
from interchange_articles import hard_articles

from pipeline.document import Document


@pytest.fixture
def hard() -> list[Document]:
    return hard_articles()
