"""Train every stage on labelled documents, and run systems on documents held out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

import pipeline
from pipeline.config import Config
from pipeline.data.align import bio_labels, gold_edges, surviving
from pipeline.data.augment import training_copies
from pipeline.data.labelled import suggestion
from pipeline.document import Document
from pipeline.encoders import find_encoder
from pipeline.errors import Problem, ProblemsError, QuanheError
from pipeline.evaluation.counts import Counts, micro, total
from pipeline.evaluation.entities import strict_counts
from pipeline.evaluation.facts import fact_counts
from pipeline.evaluation.negatives import NegativeReadings
from pipeline.evaluation.pairs import Pair
from pipeline.evaluation.relations import collect_seen_pairs
from pipeline.evaluation.report import Report, write_report
from pipeline.extractor import Extractor
from pipeline.manifest import Manifest, StageTraining, TrainingData, text_hash
from pipeline.mentions.crf import train_crf
from pipeline.mentions.tagger import Tagger
from pipeline.mentions.torch_engine import weights_of as entity_weights
from pipeline.mentions.training import train_tagger
from pipeline.model import Model
from pipeline.negatives import NegativeArticle
from pipeline.relations.candidates import find_candidates
from pipeline.relations.classifier import RelationClassifier
from pipeline.relations.consistency import count_excluded
from pipeline.relations.linear import train_linear
from pipeline.relations.torch_engine import weights_of as relation_weights
from pipeline.relations.training import candidate_labels, train_relations
from pipeline.schema import Schema
from pipeline.text.segmenters import load_segmenter
from pipeline.text.words import WordSplitter
from pipeline.training import History


@dataclass(frozen=True, slots=True)
class Materials:
    """What training needs besides articles: made once, used by every fold."""

    config: Config
    schema: Schema
    splitter: WordSplitter
    encoder: Path

    @classmethod
    def load(cls, config: Config, schema: Schema) -> Materials:
        """Find the encoder and load the segmenter.

        Raises:
            QuanheError: one of them is not there.
        """
        return cls(config, schema, WordSplitter(load_segmenter(config.text.segmenter)), find_encoder(config.encoder))


def train_stages(
    materials: Materials,
    train: Sequence[Document],
    dev: Sequence[Document],
    scratch: Path,
    *,
    say: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> tuple[Model, Manifest]:
    """Train tagger, CRF baseline and relation classifier.

    Args:
        train: labelled documents; those without words are segmented, words cut at gold edges. Changed copies of
            them are learnt too, as ``data.augment`` says.
        dev: for early stopping only; may be empty.
        scratch: a folder for the baseline's model file.
        say: gets a line for each step.

    Raises:
        QuanheError: there is nothing to learn from.
    """
    config, schema = materials.config, materials.schema
    if not any(document.mentions for document in train):
        raise QuanheError("no labelled training articles; set data.train to a folder of .ann files or a CoNLL file")
    labels, unaligned = _align(train, materials.splitter, say)
    copies = training_copies(train, materials.splitter, config.data.augment, config.seed, say)
    learnt = [*train, *copies]
    labels += [bio_labels(document)[0] for document in copies]
    say(f"entities: {len(train)} articles, {sum(len(d.mentions) for d in train)} mentions, encoder {config.encoder}")
    start = time.monotonic()
    tagger, history = train_tagger(
        learnt, labels, config, schema, materials.encoder, dev_score=_entity_dev(dev, materials), progress=progress
    )
    stages = {"entities": _stage(history, start, entity_weights(tagger))}
    crf_path = scratch / "baseline.crfsuite"
    train_crf(learnt, labels, config.crf, crf_path)
    classifier = None
    if config.relations.enabled and any(document.relations for document in train):
        say(f"relations: {sum(len(d.relations) for d in train)} between gold mentions")
        start = time.monotonic()
        classifier, history = train_relations(
            learnt, config, schema, materials.encoder, dev_score=_relation_dev(dev, materials), progress=progress
        )
        stages["relations"] = _stage(history, start, relation_weights(classifier))
        pairs = [candidate_labels(d, find_candidates(d, schema, config.relations), schema, "ignore") for d in learnt]
        classifier.linear = train_linear(learnt, pairs, schema, config.relations, config.linear)
    model = Model(config, schema, materials.splitter, tagger, classifier, crf_path)
    return model, _manifest(materials, train, dev, stages, unaligned)


def _align(
    documents: Sequence[Document], splitter: WordSplitter, say: Callable[[str], None]
) -> tuple[list[list[str]], int]:
    """IOB2 labels of each document's words, and how many mentions no words express."""
    labels: list[list[str]] = []
    lost = inside = 0
    for document in documents:
        if not document.words:
            _, misfits = bio_labels(splitter(document))
            inside += len(misfits)
            if misfits:
                splitter(document, gold_edges(document))
        row, misfits = bio_labels(document)
        labels.append(row)
        lost += len(misfits)
    if inside:
        say(f"{inside} gold spans have an edge inside a word; those words are cut for training")
    if lost:
        say(f"{lost} gold spans cannot be expressed in words and are not learnt")
    return labels, lost


