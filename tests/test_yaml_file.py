"""YAML with line numbers, checked by pydantic."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from pipeline.errors import ProblemsError, QuanheError
from pipeline.yaml_file import load_model, read_yaml


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rate: float = 0.1
    names: tuple[str, ...] = ()


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    inner: Inner = Inner()
    parts: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = {}

    @model_validator(mode="after")
    def _titled(self) -> Outer:
        if self.title == "wrong":
            raise ValueError("the title is wrong")
        return self


def write(tmp_path, text: str):
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path, text: str) -> list[str]:
    """``line: message`` of each problem."""
    with pytest.raises(ProblemsError) as raised:
        load_model(write(tmp_path, text), Outer)
    return [f"{problem.line}: {problem.message}" for problem in raised.value.problems]


def test_plain_values_of_yaml_1_2(tmp_path):
    text = "a: 1e-5\nb: no\nc: yes\nd: 0x10\ne: 012\nf: null\ng: true\nh: [1, x]\ni: {j: 2.5}\nk: 'no'\nl: 1_000\n"
    data, _ = read_yaml(write(tmp_path, text))
    assert data["a"] == 1e-5
    assert (data["b"], data["c"], data["k"]) == ("no", "yes", "no")
    assert (data["f"], data["g"], data["h"], data["i"]) == (None, True, [1, "x"], {"j": 2.5})
    kinds = {type(value) for value in (data["a"], data["b"], data["i"], data["h"], *data["h"])}
    assert kinds == {float, str, dict, list, int}  # plain ones, not ruamel's subclasses


def test_every_key_and_item_knows_its_line(tmp_path):
    _, places = read_yaml(write(tmp_path, "# comment\na:\n  b: 1\n\n  c:\n    - x\n    - {d: 2}\n"))
    lines = {".".join(map(str, location)): line for location, (_, line) in places.items()}
    assert lines == {"": 1, "a": 2, "a.b": 3, "a.c": 5, "a.c.0": 6, "a.c.1": 7, "a.c.1.d": 7}


def test_an_empty_file_is_an_empty_mapping(tmp_path):
    assert read_yaml(write(tmp_path, "# nothing\n"))[0] == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1,\nb: 2\n", r"a\.yaml:\d: not valid YAML"),
        ("a: 1\na: 2\n", r"a\.yaml:2: not valid YAML"),
        ("- a\n- b\n", r"a\.yaml:1: a mapping of keys to values is needed here, not CommentedSeq"),
        ("just text\n", r"a\.yaml:1: a mapping"),
        ("a: \x07\n", r"a\.yaml: not valid YAML"),
    ],
)
def test_what_is_no_mapping_in_yaml(tmp_path, text, message):
    with pytest.raises(QuanheError, match=message):
        read_yaml(write(tmp_path, text))


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(QuanheError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(QuanheError, match="not UTF-8"):
        read_yaml(tmp_path / "b.yaml")


def test_all_mistakes_at_once_with_their_lines(tmp_path):
    found = problems(tmp_path, "inner:\n  rate: fast\n  nmaes: [a]\nby_name: {a: {rate: 1}}\nx: 1\n")
    assert found == [
        "1: title is missing",
        "2: inner.rate: input should be a valid number, unable to parse string as a number (found 'fast')",
        "3: unknown key inner.nmaes; did you mean names?",
        "5: unknown key x; known here: title, inner, parts, by_name",
    ]


def test_the_nearest_name_is_found_inside_lists_and_mappings(tmp_path):
    text = "title: a\nparts:\n  - rate: 1\n  - {raet: 1}\nby_name:\n  one: {name: [x]}\n"
    assert problems(tmp_path, text) == [
        "4: unknown key parts.1.raet; did you mean rate?",
        "6: unknown key by_name.one.name; did you mean names?",
    ]


def test_what_a_model_checks_itself_is_said_in_its_words(tmp_path):
    assert problems(tmp_path, "title: wrong\n") == ["1: the title is wrong"]


def test_a_good_file(tmp_path):
    loaded = load_model(write(tmp_path, "title: t\ninner: {rate: 1e-5, names: [no]}\n"), Outer)
    assert loaded == Outer(title="t", inner=Inner(rate=1e-5, names=("no",)))
