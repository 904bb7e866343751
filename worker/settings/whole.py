"""All settings of the worker, and the rules between their sections, so that every problem is found at once."""

from typing import Any

from pydantic import model_validator

from worker.settings import owned_properties, renamed
from worker.settings.delivery import BatchSettings, DeliverySettings
from worker.settings.fields import Section
from worker.settings.flag_rate import FlagRateSettings
from worker.settings.formats import Format, RegistrySettings
from worker.settings.input import InputSettings
from worker.settings.kafka import KafkaSettings
from worker.settings.model import ModelSettings
from worker.settings.output import DeadLetterSettings, OutputSettings
from worker.settings.page import PageSettings
from worker.settings.process import HttpSettings, LogSettings
from worker.settings.shadow import ShadowSettings
from worker.settings.tracing import TracingSettings


class Settings(Section):
    """All settings of `sluice`."""

    kafka: KafkaSettings = KafkaSettings()
    input: InputSettings = InputSettings()
    output: OutputSettings = OutputSettings()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    model: ModelSettings = ModelSettings()
    batch: BatchSettings = BatchSettings()
    delivery: DeliverySettings = DeliverySettings()
    flag_rate: FlagRateSettings = FlagRateSettings()
    shadow: ShadowSettings = ShadowSettings()
    registry: RegistrySettings = RegistrySettings()
    tracing: TracingSettings = TracingSettings()
    page: PageSettings = PageSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="before")
    @classmethod
    def _takes_old_names(cls, values: Any) -> Any:
        return renamed.between_sections(values)

    @model_validator(mode="after")
    def _topics_differ(self) -> "Settings":
        written = {self.output.topic, self.dead_letters.topic}
        if len(written) == 1 or any(map(self.input.reads, written)):
            message = (
                "input.topic, output.topic and dead_letters.topic must differ: the worker would read its own output"
            )
            raise ValueError(message)
        examples = self.shadow.examples_topic
        if examples is not None and (examples in written or self.input.reads(examples)):
            message = "shadow.examples_topic must be a topic of its own: readers of the others expect other records"
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