def _entity_dev(dev: Sequence[Document], materials: Materials) -> Callable[[Tagger], float] | None:
    """Strict entity F1 on dev."""
    if not dev:
        return None
    with_words(dev, materials.splitter)

    def score(tagger: Tagger) -> float:
        extractor = Extractor(materials.schema, materials.splitter, tagger, None)
        return _micro_f1(micro(strict_counts(*pair)) for pair in run_system(extractor, dev))

    return score


def _relation_dev(dev: Sequence[Document], materials: Materials) -> Callable[[RelationClassifier], float] | None:
    """Facts F1 on dev with gold mentions given."""
    if not any(document.relations for document in dev):
        return None
    with_words(dev, materials.splitter)

    def score(classifier: RelationClassifier) -> float:
        extractor = Extractor(materials.schema, materials.splitter, None, classifier)
        pairs = run_system(extractor, dev, given_mentions=True)
        return _micro_f1(micro(fact_counts(*pair, materials.schema)) for pair in pairs)

    return score


def _micro_f1(counts: Iterable[Counts]) -> float:
    """F1 over all articles, 0 where it is undefined."""
    return total(counts).f1 or 0.0


def with_words(documents: Iterable[Document], splitter: WordSplitter) -> list[Document]:
    """The documents with words as inference sees them: never cut at gold edges."""
    return [document if document.words else splitter(document) for document in documents]


def run_system(extractor: Extractor, gold: Sequence[Document], *, given_mentions: bool = False) -> list[Pair]:
    """Each article as labelled and as the system reads it.

    Args:
        given_mentions: hand it the gold mentions (their links left out), so that only the later stages are measured.
    """
    bare = [document.bare() for document in gold]
    if given_mentions:
        for document, given in zip(gold, bare, strict=True):
            given.mentions = [replace(mention, entity="") for mention in document.mentions]
    return list(zip(gold, extractor.extract(bare), strict=True))


def read_negatives(model: Model, articles: Sequence[NegativeArticle], readings: NegativeReadings) -> None:
    """Let the model and its baselines read articles with hard negatives.

    Args:
        readings: what they read is added here, so that the models of several folds can share the articles.
    """
    if not articles:
        return
    documents = with_words([article.document for article in articles], model.splitter)
    readings.pairs |= {article.document.id: article.pairs for article in articles}
    for name, extractor in model.systems().items():
        given = run_system(extractor.on_given_mentions(), documents, given_mentions=True)
        readings.given.setdefault(name, []).extend(given)
        readings.raw.setdefault(name, []).extend(run_system(extractor, documents))


def about_negatives(articles: Sequence[NegativeArticle]) -> dict[str, str]:
    """The line of a report on what false relations were counted on; none without articles."""
    pairs = sum(len(article.pairs) for article in articles)
    return {"hard negatives": f"{pairs} pairs in {len(articles)} held-back articles"} if articles else {}


def check_types(documents: Iterable[Document], schema: Schema) -> None:
    """Refuse labels of types that the schema has not: no stage could learn or find them.

    Raises:
        ProblemsError: each such type with the first article that has it.
    """
    problems: dict[tuple[str, str], Problem] = {}
    for document in documents:
        kinds = [("entity", mention.type) for mention in document.mentions]
        kinds += [("relation", relation.type) for relation in document.relations]
        for what, kind in kinds:
            known = list(schema.entities if what == "entity" else schema.relations)
            if kind not in known:
                message = f"{what} type {kind} is not in schema {schema.name!r}{suggestion(kind, known)}"
                problems.setdefault((what, kind), Problem(document.id, 0, message))
    if problems:
        raise ProblemsError(problems.values(), "run `quanhe validate` to see every such label with its line")


