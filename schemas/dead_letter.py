"""The dead letter: the record's own key, value, headers and timestamp, and headers that say why it is here.

Names that begin with `__connect.errors.` are those of Kafka Connect (KIP-298), so that tools which read Connect's
dead letters read these.
"""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CONNECT_PREFIX = "__connect.errors."


class DeadLetterHeaders(BaseModel):
    """Headers that Sluice adds to a dead letter; each is a UTF-8 string. They never quote a comment's text."""

    model_config = ConfigDict(extra="ignore", frozen=True, title="DeadLetterHeaders", populate_by_name=True)

    topic: str = Field(alias="__connect.errors.topic", description="Topic the record was read from")
    partition: int = Field(alias="__connect.errors.partition", ge=0)
    offset: int = Field(alias="__connect.errors.offset", ge=0)
    connector_name: str = Field(alias="__connect.errors.connector.name", description="Name of the application")
    task_id: str = Field(alias="__connect.errors.task.id", description="The worker's instance")
    stage: str = Field(alias="__connect.errors.stage", pattern=r"^(DECODE|VALIDATE|TOKENIZE|INFERENCE|PRODUCE)$")
    class_name: str = Field(
        alias="__connect.errors.class.name",
        pattern=r"^sluice\.(decoder|tokenizer|model|producer)$",
        description="Part of the worker that met the fault; these words stay, whatever its modules are called",
    )
    exception_class: str = Field(alias="__connect.errors.exception.class.name", description="Kind of fault, one word")
    exception_message: str = Field(
        alias="__connect.errors.exception.message", description="What is wrong, one sentence"
    )
    consumer_group: str = Field(alias="dlq.consumer_group")
    attempts: int = Field(
        alias="dlq.attempts", ge=1, description="How often workers have handled the record: 1, plus its replays"
    )
    failed_at: AwareDatetime = Field(alias="dlq.failed_at")
    model_id: str = Field(alias="dlq.model_id")
    replay_count: int = Field(0, alias="dlq.replay_count", ge=0, description="How often the record was replayed")
    original_timestamp: int | None = Field(
        None,
        alias="dlq.original_timestamp",
        description="Timestamp of the rejected record, ms since the epoch, where the topic refused it for the letter",
    )
    headers_lost: bool = Field(
        False,
        alias="dlq.headers_lost",
        description="true when the record's own headers could not be read, so none is here",
    )
    origin: str | None = Field(
        None, alias="dlq.origin", description="topic/partition/offset of the first failure, kept over replays"
    )
