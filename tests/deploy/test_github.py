"""The workflow runs what `.ci/run` runs, and the forms are ones that GitHub takes."""

from typing import Any

import pytest

from tests.deploy.files import ROOT, load_yaml, run_tool

FOLDER = ROOT / ".github"
WORKFLOW: dict[str, Any] = load_yaml(FOLDER / "workflows" / "ci.yml")


def test_the_workflow_runs_the_same_script_as_a_contributor() -> None:
    steps = WORKFLOW["jobs"]["run"]["steps"]
    assert ".ci/run" in [step.get("run") for step in steps]
    assert any("KAFKA_HOME=" in step.get("run", "") for step in steps)


def test_every_job_has_a_limit_of_time_and_may_only_read() -> None:
    assert all(job["timeout-minutes"] <= 60 for job in WORKFLOW["jobs"].values())
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_the_policy_linter_is_pinned_and_every_rule_it_leaves_out_has_a_reason() -> None:
    assert ".ci/check-policies" in [step.get("run") for step in WORKFLOW["jobs"]["policies"]["steps"]]
    assert "checkov==" in (ROOT / ".ci" / "check-policies").read_text(encoding="utf-8")
    text = (ROOT / ".ci" / "checkov.yaml").read_text(encoding="utf-8")
    _, left_out = text.split("skip-check:\n")
    lines = [line.strip() for line in left_out.splitlines()]
    rules = [number for number, line in enumerate(lines) if line.startswith("- CKV")]
    assert rules
    assert all(lines[number - 1].startswith("#") for number in rules)


@pytest.mark.parametrize("name", ["bug.yml", "feature.yml"])
def test_fields_of_a_form_have_ids_of_their_own(name: str) -> None:
    body = load_yaml(FOLDER / "ISSUE_TEMPLATE" / name)["body"]
    ids = [field["id"] for field in body if field["type"] != "markdown"]
    assert len(set(ids)) == len(ids) > 0


@pytest.mark.parametrize(
    ("schema", "file"), [("vendor.github-workflows", "workflows/ci.yml"), ("vendor.dependabot", "dependabot.yml")]
)
def test_the_file_keeps_its_schema(schema: str, file: str) -> None:
    run_tool("check-jsonschema", "--builtin-schema", schema, str(FOLDER / file))
