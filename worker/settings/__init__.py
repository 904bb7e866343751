"""Every setting of the worker: name, default, unit and reason, a module for each group.

A setting comes from the environment (`SLUICE_` + section + `__` + name), an optional `.env`, an optional TOML file
and flags, the later winning (`worker.settings.configuration` reads them). Unknown names are refused. Rules between
sections are in `worker.settings.whole`, so that all problems are found, and printed, at once.
"""

from worker.settings.delivery import BatchSettings, DeliverySettings, Guarantee
from worker.settings.flag_rate import FlagRateSettings
from worker.settings.formats import Format, RegistrySettings, SchemaIdPlace, SubjectStrategy
from worker.settings.input import Condition, Envelope, IdKind, InputSettings, Start, TextFormat
from worker.settings.kafka import GroupProtocol, KafkaSettings
from worker.settings.model import ModelSettings, OtherLanguages, Precision, ReasonMethod
from worker.settings.output import DeadLetterSettings, NamesPreset, OutputSettings, TextOutput, Tombstones
from worker.settings.page import PageSettings
from worker.settings.process import HttpSettings, LogFormat, LogLevel, LogSettings
from worker.settings.shadow import CandidateSettings, ExamplesKept, ShadowSettings, candidate_model
from worker.settings.tracing import TracingSettings
from worker.settings.whole import Settings

__all__ = [
    "BatchSettings",
    "CandidateSettings",
    "Condition",
    "DeadLetterSettings",
    "DeliverySettings",
    "Envelope",
    "ExamplesKept",
    "FlagRateSettings",
    "Format",
    "GroupProtocol",
    "Guarantee",
    "HttpSettings",
    "IdKind",
    "InputSettings",
    "KafkaSettings",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "ModelSettings",
    "NamesPreset",
    "OtherLanguages",
    "OutputSettings",
    "PageSettings",
    "Precision",
    "ReasonMethod",
    "RegistrySettings",
    "SchemaIdPlace",
    "Settings",
    "ShadowSettings",
    "Start",
    "SubjectStrategy",
    "TextFormat",
    "TextOutput",
    "Tombstones",
    "TracingSettings",
    "candidate_model",
]
