"""annex-prepare: HTCondor starts only after all of it; each of its failures is final."""

from __future__ import annotations

import pytest

from tests.unit.boot.boot_root import SECRET, SETTINGS, TOKEN, BootRoot

END = 4_070_908_800  # 2099-01-01T00:00:00Z
CREDENTIAL = "etc/condor/tokens.d/annex"


def test_prepares_everything(root: BootRoot) -> None:
    done = root.run("prepare")
    assert done.returncode == 0, done.stdout
    assert root.read("run/annex/lease-end") == f"{END}\n"
    assert root.read(CREDENTIAL) == TOKEN + "\n"
    assert (root.path / CREDENTIAL).stat().st_mode & 0o777 == 0o600
    assert (root.path / CREDENTIAL).parent.stat().st_mode & 0o777 == 0o700
    assert root.read("etc/condor/condor_config").endswith("NETWORK_HOSTNAME = i-0abc.annex-demo.example.edu\n")
    config = root.read("etc/condor/config.d/91-annex-instance")
    for line in (
        "ANNEX_COLLECTOR = cm.example.edu:9618",
        "TRUST_DOMAIN = example.edu",
        'AnnexName = "demo"',
        'AnnexInstanceId = "i-0abc"',
        'AnnexInstanceType = "c6a.large"',
        f"AnnexLeaseEnd = {END}",
        "ANNEX_DRAIN_BEFORE_END = 120",
        "MachineMaxVacateTime = 90",
        "STARTD_NOCLAIM_SHUTDOWN = 1200",
        "UPDATE_INTERVAL = 60",
        "SLOT1_1_USER = slot1_1",
    ):
        assert line in config.splitlines()


def test_timers_are_armed_before_the_first_slow_step(root: BootRoot) -> None:
    root.run("prepare")
    calls = root.read("fake/calls").splitlines()
    limit = next(i for i, call in enumerate(calls) if "--unit=annex-join-timeout" in call)
    shutdown_after_end = next(
        i for i, call in enumerate(calls) if f"--on-calendar=@{END + SETTINGS.times['shutdown_after_end']}" in call
    )
    aws = next(i for i, call in enumerate(calls) if call.startswith("call-aws "))
    assert limit < shutdown_after_end < aws
    assert f"--on-boot={SETTINGS.times['join_timeout']}s" in calls[limit]
    assert calls[shutdown_after_end].endswith("systemctl poweroff --force")


def test_one_call_of_aws_and_the_token_in_no_argument_or_output(root: BootRoot) -> None:
    done = root.run("prepare")
    (call,) = root.calls("call-aws")
    assert call == f"secret {SECRET}"
    for text in (done.stdout, root.read("fake/calls")):
        assert "cGF5bG9hZA" not in text
        assert "session" not in text  # the metadata session token, which a job could use


def test_a_second_run_of_the_same_boot_changes_nothing(root: BootRoot) -> None:
    assert root.run("prepare").returncode == 0
    before = root.read("etc/condor/condor_config"), root.read("etc/condor/config.d/91-annex-instance")
    assert root.run("prepare").returncode == 0
    assert (root.read("etc/condor/condor_config"), root.read("etc/condor/config.d/91-annex-instance")) == before
    assert len([call for call in root.calls("systemd-run") if "annex-shutdown-" in call]) == 1


def refused(root: BootRoot, message: str) -> None:
    done = root.run("prepare")
    assert done.returncode != 0
    assert message in done.stdout
    assert root.exists("run/annex/reason")
    assert not root.exists(CREDENTIAL)


def test_without_a_lease_end(root: BootRoot) -> None:
    root.forget("tags_instance_annex:lease-end")
    refused(root, "no instance id, type or lease end")
    assert root.calls("call-aws") == []


def test_without_metadata(root: BootRoot) -> None:
    (root.path / "fake/imds").rename(root.path / "fake/gone")
    refused(root, "no instance id, type or lease end")


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T00:00:00Z",
        "",
        "tomorrow",
        "2099-01-01T00:00:00",
        "2099-01-01 00:00:00Z",
        "2099-02-30T00:00:00Z",
        "2099-01-01T00:00:00+00:00",
        "4070908800",
        "$(touch /pwned)",
        "2099-01-01T00:00:00Z; touch /pwned",
    ],
)
def test_lease_ends_that_start_nothing(root: BootRoot, text: str) -> None:
    root.set_fact("tags_instance_annex:lease-end", text)
    refused(root, "lease")
    assert root.calls("call-aws") == []
    assert not root.exists("pwned")


