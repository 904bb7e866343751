from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers

from benchmarks.engine_process import ENGINES, available
from benchmarks.engines.serving import padded, score
from benchmarks.padded_batches import PACK_TOKENS
from benchmarks.rounds import Spent, run_rounds


def test_scores_are_in_the_order_of_the_texts_and_batches_within_the_limit() -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "word": 1}, unk_token="[UNK]"))  # noqa: S106 - a vocabulary
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    lengths = [number * 37 % 500 + 1 for number in range(60)]
    batches: list[list[int]] = []

    def logits(batch: list[list[int]]) -> NDArray[np.float32]:
        batches.append([len(ids) for ids in batch])
        return np.array([[len(ids) / 100] for ids in batch], dtype=np.float32)

    found = score(tokenizer, logits, ["word " * length for length in lengths])

    expected = [1 / (1 + np.exp(-length / 100)) for length in lengths]
    assert found[:, 0].tolist() == pytest.approx(expected)
    assert max(len(batch) * max(batch) for batch in batches) <= PACK_TOKENS


def test_a_padded_batch_masks_what_is_not_of_the_text() -> None:
    inputs = padded([[5, 6, 7], [8]], padding=9)

    assert inputs["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]


def test_an_engine_without_its_environment_is_left_out_and_the_message_says_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "openvino" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()

    engines = available(tmp_path, None)

    assert set(engines) == {name for name in ENGINES if name.startswith("OpenVINO")}
    said = capsys.readouterr().err
    assert said.count("left out") == len(ENGINES) - len(engines)
    assert "make bench-rivals" in said


def test_a_rival_in_another_process_brings_its_own_times() -> None:
    timings = run_rounds({"engine": lambda: Spent(2.0, 3.0)}, 2, lambda *_: None)

    assert timings["engine"].wall == (2.0, 2.0)
    assert timings["engine"].cpu == (3.0, 3.0)
