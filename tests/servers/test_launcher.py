from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from widgets.messages import MAX_JSON
from widgets.servers import __main__ as launcher
from widgets.servers.limits import LimitedKernels
from widgets.servers.nodelay import NoDelay
from widgets.servers.offline import enable_offline

CONFIG = launcher.HERE / "config"


def config(name: str) -> Any:
    return json.loads((CONFIG / f"{name}.json").read_text())


def policy(settings: Any) -> dict[str, str]:
    text = settings["tornado_settings"]["headers"]["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in text.split("; "))


def test_both_servers_send_the_same_policy_and_turn_the_delay_off() -> None:
    lab, app = config("jupyter_server_config")["ServerApp"], config("voila")["Voila"]
    assert policy(lab) == policy(app)
    for settings in (lab, app):
        assert settings["kernel_websocket_connection_class"] == f"{NoDelay.__module__}.{NoDelay.__name__}"
        assert settings["ip"] == "127.0.0.1"


def test_the_policy_runs_no_handler_in_markup_and_names_no_other_host() -> None:
    rules = policy(config("voila")["Voila"])
    assert rules["script-src-attr"] == "'none'"
    assert rules["object-src"] == rules["script-src-attr"]
    assert {"default-src", "script-src", "connect-src", "img-src", "frame-ancestors"} <= rules.keys()
    for sources in rules.values():
        for source in sources.split():
            assert source in {
                "'self'",
                "'none'",
                "'unsafe-inline'",
                "'unsafe-eval'",
                "data:",
                "blob:",
            }


def test_our_configuration_comes_before_the_users() -> None:
    env = launcher.server_environment({"JUPYTER_PATH": "/theirs", "HOME": "/home/x"})
    assert env["JUPYTER_CONFIG_PATH"] == str(CONFIG)
    assert env["JUPYTER_PATH"].split(os.pathsep) == [str(launcher.HERE / "share" / "jupyter"), "/theirs"]
    assert env["JUPYTER_WIDGETS_ECHO"] == "0"
    assert env["HOME"] == "/home/x"


def test_a_port_that_is_taken_is_refused_and_the_usual_one_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(launcher.ServerError, match=f"port {port} is taken; .* --port"):
            launcher.choose_port("lab", port)
        monkeypatch.setitem(launcher.PORTS, "lab", port)
        assert port < launcher.choose_port("lab", None) < port + 50


def test_no_free_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "is_free", lambda port: False)
    with pytest.raises(
        launcher.ServerError, match=r"no port of 8866\.\.8915 is free; choose one with --port"
    ):
        launcher.choose_port("app", None)


def test_a_notebook_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "widgets.servers", "app", str(tmp_path / "none.ipynb")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "there is no notebook" in done.stderr


def test_the_command_names_notebook_and_port_and_passes_further_arguments_on(tmp_path: Path) -> None:
    notebook = tmp_path / "a.ipynb"
    notebook.touch()
    app = launcher.server_command("app", notebook, 9000, browser=False, extra=["--token=t"])
    assert app[1:] == ["-m", "widgets.servers.app", str(notebook), "--port=9000", "--no-browser", "--token=t"]
    lab = launcher.server_command("lab", notebook, 9001, browser=True)
    assert {"jupyterlab", str(notebook), "--ServerApp.port=9001", "--ServerApp.port_retries=0"} <= set(lab)
    assert "--no-browser" not in lab


def test_voilas_page_links_to_no_other_host() -> None:
    # Everything that voila's page is made of but what our template leaves out: the block with the two style sheets.
    template = launcher.HERE / "share/jupyter/nbconvert/templates/workbench/index.html.j2"
    assert not re.search(r"https?://|//cdn", template.read_text())
    assert "super.super()" in template.read_text()


def test_charts_are_drawn_without_a_cdn_and_turning_that_on_twice_is_no_matter() -> None:
    import altair

    enable_offline()
    enable_offline()
    assert "https://" not in altair.JupyterChart._esm[:2000]
    assert "esm.sh" not in altair.JupyterChart._esm
    assert altair.renderers.active == "jupyter"


def test_the_app_ends_kernels_that_nobody_uses_and_takes_no_huge_message() -> None:
    voila = config("voila")
    kernels = voila["LimitedKernels"]
    assert kernels["max_kernels"] >= 1
    assert 0 < kernels["cull_interval"] <= kernels["cull_idle_timeout"]
    assert kernels["cull_connected"]
    assert voila["VoilaConfiguration"]["multi_kernel_manager_class"].endswith(f".{LimitedKernels.__name__}")
    # The largest that the page sends is a recipe's JSON or a lasso.
    assert MAX_JSON < voila["Voila"]["tornado_settings"]["websocket_max_message_size"] <= 2**23


@pytest.mark.parametrize("memory", ["0", "-1", "nan", "inf", "much"])
def test_a_memory_limit_is_a_number_above_0(memory: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        launcher.main(["app", f"--memory={memory}"])
    assert f"must be a number above 0, got '{memory}'" in capsys.readouterr().err


def test_a_process_can_not_have_more_memory_than_its_limit() -> None:
    code = (
        "from widgets.servers.limits import limit_memory\nlimit_memory(1)\nlimit_memory(2)\n"
        "try:\n    bytearray(3 * 2**29)\nexcept MemoryError:\n    print('no room')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "no room\n"
