"""A line fits its terminal, from wide to narrow, and what does not fit is counted rather than pushed aside."""

import pytest

from testkit.outcomes import published
from worker.terminal.columns import WIDE, cut, verdict
from worker.terminal.rendering import event_line, heading_line

SCORES = {"toxic": 0.978, "obscene": 0.538, "insult": 0.941, "threat": 0.95}


@pytest.mark.parametrize("columns", [40, 60, 80, 100, WIDE])
def test_an_event_with_many_labels_stays_within_the_terminal(columns: int) -> None:
    found = published(0, 0, "toxic", "insult").event
    comment = {"id": "a-very-long-id-of-a-comment", "text": "words " * 40}
    event = found.model_copy(update={"labels": list(SCORES), "flagged": True, "scores": SCORES, "comment": comment})
    line = event_line(event, columns)
    assert len(line) <= columns or columns == WIDE
    assert "toxic 0.98" in line
    assert "words" in line
    assert len(heading_line(columns)) <= columns


def test_all_labels_stand_in_their_order_where_there_is_room() -> None:
    assert verdict(["toxic", "obscene", "insult"], SCORES, 48) == "toxic 0.98, obscene 0.54, insult 0.94"


def test_the_highest_stay_and_the_rest_is_counted_where_there_is_not() -> None:
    assert verdict(["toxic", "obscene", "insult"], SCORES, 32) == "toxic 0.98, insult 0.94 +1"
    assert verdict(["toxic", "obscene", "insult"], SCORES, 16) == "toxic 0.98 +2"
    assert verdict(["identity_hate", "toxic"], {"identity_hate": 0.99, "toxic": 0.5}, 16) == "identity_hat… +1"


def test_a_text_without_labels_shows_its_highest_score() -> None:
    assert verdict([], {"toxic": 0.1, "insult": 0.3}, 48) == "- (insult 0.30)"


def test_control_characters_never_reach_the_terminal() -> None:
    assert cut("a\x1b[31mb\nc", 20) == "a [31mb c"
