"""The bad text is found and stands alone; faults of the model itself are nobody's text."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import Fatal, Poison
from worker.facts import ModelFacts
from worker.stream.isolation import classify_isolating, encode_isolating, score_isolating
from worker.types import Classification, ModelIdentity, TextFacts, Unscorable
from worker.verdicts import ThresholdSet


class Text(NamedTuple):
    number: int
    fault: type[BaseException] | None = None
    tokens: int = 1


class PanicException(BaseException):
    """As a panic in an extension written in Rust comes: it is no `Exception`."""


FAULTS: dict[str, type[BaseException]] = {
    "bad": ValueError,
    "panic": PanicException,
    "memory": MemoryError,
    "fatal": Fatal,
    "interrupt": KeyboardInterrupt,
}


class FragileModel:
    """Fails as a whole when any text of the batch does, as a padded batch would."""

    labels = ("toxic",)
    identity = ModelIdentity("fragile", None, "sha256:" + "0" * 64, "float32")
    thresholds = ThresholdSet("default@1", {"toxic": 0.5})
    view = None
    pass_tokens = 2048
    lanes = 1

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, texts: Sequence[str]) -> list[Text]:
        for text in texts:
            if fault := FAULTS.get(text):
                raise fault(text)
        return [Text(int(text)) for text in texts]

    def score(self, encoded: Sequence[Text]) -> list[Classification | Unscorable]:
        self.calls += 1
        for text in encoded:
            if text.fault:
                raise text.fault(*["words of the text"])
        return [Classification({"toxic": text.number / 1000}, (), TextFacts(1, 1, False)) for text in encoded]

    def facts(self) -> ModelFacts:
        return ModelFacts()


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_only_the_bad_texts_are_unscorable_and_the_order_is_kept(bad: list[bool]) -> None:
    texts = [Text(number, Poison if is_bad else None) for number, is_bad in enumerate(bad)]
    results = score_isolating(FragileModel(), texts)
    assert len(results) == len(texts)
    for number, (is_bad, result) in enumerate(zip(bad, results, strict=True)):
        if is_bad:
            assert isinstance(result, Unscorable)
        else:
            assert isinstance(result, Classification)
            assert result.scores["toxic"] == number / 1000


def test_one_bad_text_among_many_costs_few_calls() -> None:
    model = FragileModel()
    texts = [Text(number, ValueError if number == 77 else None) for number in range(256)]
    score_isolating(model, texts)
    assert model.calls <= 1 + 2 * 8


def test_a_poison_gives_its_words_and_the_class_of_its_cause() -> None:
    class Broken(FragileModel):
        def score(self, encoded: Sequence[Text]) -> list[Classification | Unscorable]:
            del encoded
            raise Poison(*["the forward pass failed: [1, 512]"]) from RuntimeError("shapes")

    (result,) = classify_isolating(Broken(), ["0"])
    assert isinstance(result, Unscorable)
    assert result.error == "RuntimeError"
    assert result.reason.endswith("alone: the forward pass failed: [1, 512]")


@given(st.lists(st.sampled_from(["0", "1", "bad", "panic"]), max_size=20))
def test_what_tokenizer_and_model_made_of_each_text_comes_back_in_order(texts: list[str]) -> None:
    results = classify_isolating(FragileModel(), texts)
    assert [isinstance(result, Unscorable) for result in results] == [text in FAULTS for text in texts]


def test_a_reason_does_not_quote_what_the_model_said() -> None:
    (result,) = score_isolating(FragileModel(), [Text(0, ValueError)])
    assert isinstance(result, Unscorable)
    assert result.error == "ValueError"
    assert "words" not in result.reason


@pytest.mark.parametrize("fault", [Fatal, MemoryError, KeyboardInterrupt])
def test_a_fault_of_the_model_itself_is_never_blamed_on_a_text(fault: type[BaseException]) -> None:
    model = FragileModel()
    with pytest.raises(fault):
        score_isolating(model, [Text(0), Text(1, fault)])
    assert model.calls == 1


@given(st.lists(st.sampled_from(["0", "1", "bad", "panic"]), min_size=1, max_size=40))
def test_texts_that_the_tokenizer_fails_on_stand_alone_and_the_order_is_kept(texts: list[str]) -> None:
    encoded = encode_isolating(FragileModel(), texts)
    assert len(encoded) == len(texts)
    for text, one in zip(texts, encoded, strict=True):
        if text in FAULTS:
            assert isinstance(one, Unscorable)
            assert one.error == FAULTS[text].__name__
            assert text not in one.reason
        else:
            assert isinstance(one, Text)
            assert one.number == int(text)


@pytest.mark.parametrize("fault", ["memory", "fatal", "interrupt"])
def test_what_no_text_is_to_blame_for_ends_tokenizing(fault: str) -> None:
    with pytest.raises(FAULTS[fault]):
        encode_isolating(FragileModel(), ["1", fault])
