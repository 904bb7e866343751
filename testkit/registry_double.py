"""confluent-kafka's own stand-in for a schema registry, with what it lacks: the API's error codes and compatibility."""

from collections.abc import Callable
from typing import Any

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

_UNKNOWN = (404, 40401, "Subject not found")


class RegistryDouble:
    """A registry in memory that can be made to fail.

    Attributes:
        real: The stand-in, to register schemas in.
        failure: Raised by whatever is asked; None: it answers.
        compatible: What it says of every schema that is compared with a subject's.
    """

    def __init__(self) -> None:
        self.real = SchemaRegistryClient.new_client({"url": "mock://"})
        self.failure: Exception | None = None
        self.compatible = True

    def test_compatibility_all_versions(self, subject: str, schema: Schema) -> bool:
        del schema
        if self.failure is not None:
            raise self.failure
        if subject not in self.real.get_subjects():
            raise SchemaRegistryError(*_UNKNOWN)
        return self.compatible

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        return self._answering(found) if callable(found) else found

    def _answering(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*arguments: Any, **named: Any) -> Any:
            if self.failure is not None:
                raise self.failure
            try:
                return call(*arguments, **named)
            except SchemaRegistryError as error:  # it has a code of its own
                raise SchemaRegistryError(*_UNKNOWN) from error

        return answer
