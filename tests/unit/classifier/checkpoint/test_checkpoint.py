"""A checkpoint whose scores would be wrong is refused, with a message that says what to do."""

import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import worker.models
from testkit.checkpoints import LABELS, Checkpoints, make_checkpoint
from worker.classifier import Classifier
from worker.classifier.checkpoint.checkpoint import TOKENIZER_FILES, find_checkpoint
from worker.classifier.loading import with_transformers
from worker.errors import ModelFault, SettingsInvalid
from worker.settings import ModelSettings

Copy = Callable[..., Path]

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def copy(bert: Path, tmp_path: Path) -> Copy:
    """Copy the BERT checkpoint, with changes to its config.json (None removes a key)."""

    def copied(**changes: Any) -> Path:
        folder = tmp_path / "copy"
        shutil.copytree(bert, folder)
        config = {**json.loads((folder / "config.json").read_text()), **changes}
        text = json.dumps({key: value for key, value in config.items() if value is not None})
        (folder / "config.json").write_text(text)
        return folder

    return copied


def refusal(folder: Path | str, **settings: Any) -> str:
    with pytest.raises(ModelFault) as caught:
        Classifier.load(str(folder), **settings)
    return str(caught.value)


def test_identity_names_the_folder_and_a_digest_a_shell_can_reproduce(bert: Path) -> None:
    identity = Classifier.load(str(bert), precision="float32").identity
    names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    listing = subprocess.run(["sha256sum", *names], cwd=bert, capture_output=True, check=True).stdout
    assert identity.digest == f"sha256:{hashlib.sha256(listing).hexdigest()}"
    assert identity.id == str(bert)
    assert identity.revision is None
    assert identity.precision == "float32"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_the_digest_changes_with_any_file_that_makes_scores(name: str, copy: Copy) -> None:
    folder = copy()
    before = Classifier.load(str(folder)).identity.digest
    content = (folder / name).read_bytes()
    if name.endswith(".json"):
        (folder / name).write_bytes(content + b"\n")
    else:
        (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert Classifier.load(str(folder)).identity.digest != before


def test_an_embedded_model_is_found_by_name_with_its_recorded_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.models, "__file__", str(tmp_path / "__init__.py"))
    make_checkpoint(tmp_path / "small_model", config={"revision": "7"})
    identity = Classifier.load("small-model").identity
    assert (identity.id, identity.revision) == ("small-model", "7")
    assert Classifier.load("small-model", revision="7").identity == identity
    with pytest.raises(SettingsInvalid, match="revision '7', not '8'"):
        Classifier.load("small-model", revision="8")


def test_a_single_label_checkpoint_is_refused_whatever_the_settings(copy: Copy) -> None:
    folder = copy(problem_type="single_label_classification")
    for settings in ({}, {"multi_label": True}):
        message = refusal(folder, **settings)
        assert "single_label_classification" in message
        assert "problem_type" in message


def test_a_checkpoint_without_a_problem_type_is_refused_until_a_setting_allows_it(
    copy: Copy, caplog: pytest.LogCaptureFixture
) -> None:
    folder = copy(problem_type=None)
    assert "SLUICE_MODEL__MULTI_LABEL=true" in refusal(folder)
    with caplog.at_level(logging.WARNING):
        scores = Classifier.load(str(folder), multi_label=True).classify(["you jerk"])[0].scores
    assert sum(scores.values()) != pytest.approx(1, abs=0.01), "independent scores, no softmax"
    assert [record.message for record in caplog.records if "problem_type" in record.message]


def test_one_label_needs_no_problem_type(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, labels=["toxic"], config={"problem_type": None})
    assert set(Classifier.load(str(folder)).classify(["you"])[0].scores) == {"toxic"}


def test_placeholder_label_names_are_logged(copy: Copy, caplog: pytest.LogCaptureFixture) -> None:
    names = {str(index): f"LABEL_{index}" for index in range(6)}
    folder = copy(id2label=names, label2id={name: int(index) for index, name in names.items()})
    with caplog.at_level(logging.WARNING):
        Classifier.load(str(folder))
    assert [record for record in caplog.records if "LABEL_0" in record.message]


