from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.browser import chromium


def nothing(name: str) -> str | None:
    return None


def only(*names: str) -> Callable[[str], str | None]:
    return lambda name: f"/bin/{name}" if name in names else None


def test_the_named_browser_comes_first() -> None:
    which = only("chromium", "my-chrome")
    assert chromium.find({chromium.VARIABLE: "my-chrome"}, which) == "/bin/my-chrome"
    assert chromium.find({}, which) == "/bin/chromium"


def test_chrome_is_taken_where_there_is_no_chromium() -> None:
    assert chromium.find({}, only("google-chrome")) == "/bin/google-chrome"


def test_playwrights_own_is_found_last() -> None:
    seen: list[str] = []

    def which(name: str) -> str | None:
        seen.append(name)
        return None

    assert chromium.find({}, which) is None
    assert seen[:-1] == list(chromium.NAMES)
    assert "chrom" in seen[-1]
    assert seen[-1].startswith("/")


def test_a_named_browser_that_can_not_be_run_is_told() -> None:
    with pytest.raises(
        chromium.NoBrowserError, match="WORKBENCH_CHROMIUM=/none can't be run; name a Chromium"
    ):
        chromium.find({chromium.VARIABLE: "/none"}, nothing)


def test_root_installs_debians_and_else_playwrights_own() -> None:
    as_root = chromium.installers(root=True, which=only("apt-get"))
    assert [way[0][0] for way in as_root] == ["apt-get", sys.executable]
    assert len(chromium.installers(root=False, which=only("apt-get"))) == 1
    assert len(chromium.installers(root=True, which=nothing)) == 1


def test_the_next_way_is_tried_when_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def succeeds(command: list[str]) -> bool:
        tried.append(command[0])
        return command[0] == "good"

    monkeypatch.setattr(chromium, "_succeeds", succeeds)
    chromium.install([[["bad"], ["never"]], [["good"], ["good"]], [["unneeded"]]])
    assert tried == ["bad", "good", "good"]


def test_none_to_be_had_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "find", lambda: None)
    monkeypatch.setattr(chromium, "install", lambda ways: None)
    with pytest.raises(
        chromium.NoBrowserError, match=r"none could be installed; install one .*WORKBENCH_CHROMIUM="
    ):
        chromium.require()
