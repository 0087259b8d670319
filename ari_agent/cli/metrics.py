"""`ari-agent metrics`: what a running service counts; and the loopback server from which Prometheus reads it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import typer
from prometheus_client import start_http_server
from prometheus_client.parser import text_string_to_metric_families

from ari_agent.cli.options import Config, Json
from ari_agent.config import Metrics, load
from ari_agent.errors import ConfigError

log = structlog.get_logger(__name__)

_ANSWER_S = 3.0


def metrics(config: Config = None, *, as_json: Json = False) -> None:
    """Print the figures of the running service, as Prometheus reads them."""
    text = _fetch(load(config).metrics)
    if not as_json:
        typer.echo(text, nl=False)
        return
    samples = [
        {"name": sample.name, "labels": sample.labels, "value": sample.value}
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    typer.echo(json.dumps(samples, ensure_ascii=False, indent=2))


@contextmanager
def served(settings: Metrics) -> Iterator[None]:
    """Serve the figures from a thread of its own; calls are served also when the port is taken."""
    if not settings.port:
        yield
        return
    try:
        server, thread = start_http_server(settings.port, settings.host)
    except OSError as e:
        log.warning("no figures are served; name another metrics.port", port=settings.port, reason=e.strerror)
        yield
        return
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _fetch(settings: Metrics) -> str:
    if not settings.port:
        raise ConfigError("metrics.port is 0: the service serves no figures; name a port")
    address = f"http://{settings.host}:{settings.port}/metrics"
    try:
        with urllib.request.urlopen(address, timeout=_ANSWER_S) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, TimeoutError) as e:
        raise ConfigError(f"no service answers on {address}: start `ari-agent run` with these settings first") from e
