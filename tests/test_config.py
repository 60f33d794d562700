"""Configs: files that extend files, overrides, and every mistake at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import Config, Source, load_config
from pipeline.errors import ProblemsError, QuanheError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "c.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(ProblemsError) as raised:
        load_config(path, overrides)
    return [str(problem) for problem in raised.value.problems]


def test_settings_that_are_not_given_are_the_defaults(write):
    assert load_config(write("seed: 7\n")) == Config(seed=7)


def test_a_file_extends_another_key_by_key(write):
    write("name: base\nseed: 1\nentities: {epochs: 3, batch: 2}\ndata: {train: [a, b]}\n", "base.yaml")
    middle = write("extends: ../base.yaml\nentities: {epochs: 5}\n", "sub/middle.yaml")
    config = load_config(write("extends: sub/middle.yaml\nname: top\ndata: {train: c}\n"))
    assert (config.name, config.seed, config.entities.epochs, config.entities.batch) == ("top", 1, 5, 2)
    assert config.data.train == (Source(path=Path("c")),)  # lists are replaced, not joined
    assert load_config(middle).name == "base"


def test_overrides_go_before_the_file(write):
    path = write("entities: {epochs: 3}\ndata: {train: a}\n")
    config = load_config(
        path, ["entities.learning_rate=1e-5", "name=no", "data.dev=[x, {path: y, skip: [1a]}]", "seed=2"]
    )
    assert config.entities.learning_rate == 1e-5
    assert config.entities.epochs == 3
    assert config.name == "no"
    assert config.data.dev == (Source(path=Path("x")), Source(path=Path("y"), skip=("1a",)))
    assert config.data.train == (Source(path=Path("a")),)
    assert config.seed == 2


def test_numbers_and_words_are_those_of_yaml_1_2(write):
    config = load_config(write("name: no\nentities: {learning_rate: 1e-5, head_learning_rate: 1E-3}\n"))
    assert (config.name, config.entities.learning_rate, config.entities.head_learning_rate) == ("no", 1e-5, 1e-3)


def test_three_mistakes_are_reported_at_once_with_file_and_line(write):
    base = write("relations:\n  encodng: markers\n", "base.yaml")
    top = write("extends: base.yaml\n\nentities:\n  epochs: 0\ntext: {segmenter: jieba}\n")
    assert problems(top) == [
        f"{base}:2: unknown key relations.encodng; did you mean encoding?",
        f"{top}:4: entities.epochs: input should be greater than or equal to 1 (found 0)",
        f"{top}:5: text.segmenter: input should be 'underthesea-crf' or 'syllables' (found 'jieba')",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sede: 1\n", "unknown key sede; did you mean seed?"),
        ("shema: a.yaml\n", "unknown key shema; did you mean schema?"),
        ("data:\n  train:\n    - {path: a, text: b}\n", "unknown key data.train.0.text; did you mean texts?"),
        ("encoder: 5\n", "encoder: input should be a valid string (found 5)"),
        ("windows: {pieces: 8}\n", "windows.pieces: input should be greater than or equal to 16 (found 8)"),
        ("data: {train: [{texts: a}]}\n", "data.train.0.path is missing"),
    ],
)
def test_one_mistake(write, text, message):
    (problem,) = problems(write(text))
    assert problem.endswith(f": {message}")


def test_a_mistake_in_an_override_is_named_as_such(write):
    path = write("seed: 1\n")
    assert problems(path, "entities.epoch=3", "seed=x") == [
        "override 'entities.epoch=3': unknown key entities.epoch; did you mean epochs?",
        "override 'seed=x': seed: input should be a valid integer, unable to parse string as an integer (found 'x')",
    ]


@pytest.mark.parametrize("override", ["seed", "=3", "seed=[1", " =1"])
def test_an_override_that_cannot_be_read(write, override):
    with pytest.raises(QuanheError, match="override"):
        load_config(write("seed: 1\n"), [override])


def test_files_that_extend_each_other(write):
    write("extends: c.yaml\n", "b.yaml")
    with pytest.raises(QuanheError, match="extends itself"):
        load_config(write("extends: b.yaml\n"))
    with pytest.raises(QuanheError, match="extends itself"):
        load_config(write("extends: d.yaml\n", "d.yaml"))


@pytest.mark.parametrize("extends", ["none.yaml", "[a, b]"])
def test_a_base_that_is_not_there(write, extends):
    path = write(f"seed: 1\nextends: {extends}\n")
    with pytest.raises(QuanheError, match=r"c\.yaml:2: extends:"):
        load_config(path)


def test_a_config_that_is_not_there(tmp_path):
    with pytest.raises(QuanheError, match=r"none\.yaml: cannot be read"):
        load_config(tmp_path / "none.yaml")


def test_equal_settings_have_equal_hashes(write):
    short = load_config(write("seed: 13\n"))
    assert short.hash == Config().hash
    assert len(short.hash) == 12
    for override in ("seed=14", "entities.epochs=99", "data.train=x", "schema=other.yaml"):
        assert load_config(write(""), [override]).hash != short.hash


def test_resolved_settings_read_back_are_the_same(write):
    import json

    config = load_config(write("schema: s.yaml\ndata: {train: {path: a, texts: b, only: [x]}}\nentities: {batch: 2}\n"))
    again = load_config(write(json.dumps(config.resolved()), "again.yaml"))
    assert again == config
    assert again.hash == config.hash
    assert config.resolved()["schema"] == "s.yaml"


CONFIGS = sorted(path for path in (ROOT / "configs").glob("*.yaml") if path.name != "distil.yaml")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_configs_of_the_repo(path):
    config = load_config(path)
    assert (ROOT / config.schema_file).is_file()
    sources = [*config.data.train, *config.data.dev, *config.data.test, *config.data.negatives]
    assert all((ROOT / source.path).exists() for source in sources)
    if path.name == "phobert-base.yaml":
        assert config.encoder == "vinai/phobert-base"
        assert config.data == load_config(ROOT / "configs" / "default.yaml").data
    else:
        assert (ROOT / config.encoder / "model.safetensors").is_file()
