"""Deliveries as OpenTelemetry's traces and metrics, through its API alone.

Names follow its semantic conventions for messaging; what they lack begins with vero_deliver.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import SpanKind, Status, StatusCode

from vero_deliver.errors import VeroDeliverError

if TYPE_CHECKING:
    from vero_deliver.observe import Backlog, Outcome

_NAME: Final = "vero_deliver"
_UNSET: Final = trace.ProxyTracerProvider
_SYSTEM: Final = {"messaging.system": "vero_deliver"}
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

log = logging.getLogger(__name__)


class Telemetry:
    """The instruments, made once; left out, the application's providers, set now or later."""

    def __init__(
        self,
        tracers: trace.TracerProvider | None = None,
        meters: metrics.MeterProvider | None = None,
    ) -> None:
        self._own = tracers is not None
        self._tracer = trace.get_tracer(_NAME, tracer_provider=tracers)
        meter = metrics.get_meter(_NAME, meter_provider=meters)
        self._deliveries = meter.create_counter(
            "vero_deliver.deliveries", "{delivery}", "Deliveries that came to a state."
        )
        self._feedback = meter.create_counter(
            "vero_deliver.feedback", "{feedback}", "What was told about deliveries."
        )
        self._duration = meter.create_histogram(
            "messaging.client.operation.duration",
            "s",
            "How long it took to hand a message to a channel.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._watched: dict[object, tuple[str, Callable[[], Backlog]]] = {}
        for name, unit, text, which in (
            ("vero_deliver.outbox.due", "{delivery}", "Deliveries that are due.", 0),
            ("vero_deliver.outbox.oldest", "s", "For how long the first of them has been.", 1),
        ):
            meter.create_observable_gauge(name, [self._measuring(which)], unit, text)

    def count(self, outcome: Outcome) -> None:
        attributes = {
            "vero_deliver.state": outcome.state,
            "vero_deliver.content": outcome.content,
            "messaging.destination.name": outcome.channel,
            "error.type": outcome.error,
        }
        self._deliveries.add(1, {name: value for name, value in attributes.items() if value})

    def count_feedback(self, kind: str, channel: str) -> None:
        about = {"vero_deliver.kind": kind, "messaging.destination.name": channel}
        self._feedback.add(1, about)

    def delivering(self, key: str, content: str) -> Any:
        about = {**_SYSTEM, "messaging.message.id": key, "vero_deliver.content": content}
        return self._span(f"deliver {content}", SpanKind.INTERNAL, about)

    def rendering(self, message_id: str, version: str) -> Any:
        about = {"vero_deliver.message.id": message_id, "vero_deliver.message.version": version}
        return self._span("render", SpanKind.INTERNAL, about)

    @contextmanager
    def sending(self, channel: str, key: str) -> Iterator[None]:
        measured = {
            **_SYSTEM,
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": channel,
        }
        about = measured | {"messaging.message.id": key}
        began = time.perf_counter()
        try:
            with self._span(f"send {channel}", SpanKind.PRODUCER, about):
                yield
        except BaseException as error:
            measured["error.type"] = type(error).__name__
            raise
        finally:
            self._duration.record(time.perf_counter() - began, measured)

    @contextmanager
    def watching(self, env: str, backlog: Callable[[], Backlog]) -> Iterator[None]:
        mine = object()
        self._watched[mine] = (env, backlog)
        try:
            yield
        finally:
            del self._watched[mine]

    def _span(self, name: str, kind: SpanKind, attributes: dict[str, str]) -> Any:
        # others' libraries bring the API along; without a provider a span is dear and goes nowhere
        unset = not self._own and isinstance(trace.get_tracer_provider(), _UNSET)
        return nullcontext() if unset else self._spanning(name, kind, attributes)

    @contextmanager
    def _spanning(self, name: str, kind: SpanKind, attributes: dict[str, str]) -> Iterator[None]:
        # an exception's words may hold an address: only its class is told
        with self._tracer.start_as_current_span(
            name,
            kind=kind,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def _measuring(self, which: int) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def measure(options: CallbackOptions) -> Iterator[Observation]:
            del options
            for env, backlog in dict(self._watched.values()).items():
                try:
                    yield Observation(backlog()[which], {"vero_deliver.env": env})
                except VeroDeliverError as error:
                    log.warning("backlog of %s not known: %s", env, error)

        return measure
