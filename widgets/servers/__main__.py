"""Start JupyterLab or voila on a notebook, as `make lab` and `make app` do.

python -m widgets.servers lab notebooks/01_look.ipynb
python -m widgets.servers app notebooks/app.ipynb --port 8866 --no-browser --memory 4 --host-name bench.example.org
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from widgets.servers.limits import limit_memory

HERE = Path(__file__).resolve().parent
PORTS = {"lab": 8888, "app": 8866}
_N_PORTS_TRIED = 50
# The embedded sample with the small language model and the embedder takes 1.7 GB (measured); larger ones come on top.
KERNEL_GIGABYTES = 4.0


class ServerError(Exception):
    """The server can't be started as asked; the text says why and what to do."""


def server_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with our configuration in front of any of the user's."""
    env = dict(environ)
    for name, path in (
        ("JUPYTER_CONFIG_PATH", HERE / "config"),
        ("JUPYTER_PATH", HERE / "share" / "jupyter"),
    ):
        rest = env.get(name)
        env[name] = os.pathsep.join([str(path), rest] if rest else [str(path)])
    # Without the echo one frame of four is saved on each move of a slider; no page of ours has two views of a widget
    # that need it.
    env["JUPYTER_WIDGETS_ECHO"] = "0"
    return env


def is_free(port: int) -> bool:
    """True if nothing listens on `port` of this machine."""
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are still being closed counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port(kind: str, wanted: int | None) -> int:
    """The port asked for, or the first free one from the usual one on.

    Raises
    ------
    ServerError
        If the port asked for is taken (voila would take another one without a word), or none is free.
    """
    if wanted is not None:
        if not is_free(wanted):
            raise ServerError(f"port {wanted} is taken; end what listens there or choose another with --port")
        return wanted
    for port in range(PORTS[kind], PORTS[kind] + _N_PORTS_TRIED):
        if is_free(port):
            return port
    raise ServerError(
        f"no port of {PORTS[kind]}..{PORTS[kind] + _N_PORTS_TRIED - 1} is free; choose one with --port"
    )


def server_command(
    kind: str, notebook: Path, port: int, *, browser: bool, extra: Sequence[str] = ()
) -> list[str]:
    """The command that starts the server.

    Raises
    ------
    ServerError
        If there is no such notebook.
    """
    if not notebook.is_file():
        raise ServerError(
            f"there is no notebook {notebook}; the notebooks are in the repository's folder notebooks/"
        )
    show = [] if browser else ["--no-browser"]
    if kind == "app":
        return [sys.executable, "-m", "widgets.servers.app", str(notebook), f"--port={port}", *show, *extra]
    # In a container one is root; it listens on localhost only.
    root = ["--allow-root"] if os.geteuid() == 0 else []
    ports = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return [sys.executable, "-m", "jupyterlab", str(notebook), *ports, *root, *show, *extra]


def positive(text: str) -> float:
    """A number above 0, from the command line.

    Raises
    ------
    ArgumentTypeError
        If it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return number


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and become the server."""
    parser = argparse.ArgumentParser(
        prog="python -m widgets.servers",
        description="Start JupyterLab (lab) or the voila app (app) with the workbench's settings.",
        epilog="Further arguments go to the server: python -m widgets.servers lab --IdentityProvider.token=T",
    )
    parser.add_argument("kind", choices=("lab", "app"))
    parser.add_argument(
        "notebook", nargs="?", type=Path, help="notebooks/01_look.ipynb or notebooks/app.ipynb if not given"
    )
    parser.add_argument(
        "--port", type=int, help="the port; if not given the first free one from 8888 or 8866 on"
    )
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser window")
    parser.add_argument(
        "--memory",
        type=positive,
        default=KERNEL_GIGABYTES,
        help="gigabytes that each visitor of the app may take (default: %(default)g); lab has no limit",
    )
    parser.add_argument(
        "--host-name",
        action="append",
        default=[],
        help="name by which visitors reach the app through a proxy; may be given several times",
    )
    args, extra = parser.parse_known_args(argv)
    extra += [f"--App.host_names={name}" for name in args.host_name]
    notebook = args.notebook or Path("notebooks") / ("01_look.ipynb" if args.kind == "lab" else "app.ipynb")
    try:
        port = choose_port(args.kind, args.port)
        command = server_command(args.kind, notebook, port, browser=not args.no_browser, extra=extra)
    except ServerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is a command line
        raise SystemExit(2) from None
    if args.kind == "app":
        limit_memory(args.memory)
    os.execve(command[0], command, server_environment(os.environ))  # noqa: S606 - a list that we made, no shell


if __name__ == "__main__":
    main()
