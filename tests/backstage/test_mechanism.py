"""Mechanism cells: the package's own source text, taken without running it."""

import pytest
from specimen import code

from lecture10.backstage.book import BookError
from lecture10.backstage.mechanism import definition, mechanism_source, same_tree

MODULE = '''"""A module."""

import math

SCALE: float = 0.5  # why


def first(x):
    # a comment inside stays
    return x


class Net:
    """A net."""

    @staticmethod
    def attend(
        q,
    ):
        """Attend."""
        return math.sqrt(q)

    def forward(self): return 1
'''


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    name = f"specimen_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE + "\nraise SystemExit('it was imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_a_function_keeps_its_comments(module):
    assert definition(f"{module}:first") == "def first(x):\n    # a comment inside stays\n    return x"


def test_a_method_comes_with_its_decorator_and_without_its_indentation(module):
    text = definition(f"{module}:Net.attend")
    assert text.startswith("@staticmethod\ndef attend(\n    q,\n):\n")
    assert text.endswith("    return math.sqrt(q)")


def test_a_class_and_a_constant(module):
    assert definition(f"{module}:Net").startswith('class Net:\n    """A net."""')
    assert definition(f"{module}:SCALE") == "SCALE: float = 0.5  # why"


def test_a_cell_joins_its_imports_and_several_definitions(module):
    cell = code("", "mechanism", source=[f"{module}:SCALE", f"{module}:first"], imports=["import math"])
    source = mechanism_source(cell)
    assert source.startswith("import math\n\n\nSCALE: float = 0.5  # why\n\n\ndef first(x):")
    assert same_tree(source, source.replace("    # a comment inside stays\n", ""))
    assert not same_tree(source, source.replace("return x", "return -x"))


def test_a_docstring_is_part_of_a_mechanism(module):
    text = definition(f"{module}:Net")
    assert not same_tree(text, text.replace("A net.", "Another net."))
    assert not same_tree(text, "class Net:")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{}:frist", "did you mean 'first'"),
        ("{}:Net.atend", "did you mean 'attend'"),
        ("{}:first.x", "there is no definition"),
        ("{}_gone:first", "there is no module"),
        ("lecture10.nowhere.at.all:x", "there is no module"),
        ("{}", "is not module:name"),
    ],
)
def test_what_the_package_does_not_have_is_told_with_the_nearest_name(source, told, module):
    with pytest.raises(BookError, match=told):
        definition(source.format(module))