@pytest.mark.parametrize(
    "names",
    [{"0": "a", "2": "b"}, {"0": "a", "1": "a"}, {}, {"first": "a"}, ["a", "b"]],
    ids=["gap", "repeat", "empty", "not numbers", "list"],
)
def test_labels_that_do_not_name_each_score_are_refused(names: Any, copy: Copy) -> None:
    assert "id2label" in refusal(copy(id2label=names))


def test_a_checkpoint_without_a_head_is_refused(bert: Path, copy: Copy, tmp_path: Path) -> None:
    assert "BertForMaskedLM" in refusal(copy(architectures=["BertForMaskedLM"]))
    encoder = transformers.AutoModel.from_pretrained(bert)
    folder = tmp_path / "headless"
    shutil.copytree(bert, folder)
    encoder.save_pretrained(folder)
    shutil.copy(bert / "config.json", folder)
    message = refusal(folder)
    assert "classifier.weight" in message
    assert "random" in message


def test_a_class_that_somebody_wrote_for_training_is_loaded_by_its_weights(copy: Copy, bert: Path) -> None:
    folder = copy(architectures=["BertForMultiLabelClassification"])
    expected = Classifier.load(str(bert)).classify(["you jerk"])[0].scores
    assert Classifier.load(str(folder)).classify(["you jerk"])[0].scores == expected


@pytest.mark.parametrize("weights", [True, False], ids=["beside weights", "alone"])
def test_an_adapter_is_refused_with_the_way_to_merge_it(weights: bool, copy: Copy) -> None:
    folder = copy()
    (folder / "adapter_config.json").write_text("{}")
    if not weights:
        (folder / "model.safetensors").unlink()
        (folder / "config.json").unlink()
    assert "merge_and_unload" in refusal(folder)


def test_every_file_that_a_tokenizer_reads_is_fetched_and_in_the_digest() -> None:
    """The list is held against the tokenizer classes of the installed transformers."""
    modules = Path(transformers.__file__).parent.glob("models/*/tokenization_*.py")
    read = {
        name
        for module in modules
        for block in re.findall(r"VOCAB_FILES_NAMES = \{(.*?)\}", module.read_text(encoding="utf-8"), re.DOTALL)
        for name in re.findall(r': *"([^"]+)"', block)
    }
    assert {"bpe.codes", "sentencepiece.model", "vocab.txt"} <= read
    assert read - set(TOKENIZER_FILES) == set()


def test_the_digest_changes_with_a_vocabulary_of_its_own_name(copy: Copy) -> None:
    folder = copy()
    (folder / "bpe.codes").write_text("a b 1\n")
    before = Classifier.load(str(folder)).identity.digest
    (folder / "bpe.codes").write_text("a b 2\n")
    assert Classifier.load(str(folder)).identity.digest != before


def test_a_vocabulary_that_nothing_here_reads_names_the_packages(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(with_transformers.READERS, "sentencepiece", "module_that_is_not_installed")
    folder = copy(model_type="camembert", architectures=None)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    (folder / "sentencepiece.bpe.model").write_bytes(b"\n\x0e\n\x05<unk>")
    checkpoint = find_checkpoint(ModelSettings(id=str(folder)))
    with pytest.raises(ModelFault, match=r"SentencePiece model, which needs .*pip install sentencepiece"):
        with_transformers.load_tokenizer(checkpoint)


def test_an_added_token_without_an_embedding_is_named_and_read_as_characters(
    copy: Copy, bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = copy()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<url>"])
    tokenizer.save_pretrained(folder)
    with caplog.at_level(logging.WARNING):
        scores = Classifier.load(str(folder)).classify(["you <url> jerk"])[0].scores
    assert scores == Classifier.load(str(bert)).classify(["you <url> jerk"])[0].scores
    assert [record for record in caplog.records if "<url>" in record.getMessage()]


def test_the_tokenizer_of_a_larger_model_is_refused(checkpoints: Checkpoints, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoints("bert"), folder)
    transformers.AutoTokenizer.from_pretrained(checkpoints("roberta")).save_pretrained(folder)
    assert "belongs to another model" in refusal(folder)


def test_weights_of_another_shape_are_refused(copy: Copy) -> None:
    names = {str(index): f"kind {index}" for index in range(3)}
    message = refusal(copy(id2label=names, label2id={name: int(index) for index, name in names.items()}))
    assert "classifier" in message


def test_pickled_weights_need_a_setting(copy: Copy) -> None:
    folder = copy()
    expected = Classifier.load(str(folder)).classify(["you jerk"])[0].scores
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert "SLUICE_MODEL__ALLOW_PICKLE=true" in refusal(folder)
    assert Classifier.load(str(folder), allow_pickle=True).classify(["you jerk"])[0].scores == expected


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", None, "has no config.json"),
        ("config.json", b"{", "cannot be read"),
        ("config.json", b"[]", "not a JSON object"),
        ("model.safetensors", None, "has no weights"),
        ("model.safetensors", b"\x00" * 64, "cannot be loaded"),
        ("tokenizer.json", None, "tokenizer"),
        ("tokenizer.json", b"{", "tokenizer"),
    ],
)
def test_missing_and_broken_files_are_named(name: str, content: bytes | None, says: str, copy: Copy) -> None:
    folder = copy()
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    message = refusal(folder)
    assert says in message
    assert str(folder) in message


