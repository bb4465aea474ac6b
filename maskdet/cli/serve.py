"""``maskdet serve``: the model over HTTP and WebSocket, with a page."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli import EXIT_DONE
from maskdet.cli.options import option, options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.options.outputs import AlertOptions
from maskdet.errors import SourceError
from maskdet.extras import require
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.detector.inference.runtime import Runtime
    from maskdet.serve.cameras import Cameras
    from maskdet.serve.engine import Engine
    from maskdet.serve.settings import ServerSettings

#: The variable that holds the key, where no file does.
KEY_VARIABLE = "MASKDET_API_KEY"


class ParsedType(click.ParamType):  # type: ignore[type-arg]
    """A value that a function of ``maskdet.serve.settings`` reads."""

    def __init__(self, name: str, parse: str) -> None:
        """Name it, and the function."""
        self.name, self._parse = name, parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the text says."""
        from maskdet.serve import settings

        parse: Callable[[str], Any] = getattr(settings, self._parse)
        try:
            return parse(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Where the server listens, whom it lets in, and how much it takes."""

    host: str = option(
        "--host", default="127.0.0.1", show_default=True, help="Address to bind; any but loopback needs a key."
    )
    port: int = option(
        "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any that is free."
    )
    api_key_file: str | None = option(
        "--api-key-file",
        metavar="FILE",
        help=f"Ask every request for a key that stands in this file, one a line; or set {KEY_VARIABLE}.",
    )
    allow_origin: tuple[str, ...] = option(
        "--allow-origin", multiple=True, metavar="ORIGIN", help="Let pages of this origin call (CORS)."
    )
    allow_host: tuple[str, ...] = option(
        "--allow-host", multiple=True, metavar="NAME", help="Answer to this name too, beside addresses."
    )
    insecure: bool = option("--insecure", is_flag=True, help="Let other machines in without a key.")
    max_body: int = option(
        "--max-body",
        type=ParsedType("size", "parse_size"),
        default="20MB",
        show_default=True,
        help="Largest body of a request.",
    )
    queue: int = option(
        "--queue", type=click.IntRange(1, 10_000), default=8, show_default=True, help="Pictures that may wait."
    )
    rate: float | None = option(
        "--rate", type=ParsedType("rate", "parse_rate"), help="Requests from one address, such as 20/s."
    )
    threads: int = option(
        "--threads",
        type=click.IntRange(0, 256),
        default=0,
        help="Threads a picture.  [default: all for one that comes alone, else one]",
    )
    dialects: tuple[str, ...] = option(
        "--dialect",
        type=ParsedType("list", "parse_dialects"),
        default=(),
        help="Other interfaces spoken too: deepstack, compreface, label-studio; several with commas.",
    )
    stream: tuple[tuple[str, int | str], ...] = option(
        "--stream",
        multiple=True,
        type=ParsedType("NAME=SOURCE", "parse_stream"),
        help="Watch a camera: its index, an address, or a file; at /v1/streams/NAME.",
    )
    metrics: bool = option("--metrics", is_flag=True, help="Answer /metrics for Prometheus.")
    no_page: bool = option("--no-page", is_flag=True, help="No page, only the interface for programs.")

    def settings(self) -> ServerSettings:
        """Return them as the server takes them.

        Raises:
            MaskdetError: other machines would get in without a key, or a key cannot be read.
        """
        from maskdet.serve.settings import ServerSettings, check_exposure

        settings = ServerSettings(
            host=self.host,
            port=self.port,
            keys=read_keys(self.api_key_file),
            origins=self.allow_origin,
            hosts=self.allow_host,
            max_body=self.max_body,
            rate=self.rate,
            metrics=self.metrics,
            page=not self.no_page,
            dialects=self.dialects,
        )
        check_exposure(settings, insecure=self.insecure)
        return settings


@click.command()
@options("host", "port", server=ServeOptions)
@options(model=ModelOptions)
@options(
    "api_key_file",
    "allow_origin",
    "allow_host",
    "insecure",
    "max_body",
    "queue",
    "rate",
    "threads",
    server=ServeOptions,
)
@options("metrics", "no_page", "dialects", "stream", server=ServeOptions)
@options(alerts=AlertOptions)
def serve(*, server: ServeOptions, model: ModelOptions, alerts: AlertOptions) -> int:
    """Answer over HTTP: a page for people, JSON for programs, at http://127.0.0.1:8000 unless told otherwise.

    Nothing of a picture is kept, written or sent on. Ctrl-C or SIGTERM ends it once running requests are answered, a
    second one at once.
    """
    for module in (
        "fastapi",
        "uvicorn",
        "python_multipart",
        "prometheus_client",
        "websockets",
        "httptools",
        "fastapi_offline",
    ):
        require(module, what="maskdet serve", extra="serve")
    from maskdet.serve.app import create_app
    from maskdet.serve.process import run_server

    settings = server.settings()
    engine = open_engine(model.settled(), threads=server.threads, room=server.queue)
    cameras = open_cameras(server.stream, engine, alerts)
    run_server(create_app(engine, settings, cameras), settings, say, stopping=cameras.stop)
    return EXIT_DONE


def open_engine(model: ModelOptions, *, threads: int, room: int) -> Engine:
    """Load the models.

    Raises:
        click.UsageError: an option out of its range, or one that does not go with another or with the file.
        MaskdetError: a file or the device cannot be used, or a package is missing.
    """
    from maskdet.detector.inference.runtime import load_runtime
    from maskdet.serve.engine import Engine
    from maskdet.serve.options import Look
    from maskdet.sessions.devices import is_cpu
    from maskdet.sessions.processor import run_threads, threads_each
    from maskdet.weights import resolve_weights

    name, path = resolve_weights(model.weights)

    def load(threads: int) -> Runtime:
        return load_runtime(
            path,
            name=name,
            device=model.device,
            threads=threads,
            runtime=model.runtime,
            precision=model.precision,
            trust_weights=model.trust_weights,
        )

    each = threads or threads_each()
    # A picture that comes alone is done soonest on all cores, and many are where each has one.
    two = not threads and is_cpu(model.device) and run_threads() > each
    try:
        network = load(each)
        return Engine(
            network,
            model.open_classifier(),
            device=model.device,
            threads=each,
            usual=Look.of(model),
            room=room,
            alone=load(0) if two and getattr(network, "side_by_side", False) else None,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def open_cameras(streams: Sequence[tuple[str, int | str]], engine: Engine, alerts: AlertOptions) -> Cameras:
    """Prepare the cameras; people are told apart where the ``track`` extra is there.

    Raises:
        click.UsageError: two of one name, or alerts without a camera or that are none.
    """
    from maskdet.serve.cameras import Camera, Cameras
    from maskdet.serve.live import open_tracker

    alerts.open(engine.detector.names)
    if alerts.alert and not streams:
        raise click.UsageError("--alert looks at cameras: name one by --stream NAME=SOURCE")
    names = [name for name, _ in streams]
    if twice := {name for name in names if names.count(name) > 1}:
        raise click.UsageError(f"--stream names {', '.join(sorted(twice))} twice")
    if streams and not tracking_installed():
        say("note: people are not told apart without more packages: pip install 'maskdet[track]'")
    return Cameras(
        {
            name: Camera(
                name,
                source,
                engine,
                tracker=open_tracker() if tracking_installed() else None,
                alerts=alerts.open(engine.detector.names),
                say=say,
            )
            for name, source in streams
        }
    )


def tracking_installed() -> bool:
    """Whether the ``track`` extra is there."""
    return all(find_spec(module) is not None for module in ("trackers", "supervision"))


def read_keys(file: str | None) -> tuple[str, ...]:
    """Return the keys of a file, one a line, or the one of the environment.

    Raises:
        SourceError: the file cannot be read, or holds none.
    """
    if file is None:
        key = os.environ.get(KEY_VARIABLE, "").strip()
        return (key,) if key else ()
    try:
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123 - a path as it was typed
            keys = tuple(line.strip() for line in opened if line.strip())
    except (OSError, ValueError) as error:
        raise SourceError(file, f"cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from error
    if not keys:
        raise SourceError(file, "holds no key: write one on a line")
    return keys
