"""Mentions and relations → entities and facts: what a reader of the output uses."""

from pipeline.facts.build import build_facts, complete
from pipeline.facts.linking import link_entities

__all__ = ["build_facts", "complete", "link_entities"]
