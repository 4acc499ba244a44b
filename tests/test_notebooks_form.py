"""The course's notebooks have the form of the course.

Their stored outputs are held against fresh ones by nbval in strict mode, as `make test` does:

    pytest --nbval --nbval-current-env --nbval-cell-timeout=180 \\
        --nbval-sanitize-with tests/nbval_sanitize.cfg notebooks
"""

from pathlib import Path

import pytest

from lecture10.backstage.book import find_books
from lecture10.backstage.lint import lint, lint_all
from lecture10.paths import notebooks_folder

NOTEBOOKS = sorted(notebooks_folder().glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_lint_finds_nothing(path: Path):
    assert [str(finding) for finding in lint(path)] == []


def test_the_course_has_notebooks_and_fits_into_its_time():
    paths = find_books()
    assert [finding for finding in lint_all(paths) if finding.rule == "all-minutes"] == []
