"""The hash of the code behind a result."""

import ast
import hashlib

import pytest
from fake_lab import Lab

from lecture10.sources import imported, module_hash


@pytest.fixture
def lab(tmp_path, monkeypatch) -> Lab:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    return Lab(tmp_path, f"lab_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}")


@pytest.fixture
def code(lab):
    return lambda: module_hash(f"{lab.package}.toy")


def test_comments_formatting_and_docstrings_do_not_count(lab, code):
    before = code()
    lab.helper('"""Now documented."""\n\n# and explained\nGAIN   =  (0.1)\n')
    lab.toy(doc=('"""Two variants that share their luck."""', '"""Otherwise."""'))
    assert code() == before


def test_a_number_in_an_imported_module_counts(lab, code):
    before = code()
    lab.helper("GAIN = 0.2")
    assert code() != before
    lab.helper()
    assert code() == before


def test_the_experiment_itself_counts_and_the_wording_of_its_claim_does_not(lab, code):
    before = code()
    lab.toy(says="Something else.", margin=0.5)
    assert code() == before
    lab.toy(change=("0.01", "0.02"))
    assert code() != before


@pytest.mark.parametrize(
    "line",
    [
        "from {package}.deep.inner import X",
        "from {package}.deep import inner",
        "import {package}.deep.inner",
        "from .deep import inner",
        "from .deep.inner import X",
        "def later():\n    from {package}.deep import inner",
    ],
)
def test_every_form_of_import_is_followed(lab, code, line):
    lab.write("deep/__init__", "")
    lab.write("deep/inner", "X = 1")
    lab.helper("GAIN = 0.1\n" + line.format(package=lab.package))
    before = code()
    assert f"{lab.package}.deep.inner" in imported(f"{lab.package}.toy")
    lab.write("deep/inner", "X = 2")
    assert code() != before


def test_a_package_counts_only_where_a_name_is_taken_from_it(lab, code):
    lab.write("deep/__init__", "from .other import Y")
    lab.write("deep/inner", "X = 1")
    lab.write("deep/other", "Y = 1")
    lab.helper(f"GAIN = 0.1\nfrom {lab.package}.deep import inner")
    before = code()
    lab.write("deep/other", "Y = 2")
    assert code() == before
    lab.helper(f"GAIN = 0.1\nfrom {lab.package}.deep import inner, Y")
    before = code()
    lab.write("deep/other", "Y = 3")
    assert code() != before


def test_what_is_imported_for_type_checkers_does_not_count(lab, code):
    lab.write("deep/inner", "X = 1")
    types = f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from {lab.package}.deep import inner\n"
    lab.helper(f"GAIN = 0.1\n{types}")
    before = code()
    lab.write("deep/inner", "X = 2")
    assert code() == before


def test_rendering_does_not_make_a_language_model_stale():
    found = imported("lecture10.experiments.gpt1_scaling")
    assert {"lecture10.layers", "lecture10.training.loop", "lecture10.world.corpus"} <= set(found)
    assert not {"lecture10", "lecture10.exercises", "lecture10.plots.figure"} & set(found)
    assert not {"lecture10.world.render", "lecture10.world.cast", "lecture10.recipes.gpt1"} & set(found)


def test_imports_in_a_circle_end(lab, code):
    lab.helper(f"GAIN = 0.1\nfrom {lab.package} import toy")
    assert len(imported(f"{lab.package}.toy")) == 2


def test_of_this_package_it_follows_what_makes_rows_and_not_what_judges_them(lab):
    lab.helper("GAIN = 0.1\nfrom lecture10.files import sha256\nimport numpy")
    found = {name for name in imported(f"{lab.package}.toy") if not name.startswith(lab.package)}
    assert found == {"lecture10.files"}


def test_a_module_without_source_is_refused():
    with pytest.raises(FileNotFoundError, match=r"'lecture10\.nothing'"):
        module_hash("lecture10.nothing")


def test_fields_that_came_with_later_pythons_do_not_count():
    from lecture10.sources import _dump

    tree = ast.parse("def f(x): return x")
    plain = _dump(tree)
    tree.body[0].type_params = []  # 3.12 and later
    assert _dump(tree) == plain
    assert "ctx" not in plain
