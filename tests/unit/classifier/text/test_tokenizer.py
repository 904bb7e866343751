"""Tokens are those of transformers, on any thread, and a huge text costs no more than its windows."""

import itertools
import threading
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testkit.checkpoints import SENTENCES, Checkpoints
from worker.classifier import Classifier
from worker.classifier.text.tokenizer import TextTokenizer

KINDS = ["bert", "roberta", "xlm-roberta"]


def plain(folder: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("architecture", KINDS)
def test_tokens_are_those_of_transformers(architecture: str, checkpoints: Checkpoints) -> None:
    expected = [list(ids) for ids in plain(checkpoints(architecture))(list(SENTENCES))["input_ids"]]
    texts = TextTokenizer.of_checkpoint(plain(checkpoints(architecture)))
    got = [[*texts.prefix, *ids, *texts.suffix] for ids in texts.encode(SENTENCES, 10_000)]
    assert got == expected
    assert texts.prefix
    assert texts.suffix


@pytest.mark.parametrize("architecture", KINDS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.sampled_from([" ", "\n" * 40, "stupid ", "x" * 150, "edit", "🙂", "你好", " é", "."]), max_size=60
    ),
    repeats=st.integers(1, 60),
    capacity=st.integers(1, 40),
)
def test_cutting_characters_never_changes_the_tokens_within_the_capacity(
    architecture: str, parts: list[str], repeats: int, capacity: int, checkpoints: Checkpoints
) -> None:
    text = "".join(parts) * repeats
    texts = TextTokenizer.of_checkpoint(plain(checkpoints(architecture)))
    (whole,) = texts.encode([text], 10**9)
    (cut,) = texts.encode([text], capacity)
    assert cut[:capacity] == whole[:capacity]
    assert (len(cut) > capacity) == (len(whole) > capacity)


def test_a_text_whose_start_makes_few_tokens_is_read_on(checkpoints: Checkpoints) -> None:
    texts = TextTokenizer.of_checkpoint(plain(checkpoints("bert")))
    (ids,) = texts.encode([" " * 500_000 + "you are stupid"], 100)
    assert ids == texts.encode(["you are stupid"], 100)[0]
    assert ids


def test_no_more_than_the_first_characters_of_a_huge_text_are_tokenized(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = plain(bert)
    texts = TextTokenizer.of_checkpoint(tokenizer)
    seen: list[int] = []
    raw_ids = texts._raw_ids

    def counted(texts: list[str]) -> list[list[int]]:
        seen.extend(map(len, texts))
        return raw_ids(texts)

    monkeypatch.setattr(texts, "_raw_ids", counted)
    (ids,) = texts.encode(["stupid edit " * 100_000], 510)
    assert len(ids) > 510
    assert sum(seen) < 10_000


def test_spelled_special_tokens_do_not_reach_the_model(checkpoints: Checkpoints) -> None:
    for architecture in KINDS:
        tokenizer = plain(checkpoints(architecture))
        spelled = " ".join(tokenizer.all_special_tokens)
        special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
        assert special & set(tokenizer(spelled, add_special_tokens=False)["input_ids"]), "plain transformers obeys them"
        (ids,) = TextTokenizer.of_checkpoint(tokenizer).encode([f"you {spelled} jerk"], 100)
        assert ids
        assert not special & set(ids)


@pytest.mark.parametrize("architecture", KINDS)
def test_another_use_of_the_checkpoints_tokenizer_changes_nothing(architecture: str, checkpoints: Checkpoints) -> None:
    tokenizer = plain(checkpoints(architecture))
    texts = TextTokenizer.of_checkpoint(tokenizer)
    text = f"you {tokenizer.sep_token} jerk"
    before = texts.encode([text], 100)

    tokenizer(text, truncation=True, max_length=4, padding="max_length", split_special_tokens=False)

    assert texts.encode([text], 100) == before


def test_lone_surrogates_are_read_as_replacement_characters(classifier: Classifier) -> None:
    broken, replaced, fine = classifier.classify(["you \ud83d jerk", "you \ufffd jerk", "you jerk"])
    assert broken.scores == replaced.scores
    assert fine.scores == pytest.approx(classifier.classify(["you jerk"])[0].scores, abs=1e-5)


def test_a_tokenizer_without_a_fast_backend_reads_only_structural_tokens_as_characters() -> None:
    tokenizer = transformers.CanineTokenizer()  # type: ignore[no-untyped-call] # untyped in the package
    tokenizer.add_tokens(["@usuario"])
    texts = TextTokenizer.of_checkpoint(tokenizer)
    assert [[*texts.prefix, *ids, *texts.suffix] for ids in texts.encode(SENTENCES, 500)] == [
        tokenizer(text)["input_ids"] for text in SENTENCES
    ]
    (ids,) = texts.encode([f"a @usuario {tokenizer.sep_token}"], 50)
    assert ids == [ord("a"), ord(" "), tokenizer.convert_tokens_to_ids("@usuario"), ord(" ")]


MARKERS = ("[USER]", "<url>", "@usuario")


@pytest.mark.parametrize("architecture", KINDS)
def test_markers_that_a_checkpoint_was_trained_on_are_read_as_it_reads_them(
    architecture: str, checkpoints: Checkpoints
) -> None:
    """simpletransformers, pysentimiento and others register them as special tokens."""
    tokenizer = plain(checkpoints(architecture))
    tokenizer.add_special_tokens({"additional_special_tokens": list(MARKERS)})
    tokenizer.add_tokens(["😡"])
    texts = TextTokenizer.of_checkpoint(tokenizer)
    text = "[USER] you are a stupid jerk @usuario <url> 😡 go away"
    assert texts.whole([text]) == [tokenizer(text)["input_ids"]]
    structural = tokenizer.sep_token
    (ids,) = texts.encode([f"[USER] {structural} jerk"], 50)
    assert tokenizer.convert_tokens_to_ids("[USER]") in ids
    assert tokenizer.convert_tokens_to_ids(structural) not in ids


def test_an_added_token_without_an_embedding_is_read_as_characters(bert: Path) -> None:
    tokenizer = plain(bert)
    rows = len(tokenizer)
    expected = TextTokenizer.of_checkpoint(plain(bert)).encode(["you <url> jerk"], 50)
    tokenizer.add_tokens(["<url>"])
    assert TextTokenizer.of_checkpoint(tokenizer, rows).encode(["you <url> jerk"], 50) == expected


def test_encoding_beside_scoring_and_beside_itself_gives_the_same_results(classifier: Classifier) -> None:
    texts = [" ".join(pair) for pair in itertools.product(SENTENCES, repeat=2)]
    expected_windows = [encoded.windows for encoded in classifier.encode(texts)]
    expected = classifier.classify(texts[:20])
    wrong: list[str] = []

    def encode() -> None:
        rounds = [[encoded.windows for encoded in classifier.encode(texts)] for _ in range(20)]
        wrong.extend("encode" for windows in rounds if windows != expected_windows)

    threads = [threading.Thread(target=encode) for _ in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if classifier.classify(texts[:20]) != expected:
            wrong.append("score")
            break
    for thread in threads:
        thread.join()
    assert wrong == []
