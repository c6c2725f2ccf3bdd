"""Settings of an execution point: the writer, the reader on the instance and the declared values have one rule."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from annex_boot import files as boot
from annex_boot.boot_files import BOOT_FILES, boot_file
from annex_boot.installation import install_files
from annex_boot.settings import EpSettings, setting_forms
from annex_lease import forms
from annex_lease.forms import Form
from annex_lease.tags import TAG_END
from annex_lease.terms import EXECUTION_POINT_TIMES, Span, seconds
from tests.unit.boot.boot_root import SCRIPTS, SETTINGS, BootRoot
from tests.unit.boot.setting_texts import BORDER, OTHERS, TEXTS

DIRECTORY = Path(boot.__file__).parent
TIMES = [(f"ANNEX_{span.name.upper()}", span) for span in EXECUTION_POINT_TIMES]
READER = ". /usr/local/lib/annex/settings.sh\nread_settings || exit 1\nexport -p\n"


def read(root: BootRoot, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Read these settings as the instance does."""
    root.write("etc/annex/annex.env", "".join(f"{key}={value}\n" for key, value in environ.items()))
    root.write("usr/local/lib/annex/reader", READER)
    return root.run("reader")


def accepted_here(field: str, value: Any) -> bool:
    try:
        dataclasses.replace(SETTINGS, **{field: value})
    except ValueError as refused:
        assert re.match(f"{field} = .*: must be ", str(refused))
        return False
    return True


def accepted_there(root: BootRoot, key: str, value: object) -> bool:
    return read(root, SETTINGS.to_environ() | {key: str(value)}).returncode == 0


def test_the_reader_exports_what_the_writer_wrote(root: BootRoot) -> None:
    done = read(root, SETTINGS.to_environ())
    exported = dict(re.findall(r"^export (ANNEX_\w+)='(.*)'$", done.stdout, re.M))
    assert exported == SETTINGS.to_environ()
    assert SETTINGS.to_env_file() == "".join(f"{key}={value}\n" for key, value in SETTINGS.to_environ().items())


def test_every_setting_is_one_that_the_boot_files_use_and_the_other_way_round() -> None:
    shell = "".join(boot_file(name) for name in SCRIPTS if name != "settings.sh")
    shell += "".join(install_files().values())
    used = set(re.findall(r"\bANNEX_[A-Z_]+\b(?! = )", shell))
    assert used == set(SETTINGS.to_environ()) == set(setting_forms())


def test_every_macro_of_the_htcondor_configuration_is_set() -> None:
    configuration, configure = boot_file("condor.conf"), boot_file("configure")
    used = set(re.findall(r"\$\((ANNEX_[A-Z_]+)\)", configuration))
    assert used == set(re.findall(r"^(ANNEX_[A-Z_]+) = ", configuration + configure, re.M))


@pytest.mark.parametrize(("key", "span"), TIMES)
def test_a_time_has_the_declared_range_on_both_sides(root: BootRoot, key: str, span: Span) -> None:
    low, high = seconds(span.minimum), seconds(span.maximum)
    for value, accepted in [(low - 1, False), (low, True), (high, True), (high + 1, False)]:
        times = {**SETTINGS.times, span.name: value}
        assert accepted_there(root, key, value) == accepted, f"{key}={value} on the instance"
        if accepted:
            assert dataclasses.replace(SETTINGS, times=times).to_environ()[key] == str(value)
        else:
            with pytest.raises(ValueError, match=f"{span.name} = {value}: must be whole seconds from {low} to {high}"):
                dataclasses.replace(SETTINGS, times=times)
    assert forms.SECONDS.matches(str(high))


@pytest.mark.parametrize(("field", "key", "form"), TEXTS)
def test_a_text_has_the_declared_form_on_both_sides(root: BootRoot, field: str, key: str, form: Form) -> None:
    assert form.matches(form.example)
    for value in (form.example, *BORDER[key], *OTHERS[key], "", f"{form.example} x", f"-{form.example}"):
        expected = form.matches(value)
        assert accepted_here(field, value) == expected, f"{field} = {value!r}"
        assert accepted_there(root, key, value) == expected, f"{key}={value} on the instance"
    assert [form.matches(value) for value in BORDER[key]] == [True, False], "at the border and beyond it"


