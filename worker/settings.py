"""Every setting of the worker: name, default, unit and reason, in one place.

A setting comes from the environment (`SLUICE_` + section + `__` + name), an optional `.env`, an optional TOML file
and flags, the later winning (`worker.configuration` reads them). Unknown names are refused. Cross-field rules live
here, so that all problems are found, and printed, at once.
"""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from worker import owned_properties, renamed_settings, secret_files
from worker.format_settings import Format, RegistrySettings
from worker.input_settings import InputSettings
from worker.setting_types import Seconds, Section, TopicName
from worker.tracing_settings import TracingSettings


class Guarantee(StrEnum):
    """What happens to an event when a worker dies between publishing and committing."""

    AT_LEAST_ONCE = "at-least-once"
    EXACTLY_ONCE = "exactly-once"


class GroupProtocol(StrEnum):
    """Rebalance protocol of the consumer group; `consumer` is KIP-848 (brokers from 4.0)."""

    CLASSIC = "classic"
    CONSUMER = "consumer"


class TextOutput(StrEnum):
    """What of the comment goes into the label event."""

    KEEP = "keep"
    HASH = "hash"
    OMIT = "omit"


class Tombstones(StrEnum):
    """What becomes of a deletion; `auto` forwards it where the output topic is compacted."""

    AUTO = "auto"
    FORWARD = "forward"
    DROP = "drop"


class Precision(StrEnum):
    """What linear layers compute in; `auto` takes bfloat16 where the hardware is good at it, else float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"


class LogFormat(StrEnum):
    """`auto` is readable on a terminal and JSON lines elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """Least severe level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


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


class OutputSettings(Section):
    """Where label events go."""

    topic: TopicName = Field("comment-labels", description="Topic of the label events")
    format: Format = Field(Format.JSON, description="How values are written: json, json-schema, avro or protobuf")
    text: TextOutput = Field(
        TextOutput.KEEP, description="keep the comment's text in the event, put its SHA-256 there (hash), or omit it"
    )
    tombstones: Tombstones = Field(
        Tombstones.AUTO,
        description="A deleted comment's tombstone: forward it to the output topic under its key, drop it, or auto: "
        "forward it where that topic is compacted",
    )


class DeadLetterSettings(Section):
    """Where records go that cannot be labelled, and when to stop instead."""

    topic: TopicName = Field("comments.dlq", description="Topic of the dead letters")
    max_run: int = Field(
        1000, ge=1, description="Exit 5 when this many records in a row are rejected: a broken deploy, not bad data"
    )
    max_share: float = Field(
        0.5, gt=0, le=1, description="Exit 5 when more than this share of the last window_records are rejected"
    )
    window_records: int = Field(1000, ge=1, description="Records that max_share looks back on")
    max_replays: int = Field(3, ge=1, description="Hop limit: how often one record may be replayed")


class ModelSettings(Section):
    """Which model scores, on what, and how exactly."""

    id: str = Field("sluice-mini", min_length=1, description="Embedded name, hub name, or local folder")
    revision: str | None = Field(None, description="Branch, tag or commit on the hub; a commit can be reproduced")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:N")
    precision: Precision = Field(Precision.AUTO, description="auto, float32, bfloat16 or int8 (CPU, quality-gated)")
    threads: int | None = Field(None, ge=1, description="CPU threads for the model; none: the cores given (cgroup)")
    thresholds: Path | None = Field(None, description="Threshold set file; none: the checkpoint's own, else threshold")
    threshold: float = Field(0.5, gt=0, lt=1, description="Review threshold of every label a set does not name")
    foreign_thresholds: bool = Field(
        False, description="Use a threshold set that was chosen for another model; events say so (thresholds.made_for)"
    )
    max_window_tokens: int | None = Field(None, ge=8, description="Tokens a window holds; none: the model's own limit")
    max_pass_tokens: int = Field(2048, ge=64, description="Tokens of one forward pass, over all its threads")
    max_windows: int = Field(8, ge=1, description="Windows scored of one long text; the rest is cut, and said so")
    window_overlap_tokens: int = Field(64, ge=0, description="Tokens that neighbouring windows share")
    canonical_view: bool = Field(
        True,
        description="Score disguised texts (i d i o t, 1d10t) also as a reader sees them, and keep the higher score",
    )
    multi_label: bool = Field(
        False,
        description="Score a checkpoint whose config does not say multi_label_classification as if it did",
    )
    allow_pickle: bool = Field(False, description="Load pytorch_model.bin files; a pickle can run code")
    cache_entries: int = Field(0, ge=0, description="Recent texts whose scores are kept (spam floods); 0: none")

    @model_validator(mode="before")
    @classmethod
    def _takes_old_names(cls, values: Any) -> Any:
        return renamed_settings.within_section("model", values)


class BatchSettings(Section):
    """When a micro-batch is ready. If the model is idle, what has arrived goes at once."""

    max_records: int = Field(256, ge=1, description="Records in one batch")
    linger_seconds: float = Field(0, ge=0, le=60, description="Wait for a fuller batch; starts at the first record")


class DeliverySettings(Section):
    """How outcomes are delivered and what bounds the worker's work in flight."""

    guarantee: Guarantee = Field(Guarantee.AT_LEAST_ONCE, description="at-least-once or exactly-once")
    drain_seconds: Seconds = Field(25, description="Shutdown: work in flight past this is dropped (exit 4)")
    revoke_seconds: Seconds = Field(20, description="Rebalance: work in flight past this is dropped, to be re-read")
    timeout_seconds: Seconds = Field(60, description="How long one event may take to be acknowledged")
    transaction_timeout_seconds: Seconds = Field(
        15, description="Exactly-once: the broker aborts a dead worker's transaction after this; readers wait so long"
    )
    max_in_flight_records: int = Field(2048, ge=1, description="Records polled but not yet settled")
    max_in_flight_bytes: int = Field(33_554_432, ge=1, description="Bytes of values polled but not yet settled")
    pause_after_seconds: Seconds = Field(
        5, description="Partitions are paused when the model has been behind this long; pausing drops the prefetch"
    )

    @model_validator(mode="after")
    def _a_drain_outlasts_a_transaction(self) -> "DeliverySettings":
        exactly_once = self.guarantee is Guarantee.EXACTLY_ONCE
        if exactly_once and self.drain_seconds <= self.transaction_timeout_seconds:
            message = (
                f"delivery.drain_seconds = {self.drain_seconds:g} must be longer than "
                f"delivery.transaction_timeout_seconds = {self.transaction_timeout_seconds:g}: a worker that stops may "
                "have to wait that long for the broker to end a dead worker's transaction"
            )
            raise ValueError(message)
        return self


