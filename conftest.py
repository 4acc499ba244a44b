"""`pytest --nbval`: the kernels get the environment in which `notebooks refresh` made the stored outputs."""

import os
from contextlib import ExitStack
from unittest import mock

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """CPU, two threads, one hash seed, an empty home; put back when the session ends."""
    if not config.getoption("nbval", default=False):
        return
    from lecture10.backstage.kernel import clean_environment

    stack = ExitStack()
    env = stack.enter_context(clean_environment(cpu=True))
    stack.enter_context(mock.patch.dict(os.environ, env, clear=True))
    config.add_cleanup(stack.close)