def check_unseen(documents: Sequence[Document], manifest: Manifest) -> None:
    """Refuse to score a model on what it was trained on.

    Raises:
        QuanheError: naming the articles.
    """
    known = {digest: "training" for digest in manifest.training.articles.values()}
    known |= {digest: "early stopping" for digest in manifest.dev_articles.values()}
    seen = [f"{document.id} ({known[text_hash(document)]})" for document in documents if text_hash(document) in known]
    if seen:
        shown = ", ".join(seen[:5]) + (f" and {len(seen) - 5} more" if len(seen) > 5 else "")
        raise QuanheError(f"the model has seen {shown}; it is only scored on articles held out (see `quanhe crossval`)")


def _stage(history: History, start: float, model: nn.Module) -> StageTraining:
    return StageTraining(
        epochs=history.epochs,
        best_epoch=history.best_epoch or history.epochs,
        dev=[round(score, 4) for score in history.dev],
        seconds=round(time.monotonic() - start, 1),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


def _manifest(
    materials: Materials,
    train: Sequence[Document],
    dev: Sequence[Document],
    stages: dict[str, StageTraining],
    unaligned: int,
) -> Manifest:
    mentions = Counter(mention.type for document in train for mention in document.mentions)
    relations = Counter(relation.type for document in train for relation in document.relations)
    return Manifest(
        name=materials.config.name,
        quanhe=pipeline.__version__,
        segmenter=materials.splitter.segmenter.id,
        config_hash=materials.config.hash,
        encoder=materials.config.encoder,
        training=TrainingData(
            articles={document.id: text_hash(document) for document in train},
            mentions={kind: mentions[kind] for kind in materials.schema.entities},
            relations={kind: relations[kind] for kind in materials.schema.relations},
            unaligned=unaligned,
        ),
        dev_articles={document.id: text_hash(document) for document in dev},
        stages=stages,
        seen_pairs=sorted(collect_seen_pairs(train, materials.schema)),
    )


def score_systems(
    model: Model,
    manifest: Manifest,
    documents: Sequence[Document],
    output: Path,
    *,
    title: str,
    negatives: Sequence[NegativeArticle] = (),
    about: Mapping[str, str] | None = None,
) -> Report:
    """Score a model and its baselines on held-out documents and write the report.

    Args:
        negatives: further held-out articles, on which only false relations are counted.
        about: more lines for the report's heading.

    Raises:
        QuanheError: the model has seen one of them, or they are labelled with types that it does not know.
    """
    all_documents = [*documents, *(article.document for article in negatives)]
    check_unseen(all_documents, manifest)
    check_types(all_documents, model.schema)
    with_words(documents, model.splitter)
    readings = NegativeReadings()
    read_negatives(model, negatives, readings)
    systems = model.systems()
    on_gold = {
        name: run_system(extractor.on_given_mentions(), documents, given_mentions=True)
        for name, extractor in systems.items()
    }
    return write_report(
        output,
        {name: run_system(extractor, documents) for name, extractor in systems.items()},
        model.schema,
        model.config.evaluation,
        seen_pairs=frozenset(manifest.seen_pairs),
        on_gold=on_gold if model.schema.relations else None,
        negatives=readings if negatives else None,
        seed=model.config.seed,
        title=f"quanhe: {title}",
        about={
            "model": f"{manifest.name}, config {manifest.config_hash}, quanhe {manifest.quanhe}",
            "encoder": manifest.encoder,
            "trained on": f"{len(manifest.training.articles)} articles",
            **_losses(model, documents),
            **about_negatives(negatives),
            **(about or {}),
        },
    )


def _losses(model: Model, documents: Sequence[Document]) -> dict[str, str]:
    """What no model could find any more: spans lost to segmentation, relations lost to distance and to the rules."""
    mentions = sum(len(document.mentions) for document in documents)
    kept = sum(len(surviving(document.mentions, document.words)) for document in documents)
    losses = {"gold spans that are whole words": f"{kept} of {mentions}; the others count as misses"}
    if model.relations:
        far, outside = map(sum, zip(*(model.relations.out_of_reach(document) for document in documents), strict=True))
        excluded = sum(count_excluded(document.relations, model.schema) for document in documents)
        total_relations = sum(len(document.relations) for document in documents)
        losses["gold relations out of reach"] = (
            f"{far} of {total_relations} further apart than candidates may be, {outside} in no window; all are misses"
        )
        losses["gold relations excluded by others"] = (
            f"{excluded} of {total_relations}, of those that share a mention against one_head or one_tail all but one; "
            "all are misses"
        )
    return losses