def test_a_model_that_brings_its_own_code_is_refused(copy: Copy) -> None:
    folder = copy(model_type="own", auto_map={"AutoConfig": "own.Own", "AutoModelForSequenceClassification": "own.Own"})
    (folder / "own.py").write_text("raise SystemExit('this code must not run')")
    assert "bring their own code" in refusal(folder)


def test_a_missing_folder_is_not_searched_on_the_hub(tmp_path: Path) -> None:
    message = refusal(tmp_path / "absent")
    assert "does not exist" in message
    assert str(tmp_path / "absent") in message


def test_a_revision_of_a_plain_folder_is_refused(bert: Path) -> None:
    with pytest.raises(SettingsInvalid, match="no revision, not 'main'"):
        Classifier.load(str(bert), revision="main")


def test_more_tokens_than_the_model_has_positions_are_refused(bert: Path) -> None:
    with pytest.raises(SettingsInvalid, match="at most 512"):
        Classifier.load(str(bert), max_window_tokens=513)


def test_a_missing_cuda_device_is_refused(bert: Path) -> None:
    if torch.cuda.device_count() > 9:
        pytest.skip("this machine has a tenth CUDA device")
    with pytest.raises(SettingsInvalid, match="SLUICE_MODEL__DEVICE=cpu"):
        Classifier.load(str(bert), device="cuda:9")


@pytest.mark.parametrize("architecture", ["roberta", "xlm-roberta", "camembert", "mpnet"])
def test_positions_before_the_padding_index_do_not_count(architecture: str, checkpoints: Callable[[str], Path]) -> None:
    assert Classifier.load(str(checkpoints(architecture))).window_tokens == 512


OFFLINE_PROGRAM = """
import sys
from worker.classifier import Classifier
from worker.errors import ModelFault
for revision in sys.argv[1:]:
    try:
        classifier = Classifier.load('someone/some-model', revision=revision or None, precision='float32')
        print(classifier.identity.revision, *classifier.classify(['you jerk'])[0].scores.values())
    except ModelFault as error:
        print(error)
"""


def load_offline(cache: Path, *revisions: str) -> list[str]:
    """The output of a process without network for each revision of someone/some-model ("": no revision)."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE_PROGRAM, *revisions], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_offline_a_missing_hub_model_is_named_with_the_places_searched(tmp_path: Path) -> None:
    (message,) = load_offline(tmp_path, "")
    assert message.startswith("model 'someone/some-model'")
    for part in (str(tmp_path), "HF_HUB_OFFLINE is set", "hf download someone/some-model", "SLUICE_MODEL__ID"):
        assert part in message


def test_a_cached_hub_model_is_used_offline_with_its_commit_as_revision(bert: Path, tmp_path: Path) -> None:
    repository = tmp_path / "models--someone--some-model"
    shutil.copytree(bert, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    expected = Classifier.load(str(bert), precision="float32").classify(["you jerk"])[0].scores
    *cached, absent = load_offline(tmp_path, "", "main", COMMIT, "another-branch")
    assert len(cached) == 3
    for line in cached:
        revision, *scores = line.split()
        assert revision == COMMIT
        assert [float(score) for score in scores] == pytest.approx([expected[label] for label in LABELS], abs=1e-5)
    assert absent.startswith("model 'someone/some-model' at revision 'another-branch'")


def test_importing_the_package_does_not_import_torch() -> None:
    program = "import sys, worker.classifier; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