def test_the_lease_end_is_read_from_the_tag_that_the_checker_publishes() -> None:
    for name in ("prepare", "watch"):
        assert f"tags/instance/{TAG_END}" in boot_file(name)


def test_no_boot_file_writes_down_a_rule() -> None:
    rules = [form.pattern for form in setting_forms().values()] + [forms.IDTOKEN.pattern, TAG_END]
    written = "".join((DIRECTORY / name).read_text() for name in BOOT_FILES)
    assert not [rule for rule in rules if rule in written]
    assert not [rule for rule in rules if "'" in rule], "the boot files have them in single quotes"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("annex", "Demo"),
        ("annex", "a" * 33),
        ("annex", "-a"),
        ("annex", "a-"),
        ("annex", "a--b"),
        ("annex", "demo\n"),
        ("annex", ""),
        ("root_device", "/dev/xvda\nEVIL=1"),
        ("credential_arn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:$(id)"),
        ("credential_arn", "arn:aws:s3:::bucket"),
        ("credential_arn", "${Token[TOKEN.1]}\nEVIL=1"),
        ("collector", "cm.example.edu"),
        ("collector", "cm.example.edu:9618 x"),
        ("collector", "-cm:9618"),
        ("collector", "$(DAEMON):9618"),
        ("trust_domain", "a b"),
        ("trust_domain", 'x"'),
        ("trust_domain", "x\nEVIL=1"),
        ("root_device", "/dev/$(id)"),
        ("protect_busy", 1),
        ("protect_busy", "1"),
        ("protect_busy", None),
    ],
)
def test_hostile_values_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{field} = .*: must be "):
        dataclasses.replace(SETTINGS, **{field: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("drain_before_end", 0),
        ("drain_before_end", 100_000_000),
        ("idle_timeout", 0),
        ("idle_timeout", -1),
        ("join_timeout", 100_000_000),
        ("shutdown_after_end", 60.5),
        ("shutdown_after_end", True),
        ("shutdown_after_end", "600"),
    ],
)
def test_hostile_times_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} = .*: must be whole seconds from "):
        dataclasses.replace(SETTINGS, times={**SETTINGS.times, name: value})


@pytest.mark.parametrize("changed", [{"reboot_after": 60}, {}])
def test_every_time_is_needed_and_no_other(changed: dict[str, int]) -> None:
    times = {**SETTINGS.times, **changed}
    if not changed:
        del times["idle_timeout"]
    with pytest.raises(ValueError, match=r"^times = .*: must be one value for each of drain_before_end, idle_timeout"):
        dataclasses.replace(SETTINGS, times=times)


@pytest.mark.parametrize(("protect", "text"), [(False, "0"), (True, "1")])
def test_the_protection_is_written_as_a_digit(protect: bool, text: str) -> None:
    assert SETTINGS.to_environ()["ANNEX_PROTECT_BUSY"] == "0", "off unless asked for"
    assert dataclasses.replace(SETTINGS, protect_busy=protect).to_environ()["ANNEX_PROTECT_BUSY"] == text


def test_the_fields_are_named_once() -> None:
    others = {"times", "protect_busy"}
    assert {field.name for field in dataclasses.fields(EpSettings)} == others | {name for name, _, _ in TEXTS}


def test_a_value_out_of_range_is_named(root: BootRoot) -> None:
    done = read(root, SETTINGS.to_environ() | {"ANNEX_NAME": "a" + "-a" * 16})
    assert done.stdout == "annex: /etc/annex/annex.env: length of ANNEX_NAME: 33 is not from 1 to 32\n"
    done = read(root, SETTINGS.to_environ() | {"ANNEX_DRAIN_BEFORE_END": "9"})
    assert done.stdout == "annex: /etc/annex/annex.env: ANNEX_DRAIN_BEFORE_END: 9 is not from 10 to 3600\n"
