"""Command line of the verification, and the plan that it prints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from annex_pool.command_error import InputError
from verify.__main__ import main
from verify.account import clock_ahead, emulated
from verify.experiments import EXPERIMENTS
from verify.options import DEFAULT_IMAGE, Options, parse
from verify.outcome import REFUSED
from verify.plan import GRACE, MAX_LIFETIME, Plan
from verify.run import LETTERS, MARK, Run

RUN = Run("0a1b2c3d", "eu-west-1")


def plan(*numbers: int, **options: object) -> Plan:
    chosen = [each for each in EXPERIMENTS.values() if each.number in numbers or not numbers]
    return Plan(RUN, "123456789012", Options(tuple(numbers), **options), chosen)  # type: ignore[arg-type]


def test_all_experiments_are_chosen_by_default() -> None:
    assert parse([], EXPERIMENTS).numbers == tuple(sorted(EXPERIMENTS))


def test_only_some() -> None:
    assert parse(["--only", "7, 1,7"], EXPERIMENTS).numbers == (1, 7)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "99"], "no experiment 99"),
        (["--only", ""], "--only"),
        (["--only", "1,x"], "no experiment x"),
        (["--only", "-1"], "--only"),
        (["--watch-seconds", "0"], "--watch-seconds 0.0"),
        (["--watch-seconds", "3601"], "at most 3600"),
        (["--watch-seconds", "nan"], "--watch-seconds nan"),
        (["--watch-seconds", "inf"], "--watch-seconds inf"),
        (["--collector", "cm.example.edu"], "--trust-domain belong together"),
        (["--clean", "--dry-run"], "--clean removes"),
        (["--nonsense"], "unrecognized"),
    ],
)
def test_a_mistake_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words, EXPERIMENTS)
    assert ended.value.code == REFUSED
    assert said in capsys.readouterr().err


def test_instances_join_only_with_a_pool_and_an_image_of_the_user() -> None:
    pool = ["--collector", "cm.example.edu", "--trust-domain", "example.edu"]
    assert not parse(pool, EXPERIMENTS).can_join
    assert not parse(["--image", "ami-0123456789abcdef0"], EXPERIMENTS).can_join
    assert parse([*pool, "--image", "ami-0123456789abcdef0"], EXPERIMENTS).can_join
    assert parse([], EXPERIMENTS).image == DEFAULT_IMAGE


def test_the_list_needs_no_account(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in listed] == sorted(EXPERIMENTS)


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> pytest.MonkeyPatch:
    """An environment without any AWS settings."""
    for key in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(key, raising=False)
    for key in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(key, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no Region is named"),
        (["--region", "nowhere"], "--region nowhere"),
        (["--region", "eu-west-1"], "there are no AWS credentials"),
        (["--clean", "--region", "eu-west-1"], "there are no AWS credentials"),
    ],
)
def test_without_region_or_credentials_it_refuses_in_one_line(
    empty: pytest.MonkeyPatch, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, *([] if "--clean" in words else ["--yes"])]) == REFUSED
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("environ", "account", "is_one"),
    [
        ({}, "123456789012", False),
        ({"AWS_ENDPOINT_URL": ""}, "123456789012", False),
        ({"AWS_ENDPOINT_URL": "https://localhost:4566"}, "123456789012", True),
        ({"AWS_ENDPOINT_URL_EC2": "https://localhost:4566"}, "123456789012", True),
        ({"AWS_CA_BUNDLE": "/x"}, "123456789012", False),
        ({}, "000000000000", True),
    ],
)
def test_an_emulator_is_known_by_its_endpoint_or_account(environ: dict[str, str], account: str, is_one: bool) -> None:
    assert emulated(environ, account) is is_one


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Wed, 02 Jan 2030 03:04:05 GMT", 0),
        ("Wed, 02 Jan 2030 03:04:07 GMT", 0),
        ("Wed, 02 Jan 2030 03:05:05 GMT", 60),
        ("Wed, 02 Jan 2030 03:03:05 GMT", -60),
        ("yesterday", 0),
        (None, 0),
    ],
)
def test_a_clock_that_is_wrong_is_corrected_by_that_of_aws(date: str | None, seconds: int) -> None:
    now = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert clock_ahead(date, now) == timedelta(seconds=seconds)


def test_the_plan_names_place_resources_cost_and_end() -> None:
    text = plan().text()
    for part in ("123456789012", "eu-west-1", RUN.stack("a"), RUN.stack("b"), MARK, "at most $", "1h10m", "t3.micro"):
        assert part in text


def test_what_is_made_follows_from_what_is_chosen() -> None:
    assert plan(1).letters == ("a",)
    assert plan(11).letters == ("b",)
    assert plan().letters == LETTERS
    assert RUN.stack("b") not in plan(1).text()


def test_a_run_costs_less_than_a_dollar_and_an_hour() -> None:
    one, all_of_them = plan(1).most_dollars, plan().most_dollars
    assert one is not None
    assert all_of_them is not None
    assert 0 < one < all_of_them < 1
    assert sum(each.minutes for each in EXPERIMENTS.values()) + 12 <= 60
    assert timedelta(hours=1) < MAX_LIFETIME + GRACE < timedelta(hours=2)


def test_a_price_that_is_not_known_is_not_guessed() -> None:
    other = plan(instance_type="m5.24xlarge")
    assert other.most_dollars is None
    assert "times the price of an hour of m5.24xlarge, which is not known here" in other.text()


def test_input_errors_have_the_code_of_a_refusal() -> None:
    assert InputError.exit_code == REFUSED
