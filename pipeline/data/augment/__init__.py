"""Changed copies of labelled articles, for training only: other names, countries, dates, spellings, same labels."""

from pipeline.data.augment.run import augment, training_copies

__all__ = ["augment", "training_copies"]
