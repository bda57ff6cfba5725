"""OpenTelemetry, for those who want it: the extra `otel` and the standard `OTEL_*` environment.

Nothing of it is imported unless an exporter is configured there. Requests become spans of FastAPI's own
instrumentation; where they go, with which name and how many of them, is said by the environment alone.
"""

from collections.abc import Mapping
from typing import Final

import structlog
from fastapi import FastAPI

from common.domain.errors import ConfigError

log: Final = structlog.get_logger(__name__)

_WANTED_BY: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NOT_TRACED: Final = "livez,readyz,healthz,metrics,api/v1/events"


def is_tracing_wanted(environment: Mapping[str, str]) -> bool:
    """Whether an exporter is configured, and tracing not switched off."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off = is_off or environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
    return not is_off and any(environment.get(name) for name in _WANTED_BY)


def trace_requests(app: FastAPI, environment: Mapping[str, str]) -> None:
    """
    Send a span of every request of *app*, if the environment names a receiver.

    Raises:
        ConfigError: It does, and the extra `otel` is not installed.
    """
    if not is_tracing_wanted(environment):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, and {error.name} is missing: install everytick[otel], "
            "or set OTEL_SDK_DISABLED=true"
        ) from error
    name = environment.get("OTEL_SERVICE_NAME", "everytick-master")
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider, excluded_urls=_NOT_TRACED)
    log.info("tracing.started", service=name)
