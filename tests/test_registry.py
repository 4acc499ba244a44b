"""The experiments: found without importing them, loaded by claim or by name, summed up for a notebook."""

import hashlib
import subprocess
import sys

import pytest
from fake_lab import Lab

from lecture10 import experiments
from lecture10.claims import Row
from lecture10.experiments import all_claims, load, names, summary
from lecture10.results import Run, Store
from lecture10.sources import module_hash


@pytest.fixture
def lab(tmp_path, monkeypatch) -> Lab:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    return Lab(tmp_path, f"lab_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}")


def test_names_are_found_without_importing(lab):
    lab.write("_shared", "raise SystemError('imported')")
    lab.write("broken", "raise SystemError('imported')")
    assert names(lab.package) == ["broken", "toy"]
    assert f"{lab.package}.toy" not in sys.modules


def test_the_courses_own_are_light_to_list():
    code = (
        "import sys; from lecture10.experiments import names; names();"
        "print([m for m in ('torch', 'pandas', 'numpy') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_courses_own_claims_are_sound():
    claims = all_claims()
    assert len({claim.name for claim in claims}) == len(claims)
    for experiment in experiments.everything():
        assert len(module_hash(experiment.module)) == 12


@pytest.mark.parametrize("name", ["toy", "toy.gain"])
def test_by_its_own_name_or_its_claims(lab, name):
    found = load(name, lab.package)
    assert (found.name, found.seeds, found.minutes) == ("toy", 5, 1.0)
    assert [claim.name for claim in found.claims] == ["toy.gain"]


def test_an_unknown_name_gets_the_nearest(lab):
    with pytest.raises(KeyError, match=r"did you mean 'toy\.gain'"):
        load("toy.gane", lab.package)


def test_what_is_no_experiment_is_refused(lab):
    lab.write("toy", "CLAIM = 'bigger is better'")
    with pytest.raises(ValueError, match=r"toy is no experiment: it needs CLAIM or CLAIMS"):
        load("toy", lab.package)


def test_two_claims_of_one_name_are_refused(lab):
    lab.write("twin", (lab.folder / lab.package / "toy.py").read_text())
    with pytest.raises(ValueError, match=r"'toy\.gain' is made twice: in toy and in twin"):
        all_claims(lab.package)


def test_a_summary_for_a_notebook(lab):
    assert summary("toy.gain", lab.results, lab.package).word == "not measured"
    experiment = load("toy.gain", lab.package)
    store, code = Store(lab.results), module_hash(experiment.module)
    for seed in range(5):
        hashes = {claim.name: claim.hash() for claim in experiment.claims}
        store.add("toy", experiment.run(seed), Run("now", code, 1.0, hashes), experiment.claims)
    for name in ("toy.gain", "toy"):
        found = summary(name, lab.results, lab.package)
        assert (found.word, found.marks()) == ("shown", [])
        assert len(found.rows) == 10
    assert isinstance(found.used[0], Row)
