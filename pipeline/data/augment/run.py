"""All operations in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from pipeline.config import AugmentConfig
from pipeline.data.align import bio_labels, gold_edges
from pipeline.data.augment import countries, dates, names, posts, surface, titles
from pipeline.data.augment.gazetteers import Gazetteers, load_gazetteers
from pipeline.data.augment.words import split_words
from pipeline.document import Document
from pipeline.text.words import WordSplitter

Operation = Callable[[Document, float, Gazetteers, Random], Document]


def operations(config: AugmentConfig) -> dict[str, Operation]:
    """Name → operation on the text, in the order in which they are done.

    What things are comes first (who, which country, when), how it is written last.
    """

    def of_country(document: Document, share: float, lists: Gazetteers, rng: Random) -> Document:
        return countries.replace_countries(document, share, lists, rng, keep_home=config.keep_vietnam)

    return {
        "names": names.replace_names,
        "countries": of_country,
        "places": countries.replace_places,
        "ranks": posts.replace_ranks,
        "roles": posts.replace_roles,
        "organisations": posts.replace_organisations,
        "agreements": titles.replace_agreements,
        "events": titles.replace_events,
        "dates": lambda document, share, lists, rng: dates.replace_dates(document, share, rng),
        "abbreviations": surface.swap_abbreviations,
        "i_or_y": lambda document, share, lists, rng: surface.change_i_and_y(document, share, rng),
        "tones": lambda document, share, lists, rng: surface.change_tones(document, share, rng),
        "case": surface.change_case,
        "diacritics": lambda document, share, lists, rng: surface.drop_diacritics(document, share, rng),
    }


def augment(documents: Sequence[Document], config: AugmentConfig, seed: int) -> list[Document]:
    """Changed copies of labelled documents; the documents themselves stay as they are.

    Each copy depends on the seed, the document's id, the number of the copy and the operation, and on nothing else: the
    same for any order of documents, and what one operation draws does not change when another is switched on.

    Args:
        documents: with mentions, relations and entities; words are not looked at.
        config: how likely each operation is.
        seed: of every random choice.

    Returns:
        At most ``config.copies`` documents for each one given, without words, with ids like ``a17+1``; mentions keep
        their ids, types and entities, relations their ends. A copy in which nothing changed is not among them.

    Raises:
        QuanheError: the gazetteers cannot be read.
    """
    active = {name: (change, share) for name, change in operations(config).items() if (share := getattr(config, name))}
    if not (active or config.segmentation) or not config.copies:
        return []
    lists = load_gazetteers(config.gazetteers)
    copies = []
    for document in documents:
        for number in range(1, config.copies + 1):
            changed = Document(
                f"{document.id}+{number}",
                document.text,
                mentions=[replace(mention) for mention in document.mentions],
                relations=list(document.relations),
                entities=list(document.entities),
                fields=document.fields,
            )
            for name, (change, share) in active.items():
                changed = change(changed, share, lists, _random(seed, changed.id, name))
            if changed.text != document.text or config.segmentation:
                copies.append(changed)
    return copies


def training_copies(
    documents: Sequence[Document],
    splitter: WordSplitter,
    config: AugmentConfig,
    seed: int,
    say: Callable[[str], None] = lambda line: None,
) -> list[Document]:
    """``augment``, then words: cut at gold edges where a mention needs it, and with segmentation noise.

    Args:
        splitter: makes the words, also of copies of documents that came with words of their own.
        say: gets a line on what was made.
    """
    copies = augment(documents, config, seed)
    cut = 0
    for document in copies:
        if bio_labels(splitter(document))[1]:
            splitter(document, gold_edges(document))
        cut += split_words(document, config.segmentation, _random(seed, document.id, "segmentation"))
    if copies:
        unchanged = len(documents) * config.copies - len(copies)
        say(
            f"augmentation: {len(copies)} changed copies of {len(documents)} articles"
            + (f", {unchanged} left out in which nothing changed" if unchanged else "")
            + (f", {cut} words cut into syllables" if cut else "")
        )
    return copies


def _random(seed: int, document_id: str, operation: str) -> Random:
    """A generator of its own: strings seed it the same way in every process (SHA-512, not ``hash``)."""
    return Random(f"{seed}/{document_id}/{operation}")
