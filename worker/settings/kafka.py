"""The settings of the cluster: how to reach it, and how to join the group."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from worker.settings import owned_properties, secret_files
from worker.settings.fields import Seconds, Section


class GroupProtocol(StrEnum):
    """Rebalance protocol of the consumer group; `consumer` is KIP-848 (brokers from 4.0)."""

    CLASSIC = "classic"
    CONSUMER = "consumer"


class KafkaSettings(Section):
    """How to reach the cluster and join the group."""

    bootstrap_servers: str = Field("localhost:9092", min_length=1, description="Brokers to ask first, host:port,...")
    group_id: str = Field("sluice", min_length=1, description="Consumer group; workers that share it share the topic")
    group_protocol: GroupProtocol = Field(
        GroupProtocol.CLASSIC, description="classic (cooperative-sticky), or consumer for KIP-848 on brokers from 4.0"
    )
    client_id: str = Field("sluice", min_length=1, description="Name brokers see in their logs and quotas")
    properties: dict[str, Any] = Field(
        default_factory=dict,
        description="Any further librdkafka property (TLS, SASL, ...); those the worker must own are refused",
    )
    properties_directory: Path | None = Field(
        None,
        description="Folder with a file for each further property, called as it is, as Kubernetes mounts a secret; "
        "properties win",
    )
    msk_iam_region: str | None = Field(
        None,
        description="AWS region: authenticate at Amazon MSK by IAM (extra msk-iam), instead of TLS and SASL properties",
    )
    no_broker_seconds: Seconds = Field(
        60,
        description="Exit 3 after this long without any broker, so that a supervisor sees it; unless it is set, 10 for "
        "commands other than run",
    )

    @model_validator(mode="before")
    @classmethod
    def _properties_may_be_in_files(cls, values: Any) -> Any:
        folder = values.get("properties_directory") if isinstance(values, dict) else None
        given = values.get("properties", {}) if folder else None
        if not isinstance(folder, str | Path) or not isinstance(given, dict):
            return values
        return {**values, "properties": {**secret_files.properties_of(Path(folder)), **given}}

    @model_validator(mode="after")
    def _one_way_to_authenticate(self) -> "KafkaSettings":
        others = [name for name in self.properties if name.startswith(("sasl.", "security.protocol"))]
        if self.msk_iam_region is not None and others:
            message = f"kafka.msk_iam_region sets the mechanism itself: leave out {', '.join(others)}"
            raise ValueError(message)
        return self

    @field_validator("bootstrap_servers")
    @classmethod
    def _brokers_are_host_and_port(cls, servers: str) -> str:
        if any(sign in servers for sign in ('"', "'", "://", " ")):
            message = "write host:port, with commas between brokers: no quotes, no blanks, no kafka://"
            raise ValueError(message)
        return servers

    @field_validator("properties")
    @classmethod
    def _properties_may_be_set(cls, properties: dict[str, Any]) -> dict[str, Any]:
        if problems := list(owned_properties.problems(properties)):
            raise ValueError("\n".join(problems))
        return properties
