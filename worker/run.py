"""Puts a worker together from its settings and runs it until it is told to stop."""

import gc
import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, disable_created_metrics

from worker import __version__
from worker.errors import BreakerOpen, SluiceError
from worker.events.decoding import Decoder
from worker.events.outcome_encoder import OutcomeEncoder
from worker.formats.conversion import Conversion
from worker.kafka.consumer.source import KafkaSource
from worker.kafka.delivery.output_cleanup import ForwardsDeletions
from worker.kafka.delivery.publishers import make_publisher
from worker.kafka.start_check import StartCheck
from worker.observability.health import Health, HealthLimits
from worker.observability.http import serve
from worker.observability.logs import adopt_logger
from worker.observability.metrics import Metrics
from worker.observability.observer import WorkerObserver
from worker.observability.status import LOG_SECONDS, TERMINAL_SECONDS, Report, StatusReports, log_status
from worker.observability.watcher import Watcher
from worker.protocols import Classifier
from worker.settings import BatchSettings, Settings
from worker.shadow.setup import Shadowing
from worker.stop_signals import StopSignals
from worker.stream.batching import BatchLimits
from worker.stream.circuit_breaker import Breaker
from worker.stream.flag_rate import FlagRates, check_bands
from worker.stream.flow_control import FlowControl
from worker.stream.loop import Worker
from worker.stream.model_change import ModelChange
from worker.stream.model_in_use import ModelInUse
from worker.stream.model_threads import ModelThreads
from worker.tracing.setup import Tracing

FORWARD_PASSES_PER_BATCH = 4
"""Forward passes' worth of tokens that one batch may hold: more to sort by length among, and still about a second of
work on two cores, so that a rebalance or a shutdown does not wait long for the batch in the model."""

YOUNG_OBJECTS = 20_000
"""Objects made before the collector looks at the young ones: those of a few batches. With Python's own 700 it looks
several times a batch, at records that are all still in flight."""

log = structlog.stdlib.get_logger(__name__)


def run(
    settings: Settings,
    *,
    classifier: Classifier[Any] | None = None,
    stop: threading.Event | None = None,
    report: Report = log_status,
    reread: Callable[[], Settings] | None = None,
) -> None:
    """Load the model, join the group and work until SIGTERM, SIGINT or `stop`; then drain.

    Before the group is joined a signal ends the process at once: nothing is in flight (exit code 0). A second signal
    while it drains does, too: what is in flight is dropped, uncommitted (exit code 4).

    Args:
        settings: All settings.
        classifier: Scores instead of the model that the settings name.
        stop: Set it to stop; without it the process's signals do.
        report: Shows the worker's status; on a terminal every second, in the log every ten.
        reread: Reads the settings again when SIGHUP asks for another model; without it only the model's files are.

    Raises:
        SluiceError: What ended the worker; its class has the exit code.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, saying when it began
    metrics = Metrics(CollectorRegistry())
    health = Health(time.monotonic, HealthLimits.of(settings.kafka.properties))
    with ExitStack() as stack:
        if server := serve(settings.http, health, metrics.registry):
            stack.callback(server.stop)
        signals = StopSignals()
        if stop is None:
            stack.enter_context(signals)
        try:
            conversion = Conversion(settings, clock=time.monotonic, sleep=time.sleep, uniform=random.uniform)
            conversion.check()
            tracing = Tracing(settings, __version__)
            stack.callback(tracing.close)
            shadowing = Shadowing(settings, metrics.shadow, time.monotonic, time.time)
            stack.callback(shadowing.close)
            model = ModelInUse(classifier or _load_model(settings, metrics))
            metrics.describe_model(model.identity, model.labels, model.lanes)
            health.model_loaded()
            change = ModelChange(
                signals.change_requested,
                lambda: _load_successor(settings, reread or (lambda: settings), metrics),
                model,
                lambda outcome: metrics.model_changes.labels(outcome).inc(),
            )
            worker = _assemble(
                settings, model, change, conversion, tracing, shadowing, metrics, health, _status(report)
            )
            _collect_seldom()
            log.info(
                "working",
                input=settings.input.topic,
                output=settings.output.topic,
                group=settings.kafka.group_id,
                guarantee=settings.delivery.guarantee.value,
                **model.identity._asdict(),
            )
            signals.begin_work()
            stopping, check = stop or signals.requested, StartCheck(settings)

            def stop_requested() -> bool:
                check.raise_fault()
                return stopping.is_set()

            worker.run(stop_requested)
        except SluiceError as error:
            if isinstance(error, BreakerOpen):
                metrics.breaker_open.set(1)
                health.breaker_opened("too many records were rejected")
            health.failed(type(error).__name__)
            raise
        log.info("stopped: all in flight is settled and committed")


def _load_model(settings: Settings, metrics: Metrics) -> Classifier[Any]:
    from worker.classifier import Classifier as TransformerClassifier  # noqa: PLC0415 - torch: seconds, maybe unneeded

    started = time.monotonic()
    log.info("loading the model", id=settings.model.id, revision=settings.model.revision)
    model = TransformerClassifier.load(settings.model, side_by_side=True)
    adopt_logger("transformers")  # it brings a handler of its own, whose lines would be no JSON
    model.warm_up()
    metrics.model_load_seconds.set(time.monotonic() - started)
    return model


def _load_successor(first: Settings, reread: Callable[[], Settings], metrics: Metrics) -> Classifier[Any]:
    """The model that the settings name now; of all other settings the first ones hold until the worker ends."""
    now = reread()
    others = [section for section in type(now).model_fields if section != "model"]
    if changed := [section for section in others if getattr(now, section) != getattr(first, section)]:
        log.warning("these settings have changed as well, and need a restart", sections=changed)
    model = _load_model(now, metrics)
    check_bands(first.flag_rate, model.labels)
    return model


def _collect_seldom() -> None:
    """The model stays for long and records die by reference count: neither is worth the collector's time.

    Together a tenth more events a second where the stream is the limit, measured. A model that was replaced is let go.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def _status(report: Report) -> StatusReports:
    return StatusReports(report, LOG_SECONDS if report is log_status else TERMINAL_SECONDS, time.monotonic)


