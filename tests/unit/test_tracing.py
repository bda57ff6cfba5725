"""OpenTelemetry is asked for by the environment, and is not there for anybody else."""

import subprocess
import sys

import pytest

from master.tracing import is_tracing_wanted

RECEIVER = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, False, id="nothing said"),
        pytest.param(RECEIVER, True, id="a receiver"),
        pytest.param({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True, id="a receiver of traces"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False, id="an empty receiver"),
        pytest.param(RECEIVER | {"OTEL_SDK_DISABLED": "true"}, False, id="switched off"),
        pytest.param(RECEIVER | {"OTEL_TRACES_EXPORTER": "none"}, False, id="no traces"),
    ],
)
def test_tracing_is_asked_for_by_the_environment(environment: dict[str, str], expected: bool):
    """The standard names decide, and silence means no."""
    assert expected == is_tracing_wanted(environment)


@pytest.mark.slow
def test_a_master_without_it_imports_nothing_of_it():
    """Neither the SDK nor the instrumentation, whether or not they are installed."""
    code = (
        "import sys, master.__main__; "
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.instr'))])"
    )
    call = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "[]" == call.stdout.strip(), call.stderr
