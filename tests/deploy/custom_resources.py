"""Schemas of the objects that are not Kubernetes' own, narrowed to the fields that `deploy/` uses.

A cluster drops fields that a custom resource's definition does not have, and KEDA ignores trigger metadata that it does
not know: a misspelt one is no error anywhere. So nothing beyond these fields is accepted; one more of them belongs here
first. Fields, types and values are those of the models that are generated from the definitions of KEDA and of the
Prometheus Operator (npm's `@kubernetes-models/keda` 2.0.0 and `@kubernetes-models/prometheus-operator` 6.0.0, whose own
validators accept unknown fields), of KEDA's documentation of its scaler for Kafka, and of External Secrets' `v1`.
"""

from typing import Any, Final

_TEXT: Final = {"type": "string", "minLength": 1}
_COUNT: Final = {"type": "integer", "minimum": 0}
_FLAG: Final = {"enum": ["true", "false"]}
_NUMBER: Final = {"type": "string", "pattern": r"^\d+$"}
_DURATION: Final = {"type": "string", "pattern": r"^(\d+(ms|s|m|h|d|w|y))+$"}
_TEXTS: Final = {"type": "object", "additionalProperties": {"type": "string"}}


def _only(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these fields and no others."""
    properties = required | (optional or {})
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


def _several(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


def _resource(api_version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = _only({"name": _TEXT}, {"namespace": _TEXT, "labels": _TEXTS, "annotations": _TEXTS})
    return _only({"apiVersion": {"const": api_version}, "kind": {"const": kind}, "metadata": metadata, "spec": spec})


_POLICY = _only({"type": {"enum": ["Pods", "Percent"]}, "value": _COUNT, "periodSeconds": {"maximum": 1800, **_COUNT}})
_PACE = _only({"policies": _several(_POLICY)}, {"stabilizationWindowSeconds": {"maximum": 3600, **_COUNT}})
_KAFKA = _only(
    {"bootstrapServers": _TEXT, "consumerGroup": _TEXT, "lagThreshold": _NUMBER},
    {
        "topic": {"type": "string", "pattern": "^[^,^]+$"},
        "activationLagThreshold": _NUMBER,
        "offsetResetPolicy": {"enum": ["earliest", "latest"]},
        "allowIdleConsumers": _FLAG,
        "scaleToZeroOnInvalidOffset": _FLAG,
        "excludePersistentLag": _FLAG,
        "ensureEvenDistributionOfPartitions": _FLAG,
        "version": _TEXT,
    },
)
_FALLBACK = _only(
    {"failureThreshold": _COUNT, "replicas": _COUNT},
    {"behavior": {"enum": ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]}},
)
_SCALED_OBJECT = _only(
    {
        "scaleTargetRef": _only({"name": _TEXT}),
        "triggers": _several(
            _only({"type": {"const": "kafka"}, "metadata": _KAFKA}, {"authenticationRef": _only({"name": _TEXT})})
        ),
    },
    {
        "pollingInterval": _COUNT,
        "minReplicaCount": _COUNT,
        "maxReplicaCount": _COUNT,
        "fallback": _FALLBACK,
        "advanced": _only(
            {"horizontalPodAutoscalerConfig": _only({"behavior": _only({"scaleUp": _PACE, "scaleDown": _PACE})})}
        ),
    },
)
_KEDA_PARAMETERS = ["sasl", "tls", "username", "password", "ca", "cert", "key"]
_TRIGGER_AUTHENTICATION = _only(
    {"secretTargetRef": _several(_only({"parameter": {"enum": _KEDA_PARAMETERS}, "name": _TEXT, "key": _TEXT}))}
)
_POD_MONITOR = _only(
    {
        "selector": _only({"matchLabels": _TEXTS}),
        "podMetricsEndpoints": _several(_only({"port": _TEXT, "path": _TEXT, "interval": _DURATION})),
    }
)
_RULE = {
    "oneOf": [
        _only({"record": _TEXT, "expr": _TEXT}, {"labels": _TEXTS}),
        _only({"alert": _TEXT, "expr": _TEXT, "labels": _TEXTS, "annotations": _TEXTS}, {"for": _DURATION}),
    ]
}
_PROMETHEUS_RULE = _only(
    {"groups": _several(_only({"name": _TEXT, "rules": _several(_RULE)}, {"interval": _DURATION}))}
)
_EXTERNAL_SECRET = _only(
    {
        "refreshInterval": _DURATION,
        "secretStoreRef": _only({"kind": {"enum": ["SecretStore", "ClusterSecretStore"]}, "name": _TEXT}),
        "target": _only({"name": _TEXT}),
        "data": _several(_only({"secretKey": _TEXT, "remoteRef": _only({"key": _TEXT, "property": _TEXT})})),
    }
)

SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    kind: _resource(api_version, kind, spec)
    for api_version, kind, spec in (
        ("keda.sh/v1alpha1", "ScaledObject", _SCALED_OBJECT),
        ("keda.sh/v1alpha1", "TriggerAuthentication", _TRIGGER_AUTHENTICATION),
        ("monitoring.coreos.com/v1", "PodMonitor", _POD_MONITOR),
        ("monitoring.coreos.com/v1", "PrometheusRule", _PROMETHEUS_RULE),
        ("external-secrets.io/v1", "ExternalSecret", _EXTERNAL_SECRET),
    )
}
"""The schema of each kind."""
