from typing import Any

import pytest

from tests.deploy.files import DEPLOY, load_yaml, run_tool, unknown_settings
from worker.settings import Settings

FOLDER = DEPLOY / "kubernetes"
KUSTOMIZATION: dict[str, Any] = load_yaml(FOLDER / "kustomization.yaml")
OBJECTS: dict[str, dict[str, Any]] = {
    manifest["kind"]: manifest for manifest in (load_yaml(FOLDER / name) for name in KUSTOMIZATION["resources"])
}
POD = OBJECTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
TRIGGER = OBJECTS["ScaledObject"]["spec"]["triggers"][0]["metadata"]
LITERALS = dict(literal.split("=", 1) for literal in KUSTOMIZATION["configMapGenerator"][0]["literals"])
DEFAULTS = Settings()


def test_every_manifest_is_part_of_the_base() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"kustomization.yaml", *KUSTOMIZATION["resources"]}


def test_settings_exist() -> None:
    assert unknown_settings(list(LITERALS)) == []
    assert CONTAINER["envFrom"][0]["configMapRef"]["name"] == KUSTOMIZATION["configMapGenerator"][0]["name"]


def test_the_scaler_watches_the_group_and_topic_of_the_workers() -> None:
    assert TRIGGER["bootstrapServers"] == LITERALS["SLUICE_KAFKA__BOOTSTRAP_SERVERS"]
    assert TRIGGER["consumerGroup"] == LITERALS["SLUICE_KAFKA__GROUP_ID"]
    assert TRIGGER["topic"] == LITERALS["SLUICE_INPUT__TOPIC"]
    assert TRIGGER["offsetResetPolicy"] == DEFAULTS.input.start.value
    assert OBJECTS["ScaledObject"]["spec"]["scaleTargetRef"]["name"] == OBJECTS["Deployment"]["metadata"]["name"]


def test_the_scaler_owns_the_replicas_and_never_goes_to_zero() -> None:
    assert "replicas" not in OBJECTS["Deployment"]["spec"]
    assert OBJECTS["ScaledObject"]["spec"]["minReplicaCount"] >= 1


def test_scaler_metadata_are_strings() -> None:
    assert all(isinstance(value, str) for value in TRIGGER.values())


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


@pytest.mark.parametrize(
    "selector",
    [
        OBJECTS["Deployment"]["spec"]["selector"]["matchLabels"],
        OBJECTS["Service"]["spec"]["selector"],
        OBJECTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        OBJECTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ],
)
def test_selectors_find_the_pods(selector: dict[str, str]) -> None:
    assert selector.items() <= POD["metadata"]["labels"].items()


def test_pods_meet_the_restricted_security_standard() -> None:
    pod, container = POD["spec"]["securityContext"], CONTAINER["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["readOnlyRootFilesystem"] is True


def test_mounted_volumes_exist() -> None:
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {one["name"] for one in POD["spec"]["volumes"]}


def test_core_manifests_follow_the_kubernetes_schemas() -> None:
    core = [name for name in KUSTOMIZATION["resources"] if name != "scaledobject.yaml"]
    run_tool("kubernetes-validate", "--strict", *core, cwd=FOLDER)