@pytest.mark.parametrize("instance_type", ['c6a" x', "c6a.large\\nSTART=True", "$(id)"])
def test_metadata_that_is_no_instance_type(root: BootRoot, instance_type: str) -> None:
    root.set_fact("instance-type", instance_type)
    refused(root, "malformed")


GOOD = SETTINGS.to_env_file()


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.replace("ANNEX_PROXY=\n", ""),
        GOOD + "ANNEX_PROXY=\n",
        GOOD.replace("ANNEX_PROXY=", "ANNEX_NAME=demo"),
        GOOD + "PATH=/tmp\n",
        GOOD.replace("=demo", "=Demo"),
        GOOD.replace("=demo", "=de--mo"),
        GOOD.replace("=demo", "=" + "a" * 33),
        GOOD.replace("=demo", "=a" + "-a" * 16),
        GOOD.replace("=demo", "=$(touch /pwned)"),
        GOOD.replace("/dev/xvda\n", "/dev/xvda; touch /pwned\n"),
        GOOD.replace("cm.example.edu:9618", "cm.example.edu"),
        GOOD.replace("cm.example.edu:9618", "-x:9618"),
        GOOD.replace("ANNEX_DRAIN_BEFORE_END=120\n", ""),
        GOOD.replace("=120\n", "=0\n"),
        GOOD.replace("=120\n", "=9\n"),
        GOOD.replace("=120\n", "=3601\n"),
        GOOD.replace("=120\n", "=2m\n"),
        GOOD.replace("=120\n", "=120 || true\n"),
        GOOD.replace("=1200", "=0"),
        GOOD.replace("=1200", "=1e3"),
        GOOD.replace("ANNEX_PROTECT_BUSY=0\n", ""),
        GOOD.replace("ANNEX_PROTECT_BUSY=0", "ANNEX_PROTECT_BUSY=2"),
        GOOD.replace("ANNEX_PROTECT_BUSY=0", "ANNEX_PROTECT_BUSY=yes"),
        GOOD.replace("ANNEX_PROTECT_BUSY=0", "ANNEX_PROTECT_BUSY="),
        GOOD.replace("=0\n", "=0"),
        GOOD.replace("\n", "\r\n"),
    ],
)
def test_settings_that_start_nothing(root: BootRoot, text: str) -> None:
    root.write("etc/annex/annex.env", text)
    refused(root, "invalid settings")
    assert not root.exists("pwned")


@pytest.mark.parametrize(("drain", "vacate"), [(10, 7), (30, 20), (90, 60), (91, 61), (3600, 3570)])
def test_jobs_get_most_of_the_drain_and_the_starter_the_rest(root: BootRoot, drain: int, vacate: int) -> None:
    root.write("etc/annex/annex.env", GOOD.replace("ANNEX_DRAIN_BEFORE_END=120\n", f"ANNEX_DRAIN_BEFORE_END={drain}\n"))
    assert root.run("prepare").returncode == 0
    config = root.read("etc/condor/config.d/91-annex-instance").splitlines()
    assert f"ANNEX_DRAIN_BEFORE_END = {drain}" in config
    assert f"MachineMaxVacateTime = {vacate}" in config


def test_the_protection_may_be_wanted(root: BootRoot) -> None:
    root.write("etc/annex/annex.env", GOOD.replace("ANNEX_PROTECT_BUSY=0", "ANNEX_PROTECT_BUSY=1"))
    assert root.run("prepare").returncode == 0


def test_the_longest_name_is_accepted(root: BootRoot) -> None:
    root.write("etc/annex/annex.env", GOOD.replace("=demo", "=" + "a" * 32))
    assert root.run("prepare").returncode == 0


@pytest.mark.parametrize("value", ["None\n", "\n", "", "not a token\n", f"{TOKEN}\n{TOKEN}\n", '{"token": "a.b.c"}\n'])
def test_secrets_that_are_no_token(root: BootRoot, value: str) -> None:
    root.write("fake/secret", value)
    root.write("fake/uptime", f"{SETTINGS.times['join_timeout']}.00 1.00\n")
    refused(root, "no credential within 900 s")


def test_the_credential_is_asked_for_until_the_limit(root: BootRoot) -> None:
    (root.path / "fake/secret").unlink()
    root.write("fake/step-1", ":")
    root.write("fake/step-2", f"echo {TOKEN} > /fake/secret")
    done = root.run("prepare")
    assert done.returncode == 0, done.stdout
    assert len(root.calls("call-aws")) == 3


@pytest.mark.parametrize("program", ["systemd-run", "systemd-sysusers"])
def test_a_tool_that_fails(root: BootRoot, program: str) -> None:
    root.write(f"fake/{program}.fails", "1")
    refused(root, "cannot")
