"""Punctuation at the edges of a name."""

from __future__ import annotations

import pytest

from pipeline.text.edges import edge_fault


@pytest.mark.parametrize("surface", ["Lan ", "\u200bLan", "Lan.", "“Lan", "Lan)", "- Lan", "Lan\n"])
def test_edges_that_are_no_part_of_a_name(surface):
    assert edge_fault(surface)


@pytest.mark.parametrize("surface", ["ADMM+", "U.S.", "Công ty Mẫu (Anh)", "“Lan” và “Mai”", "29/6", "3,5%", "Lan"])
def test_edges_that_are_part_of_a_name(surface):
    assert edge_fault(surface) == ""