def _assemble(
    settings: Settings,
    model: ModelInUse,
    change: ModelChange,
    conversion: Conversion,
    tracing: Tracing,
    shadowing: Shadowing,
    metrics: Metrics,
    health: Health,
    status: StatusReports,
) -> Worker[Any]:
    """The parts, joined through the protocols of `worker.protocols`."""
    clock = time.monotonic
    source = KafkaSource(settings, clock=clock, sleep=time.sleep, uniform=random.uniform)
    encoder = OutcomeEncoder(settings, model, time.time)
    publisher = make_publisher(
        settings,
        source,
        tracing.encoder(conversion.encoder(encoder.encode)),
        Breaker(settings.dead_letters),
        clock=clock,
        sleep=time.sleep,
        uniform=random.uniform,
    )
    flag_rates = FlagRates(settings.flag_rate, model.labels)
    watcher = Watcher(
        metrics=metrics,
        health=health,
        source=source,
        publisher=publisher,
        classifier=model,
        flag_rates=flag_rates.facts,
        clock=clock,
        wall_clock=time.time,
        report=status.look,
    )
    only_topic = settings.input.only_topic
    observer = WorkerObserver(metrics, health, only_topic, clock, time.time, watcher.look, status.settled)

    def exemplify(seconds: float, labels: dict[str, str]) -> None:
        metrics.record_latency_seconds.exemplify(seconds, labels, time.time())

    scoring = tracing.observer(observer, exemplify)

    def follow(successor: Classifier[Any]) -> None:
        encoder.follow(successor)
        flag_rates.follow(successor.labels)
        metrics.describe_model(successor.identity, successor.labels, successor.lanes)
        _collect_seldom()

    model.when_it_changes(follow)
    flow = FlowControl(settings.delivery, settings.batch)
    return Worker(
        source=source,
        publisher=shadowing.publisher(tracing.publisher(publisher), model, lambda: flow.records > 0),
        model_threads=ModelThreads(model, batch_limits(settings.batch, model.pass_tokens), clock, scoring),
        model_change=change,
        decoder=conversion.decoder(Decoder(settings.input, ForwardsDeletions(settings))),
        breaker=Breaker(settings.dead_letters),
        flag_rates=flag_rates,
        flow=flow,
        settings=settings.delivery,
        clock=clock,
        observer=observer,
    )


def batch_limits(batch: BatchSettings, pass_tokens: int) -> BatchLimits:
    """When a batch is full, or old enough, for a model that computes `pass_tokens` tokens at once."""
    return BatchLimits(batch.max_records, FORWARD_PASSES_PER_BATCH * pass_tokens, batch.linger_seconds)
