"""The component pelican."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_boot.boot_files import BOOT_FILES, boot_file
from annex_boot.installation import DIRECTORY, install_file
from annex_lease.components import COMPONENTS
from annex_lease.stock_images import IMAGE_FAMILIES
from tests.unit.boot.component_machine import ComponentMachine

PELICAN = """#!/bin/sh
[ "$*" = -classad ] || exit 1
echo 'MultipleFileSupport = true'
echo 'SupportedMethods = "stash, osdf, pelican"'
"""
PLUGIN = "/usr/libexec/condor/stash_plugin"
# On the machines of tests /usr/libexec is the host's.
PLACE = "/opt/stash_plugin"


def machine_with_it(path: Path, text: str = PELICAN, mode: int = 0o755) -> ComponentMachine:
    machine = ComponentMachine(path).with_component("pelican", "debian-13")
    component = install_file("component-pelican")
    assert PLUGIN in component
    machine.write(f"{DIRECTORY}component-pelican", component.replace(PLUGIN, PLACE))
    machine.get("pelican")
    machine.write(PLACE, text)
    (machine.path / PLACE.lstrip("/")).chmod(mode)
    machine.configure("FILETRANSFER_PLUGINS", f"/opt/libexec/curl_plugin {PLACE}")
    return machine


@pytest.mark.parametrize("family", COMPONENTS["pelican"])
def test_it_comes_from_the_repository_of_htcondor(tmp_path: Path, family: str) -> None:
    machine = ComponentMachine(tmp_path).with_component("pelican", family)
    packages, _ = machine.get("pelican")
    assert packages.endswith(" pelican pelican-osdf-compat")
    sources = [path.name for path in tmp_path.rglob("annex*") if path.suffix in {".list", ".repo"}]
    assert sources in (["annex.list"], ["annex.repo"])


def test_every_system_has_it() -> None:
    assert COMPONENTS["pelican"] == tuple(IMAGE_FAMILIES)


def test_htcondor_uses_the_plugin_exactly_with_the_component(tmp_path: Path) -> None:
    machine = ComponentMachine(tmp_path).with_component("pelican", "debian-13")
    own = Path(BOOT_FILES["condor.conf"][0])
    assert "FILETRANSFER_PLUGINS = $(LIBEXEC)/curl_plugin\n" in boot_file("condor.conf")
    machine.install()
    assert sorted(path.name for path in (machine.path / "etc/condor/config.d").iterdir()) == [own.name]
    machine.get("pelican")
    files = sorted(path.name for path in (machine.path / "etc/condor/config.d").iterdir())
    assert files == [own.name, "91-annex-pelican"], "HTCondor reads them in this order"
    line = f"FILETRANSFER_PLUGINS = $(FILETRANSFER_PLUGINS) {PLUGIN}\n"
    assert machine.read("etc/condor/config.d/91-annex-pelican") == line


def test_a_plugin_that_answers_has_no_defect(tmp_path: Path) -> None:
    assert machine_with_it(tmp_path).defects("pelican") == []


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (PELICAN, 0o644),
        ("#!/bin/sh\nexit 1\n", 0o755),
        (PELICAN.replace(", osdf", ""), 0o755),
        (PELICAN.replace(", pelican", ""), 0o755),
    ],
)
def test_a_plugin_that_does_not_is_a_defect(tmp_path: Path, text: str, mode: int) -> None:
    assert machine_with_it(tmp_path, text, mode).defects("pelican") == [
        f"pelican: {PLACE} does not answer that it transfers files of osdf and pelican"
    ]


@pytest.mark.parametrize("plugins", ["/opt/libexec/curl_plugin", f"{PLACE}-other"])
def test_a_configuration_without_it_is_a_defect(tmp_path: Path, plugins: str) -> None:
    machine = machine_with_it(tmp_path)
    machine.configure("FILETRANSFER_PLUGINS", plugins)
    assert machine.defects("pelican") == [f"pelican: HTCondor's FILETRANSFER_PLUGINS does not name {PLACE}"]