class HttpSettings(Section):
    """The server of /livez, /readyz and /metrics."""

    host: str = Field("0.0.0.0", min_length=1, description="Address to listen on")  # noqa: S104 - probes come from outside
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0: none is opened")


class LogSettings(Section):
    """Logs go to stderr and never hold a comment's text."""

    format: LogFormat = Field(LogFormat.AUTO, description="auto, json or console")
    level: LogLevel = Field(LogLevel.INFO, description="debug, info, warning or error")


class Settings(Section):
    """All settings of `sluice`."""

    kafka: KafkaSettings = KafkaSettings()
    input: InputSettings = InputSettings()
    output: OutputSettings = OutputSettings()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    model: ModelSettings = ModelSettings()
    batch: BatchSettings = BatchSettings()
    delivery: DeliverySettings = DeliverySettings()
    registry: RegistrySettings = RegistrySettings()
    tracing: TracingSettings = TracingSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="before")
    @classmethod
    def _takes_old_names(cls, values: Any) -> Any:
        return renamed_settings.between_sections(values)

    @model_validator(mode="after")
    def _topics_differ(self) -> "Settings":
        written = {self.output.topic, self.dead_letters.topic}
        if len(written) == 1 or any(map(self.input.reads, written)):
            message = (
                "input.topic, output.topic and dead_letters.topic must differ: the worker would read its own output"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _formats_have_their_registry(self) -> "Settings":
        asking = [
            f"{name} = {value}"
            for name, value in (("input.format", self.input.format), ("output.format", self.output.format))
            if value is not Format.JSON
        ]
        if asking and self.registry.url is None:
            message = f"{' and '.join(asking)} needs registry.url: schemas are named by their id in a schema registry"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _a_batch_fits_in_flight(self) -> "Settings":
        if self.delivery.max_in_flight_records < self.batch.max_records:
            message = "delivery.max_in_flight_records must be at least batch.max_records: no batch could fill"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _a_poll_interval_outlasts_the_waits_within_it(self) -> "Settings":
        problems = owned_properties.short_poll_intervals(
            self.kafka.properties, self.delivery.revoke_seconds, self.delivery.pause_after_seconds
        )
        if lines := "\n".join(problems):
            raise ValueError(lines)
        return self
