"""A machine on which components are installed and tested, with fakes of the programs that they bring."""

from __future__ import annotations

from tests.unit.boot.stock_machine import NO_DEFECT, Machine

# HTCondor's configuration: one file for each setting; others are empty, as HTCondor prints an unknown one.
CONFIG_VAL = """#!/bin/sh
cat "/fake/config/$1" 2>/dev/null || { echo "Not defined: $1"; exit 1; }
"""
# What a service manager knows: units that are enabled or active.
SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >>/fake/calls
case $1 in
is-enabled) grep -qx "$2" /fake/enabled || exit 1 && echo enabled ;;
enable) shift; [ "$1" != --now ] || shift; for unit; do echo "$unit" >>/fake/enabled; done ;;
esac
"""


class ComponentMachine(Machine):
    """A machine with HTCondor; its programs are fakes that a test writes."""

    def with_component(self, component: str, family: str, machine: str = "x86_64") -> ComponentMachine:
        self.become(family, machine, [component])
        self.program("fake/packages/condor_config_val", CONFIG_VAL)
        self.program("usr/sbin/systemctl", SYSTEMCTL)
        self.write("fake/enabled", "")
        settings = {"RELEASE_DIR": "/usr", "LIBEXEC": "/opt/libexec", "EXECUTE": "/execute", "LOG": "/var/log/condor"}
        for setting, value in settings.items():
            self.configure(setting, value)
        return self

    def configure(self, setting: str, value: str) -> None:
        """Set what HTCondor's configuration says."""
        self.write(f"fake/config/{setting}", value + "\n")

    def get(self, component: str, **environment: str) -> list[str]:
        """Install a component. Return the calls of package managers and of systemctl after HTCondor's own."""
        done = self.install("25.0", component, **environment)
        assert done.returncode == 0, done.stdout
        return self.read("fake/calls").partition(" condor ")[2].splitlines()[1:]

    def defects(self, component: str) -> list[str]:
        """Test the machine with a component. Return the defects."""
        found = self.check(component)
        return [] if found == [NO_DEFECT] else found
