"""The manifests as they come out of Kustomize: the base, and the examples that an overlay of one's own begins with."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from docgen import prometheus_rule
from tests.deploy.custom_resources import SCHEMAS
from tests.deploy.files import DEPLOY, load_yaml, run_tool, unknown_settings
from worker.settings import Settings

FOLDER = DEPLOY / "kubernetes"
BASE = FOLDER / "base"
EXAMPLES = ["plain", "keda", "secured", "several-topics"]
KUSTOMIZATION: dict[str, Any] = load_yaml(BASE / "kustomization.yaml")
OBJECTS: dict[str, dict[str, Any]] = {
    manifest["kind"]: manifest for manifest in (load_yaml(BASE / name) for name in KUSTOMIZATION["resources"])
}
POD = OBJECTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
SCALED = load_yaml(FOLDER / "keda" / "scaledobject.yaml")
TRIGGER = SCALED["spec"]["triggers"][0]["metadata"]
LITERALS = dict(literal.split("=", 1) for literal in KUSTOMIZATION["configMapGenerator"][0]["literals"])
DEFAULTS = Settings()


@cache
def built(example: str) -> list[dict[str, Any]]:
    """The objects of an example, by the real Kustomize: `kustomize`, or the one inside `kubectl`."""
    folder = str(FOLDER / "examples" / example)
    for command in (["kustomize", "build", folder], ["kubectl", "kustomize", folder]):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return [one for one in yaml.safe_load_all(done.stdout) if one]
    pytest.skip("neither kustomize nor kubectl is installed")


def of_kind(example: str, kind: str) -> dict[str, Any]:
    (found,) = [one for one in built(example) if one["kind"] == kind]
    return found


def settings_of(example: str) -> dict[str, Any]:
    (found,) = [one for one in built(example) if one["kind"] == "ConfigMap" and "settings" in one["metadata"]["name"]]
    return found


def pods(example: str) -> list[dict[str, Any]]:
    return [one["spec"]["template"] for one in built(example) if one["kind"] in ("Deployment", "Job")]


def kustomizations() -> list[Path]:
    return sorted(FOLDER.rglob("kustomization.yaml"))


@pytest.mark.parametrize("path", kustomizations(), ids=lambda path: path.parent.name)
def test_every_file_is_part_of_a_build_or_says_that_it_is_not(path: Path) -> None:
    content = load_yaml(path)
    used = {*content.get("resources", []), *content.get("configurations", [])}
    used |= {patch["path"] for patch in content.get("patches", []) if "path" in patch}
    for generator in [*content.get("configMapGenerator", []), *content.get("secretGenerator", [])]:
        used |= {file.split("=")[-1] for file in generator.get("files", [])}
    for file in path.parent.glob("*.*"):
        if file.name not in used and file != path:
            assert file.read_text(encoding="utf-8").startswith("# Not part of the build"), file


@pytest.mark.parametrize("path", [BASE, *(FOLDER / "examples" / name for name in EXAMPLES)], ids=lambda path: path.name)
def test_settings_exist(path: Path) -> None:
    content = load_yaml(path / "kustomization.yaml")
    for generator in [*content["configMapGenerator"], *content.get("secretGenerator", [])]:
        names = [literal.split("=", 1)[0] for literal in generator.get("literals", [])]
        assert unknown_settings(names) == []
    assert CONTAINER["envFrom"][0]["configMapRef"]["name"] == KUSTOMIZATION["configMapGenerator"][0]["name"]


@pytest.mark.parametrize("example", ["keda", "secured"])
def test_the_scaler_follows_name_brokers_group_and_topic_of_the_workers(example: str) -> None:
    scaled, settings = of_kind(example, "ScaledObject"), settings_of(example)["data"]
    assert scaled["spec"]["scaleTargetRef"]["name"] == of_kind(example, "Deployment")["metadata"]["name"]
    trigger = scaled["spec"]["triggers"][0]["metadata"]
    assert trigger["bootstrapServers"] == settings["SLUICE_KAFKA__BOOTSTRAP_SERVERS"] != "kafka:9092"
    assert trigger["consumerGroup"] == settings["SLUICE_KAFKA__GROUP_ID"]
    assert trigger["topic"] == settings["SLUICE_INPUT__TOPIC"]


def test_workers_of_several_topics_are_scaled_by_a_trigger_for_each_of_them() -> None:
    triggers = of_kind("several-topics", "ScaledObject")["spec"]["triggers"]
    settings = settings_of("several-topics")["data"]
    assert [one["metadata"]["topic"] for one in triggers] == settings["SLUICE_INPUT__TOPIC"].split(",")
    rest = [{name: value for name, value in one["metadata"].items() if name != "topic"} for one in triggers]
    assert all(one == rest[0] for one in rest)
    assert rest[0]["bootstrapServers"] == settings["SLUICE_KAFKA__BOOTSTRAP_SERVERS"] != "kafka:9092"


def test_with_a_prefix_everything_has_it_and_the_group_and_topics_are_the_teams() -> None:
    assert all(one["metadata"]["name"].startswith("team-a-") for one in built("keda"))
    assert of_kind("keda", "ScaledObject")["spec"]["scaleTargetRef"]["name"] == "team-a-sluice"
    assert of_kind("keda", "ScaledObject")["spec"]["triggers"][0]["metadata"]["topic"] == "team-a.posts"


@pytest.mark.parametrize("example", EXAMPLES)
def test_one_image_is_asked_for_everywhere(example: str) -> None:
    images = {container["image"] for pod in pods(example) for container in pod["spec"]["containers"]}
    assert images == {"registry.example/sluice:0.1.0"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_pods_read_the_settings_and_secrets_that_are_built(example: str) -> None:
    names = {one["metadata"]["name"] for one in built(example) if one["kind"] in ("ConfigMap", "Secret")}
    for pod in pods(example):
        for source in pod["spec"]["containers"][0]["envFrom"]:
            reference = next(iter(source.values()))
            assert reference["name"] in names or reference.get("optional")


def test_a_secured_worker_has_its_secret_for_certain_and_the_authority_where_the_settings_say() -> None:
    for pod in pods("secured"):
        (container,) = pod["spec"]["containers"]
        assert container["envFrom"][1]["secretRef"]["optional"] is False
        (mount,) = [one for one in container["volumeMounts"] if one["name"] == "kafka-ca"]
        assert mount["mountPath"] == "/etc/kafka"
    secrets = {one["metadata"]["name"]: one for one in built("secured") if one["kind"] == "Secret"}
    named = {one["name"] for one in of_kind("secured", "TriggerAuthentication")["spec"]["secretTargetRef"]}
    assert named <= secrets.keys()


@pytest.mark.parametrize("example", EXAMPLES)
def test_pods_meet_the_restricted_security_standard(example: str) -> None:
    for pod in pods(example):
        (container,) = pod["spec"]["containers"]
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_selectors_find_the_workers_and_not_the_job(example: str) -> None:
    worker = of_kind(example, "Deployment")["spec"]["template"]["metadata"]["labels"]
    jobs = [pod["metadata"]["labels"] for pod in pods(example) if pod["metadata"]["labels"] != worker]
    for kind, path in (
        ("Deployment", ("selector", "matchLabels")),
        ("Service", ("selector",)),
        ("PodDisruptionBudget", ("selector", "matchLabels")),
    ):
        selector = of_kind(example, kind)["spec"]
        for step in path:
            selector = selector[step]
        assert selector.items() <= worker.items()
        assert not any(selector.items() <= labels.items() for labels in jobs)
    policy = of_kind(example, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    assert all(policy.items() <= labels.items() for labels in [worker, *jobs])
    if example == "secured":
        monitored = of_kind(example, "PodMonitor")["spec"]["selector"]["matchLabels"]
        assert monitored.items() <= worker.items()


def test_without_keda_the_overlay_owns_the_replicas_and_with_it_keda_does() -> None:
    assert of_kind("plain", "Deployment")["spec"]["replicas"] == 2
    assert "replicas" not in of_kind("keda", "Deployment")["spec"]
    assert SCALED["spec"]["minReplicaCount"] >= 1


def test_scaler_metadata_are_strings_and_start_where_the_workers_do() -> None:
    assert all(isinstance(value, str) for value in TRIGGER.values())
    assert TRIGGER["offsetResetPolicy"] == DEFAULTS.input.start.value


def test_the_worker_has_time_to_drain_before_it_is_killed() -> None:
    assert POD["spec"]["terminationGracePeriodSeconds"] > DEFAULTS.delivery.drain_seconds


def test_probes_use_the_workers_own_endpoints() -> None:
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == DEFAULTS.http.port
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(DEFAULTS.http.port)
    paths = {name: CONTAINER[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert paths == {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
    assert all(CONTAINER[name]["httpGet"]["port"] == port["name"] for name in paths)
    assert OBJECTS["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]


def test_mounted_volumes_exist() -> None:
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {one["name"] for one in POD["spec"]["volumes"]}


def test_the_operators_rules_are_the_ones_that_are_tested() -> None:
    assert prometheus_rule.PATH.read_text(encoding="utf-8") == prometheus_rule.render(), "run `make reference`"
    rule = of_kind("secured", "PrometheusRule")
    assert rule["spec"] == load_yaml(DEPLOY / "prometheus" / "rules.yml")


@pytest.mark.parametrize("example", EXAMPLES)
def test_built_manifests_follow_the_kubernetes_schemas(example: str, tmp_path: Path) -> None:
    core = [one for one in built(example) if one["kind"] not in SCHEMAS]
    file = tmp_path / "built.yaml"
    file.write_text(yaml.safe_dump_all(core), encoding="utf-8")
    run_tool("kubernetes-validate", "--strict", str(file))


@pytest.mark.parametrize("example", EXAMPLES)
def test_objects_that_are_not_kubernetes_own_have_known_fields_only(example: str) -> None:
    for one in built(example):
        if one["kind"] in SCHEMAS:
            jsonschema.validate(one, SCHEMAS[one["kind"]])


def test_the_secret_from_a_store_has_known_fields_only() -> None:
    jsonschema.validate(load_yaml(FOLDER / "examples" / "secured" / "external-secret.yaml"), SCHEMAS["ExternalSecret"])


@pytest.mark.parametrize(
    ("field", "misspelt"), [("fallback", "fallbacks"), ("minReplicaCount", "minReplicas"), ("triggers", "trigger")]
)
def test_a_misspelt_field_is_found(field: str, misspelt: str) -> None:
    spec = {misspelt if name == field else name: value for name, value in SCALED["spec"].items()}
    with pytest.raises(jsonschema.ValidationError, match=misspelt):
        jsonschema.validate({**SCALED, "spec": spec}, SCHEMAS["ScaledObject"])


def test_a_topic_that_is_a_list_or_a_pattern_is_found() -> None:
    for topic in ("posts,reviews", "^team-a[.]"):
        spec = {**SCALED["spec"], "triggers": [{"type": "kafka", "metadata": {**TRIGGER, "topic": topic}}]}
        with pytest.raises(jsonschema.ValidationError, match="does not match"):
            jsonschema.validate({**SCALED, "spec": spec}, SCHEMAS["ScaledObject"])
