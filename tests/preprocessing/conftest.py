import pytest
from three_acts import run


@pytest.fixture
def federate():
    return run
