"""The part of the suite that another computer can break, run as on such a computer: the places of tools/elsewhere.py."""

import re

import pytest

from tools.elsewhere import ELSEWHERE, run
from tools.running import ROOT


@pytest.mark.check
def test_what_a_place_runs_has_that_name():
    for place in ELSEWHERE:
        for file, test in re.findall(r"(tests/[\w/]+\.py)::(\w+)", place.part):
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{place.name}: {file} has no {test}."


@pytest.mark.long
@pytest.mark.parametrize("place", ELSEWHERE, ids=lambda place: place.name)
def test_the_tests_pass_elsewhere(place):
    result = run(place)
    if result.missing:
        pytest.skip(f"ELSEWHERE NOT RUN: {place.what}: {result.missing}")
    assert not result.failed, result.printed
