"""Tests of the refusals: what a user reads must help the user."""

import re

import pytest

from matching.reasons import Reason

OPENING = re.compile(
    r"(a|an|the|there|this|these|only|all|mark|a post-only|price|margin|borrowing|too|orders|log|"
    r"what|digits) "
)


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name)
def test_a_text_is_a_fragment_of_a_sentence_that_says_what_is_wrong(reason: Reason) -> None:
    text = reason.value
    assert text[0].islower(), "it follows a colon, so it begins small"
    assert text[-1].isalnum(), "the sentence around it ends it"
    assert OPENING.match(text), "it has a subject"
    assert 3 <= len(text.split()) <= 16, "it is short, and no mere word"
    assert "  " not in text
    assert "_" not in text.replace("._:/-", ""), "codes are not prose"


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name)
def test_a_code_is_upper_case_words(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", reason.name)


def test_no_two_refusals_read_alike() -> None:
    assert len({reason.value for reason in Reason}) == len(Reason)
