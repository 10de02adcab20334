"""The part of the suite that another computer can break, run as on such a computer: the places of tests/elsewhere.py."""

import pytest

from tests.elsewhere import ELSEWHERE, run


@pytest.mark.long
@pytest.mark.parametrize("place", ELSEWHERE, ids=lambda place: place.name)
def test_the_tests_pass_elsewhere(place):
    result = run(place)
    if result.missing:
        pytest.skip(f"ELSEWHERE NOT RUN: {place.what}: {result.missing}")
    assert not result.failed, result.printed
