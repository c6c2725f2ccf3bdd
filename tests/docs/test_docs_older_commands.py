"""Every option of the three older command lines has its row, and what a row names exists here."""

from __future__ import annotations

import re

import pytest
import typer

from annex_lease.terms import ANNEX_KEYS, BASE_KEYS, POOL_KEYS
from annex_pool.cli import app
from tests.docs.documents import DOCS, text
from tests.docs.test_docs_commands import parse

PAGE = DOCS / "reference/older-commands.md"
# GetOptions in the Perl program, and what it did always; the last four are parameters of its template.
PERL = """
--project-id --stack-name --instances --expiry --keypair --central-manager --password-file --password-url --vpc
--subnets --image-ids --instance-types --spot-prices --launch-configs --region --config-file --config-url --delete
--help --verbose S3DeleteBucket TemplateURL Size LeaseDuration
"""
PERL_WORDS = ["default lease", "waits"]
# The parser and dumpParam in annex.cpp, check_setup, and the attributes of a job that its START and its manual name.
CPP = """
-help -setup -check-setup -annex-name -annex -count -slots -aws-on-demand -aws-spot-fleet -duration -idle -yes -tag
-config-dir -owner -no-owner -aws-region -aws-user-data -aws-user-data-file -aws-default-user-data
-aws-default-user-data-file -aws-on-demand-instance-type -aws-on-demand-ami-id -aws-on-demand-security-group-ids
-aws-on-demand-key-name -aws-on-demand-instance-profile-arn -aws-spot-fleet-config-file
-aws-spot-fleet-lease-function-arn -aws-on-demand-lease-function-arn -aws-access-key-file -aws-public-key-file
-aws-secret-key-file -aws-private-key-file -aws-ec2-url -aws-events-url -aws-lambda-url -aws-s3-url
-aws-s3-config-path -request-id -status -classad -classads status off
ANNEX_DEFAULT_AWS_REGION ANNEX_DEFAULT_LEASE_DURATION ANNEX_DEFAULT_UNCLAIMED_TIMEOUT ANNEX_DEFAULT_ODI_KEY_NAME
ANNEX_DEFAULT_ODI_INSTANCE_TYPE ANNEX_DEFAULT_ODI_IMAGE_ID ANNEX_DEFAULT_SFR_CONFIG_FILE ANNEX_DEFAULT_S3_BUCKET
ANNEX_DEFAULT_ODI_SECURITY_GROUP_IDS ANNEX_DEFAULT_ODI_INSTANCE_PROFILE_ARN ANNEX_DEFAULT_ODI_LEASE_FUNCTION_ARN
ANNEX_DEFAULT_SFR_LEASE_FUNCTION_ARN ANNEX_DEFAULT_CONNECTIVITY_FUNCTION_ARN ANNEX_DEFAULT_EC2_URL
ANNEX_DEFAULT_CWE_URL ANNEX_DEFAULT_LAMBDA_URL ANNEX_DEFAULT_S3_URL ANNEX_DEFAULT_CF_URL
ANNEX_DEFAULT_ACCESS_KEY_FILE ANNEX_DEFAULT_SECRET_KEY_FILE ANNEX_PROVISIONING_DELAY ANNEX_AUDIT_LOG
ANNEX_COMMAND_STATE ANNEX_GAHP ANNEX_GAHP_WORKER_MIN_NUM ANNEX_GAHP_WORKER_MAX_NUM ANNEX_GAHP_CALL_TIMEOUT
ANNEX_GAHP_DEBUG ANNEX_GAHP_LOG
TargetAnnexName MayUseAWS
"""
# The verbs in htcondor_cli, of `htcondor job submit` what concerns an annex, and the settings.
HTCONDOR = """
create add --nodes --lifetime --idle-time --startd-noclaim-shutdown --project --owners --pool --token_file
--password_file --tmp_dir --cpus --mem_mb --gpus --gpu-type --login-name --login-host --ami-id --test setup checksetup
--aws-region status shutdown systems login --annex-name --resource --runtime --email HPC_ANNEX_ENABLED
HPC_ANNEX_REQUIRE_JOB ANNEX_JOBS_EXCLUSIVELY ANNEX_COLLECTOR ANNEX_TOKEN_LIFETIME ANNEX_TOKEN_KEY_NAME
ANNEX_TOKEN_DOMAIN ANNEX_PASSWORD_FILE ANNEX_USE_OLD_CREATE
"""
OPTIONS = {
    "`condor_annex` in Perl": [*PERL.split(), *PERL_WORDS],
    "`condor_annex` in C++": CPP.split(),
    "`htcondor annex` with EC2": HTCONDOR.split(),
}
KEYS = {term.name for term in (*POOL_KEYS, *ANNEX_KEYS, *BASE_KEYS)}


def rows(table: str) -> list[list[str]]:
    """The cells of the rows below this heading, without the table's head."""
    (body,) = re.findall(rf"^## {re.escape(table)}\n(.*?)(?=^## |\Z)", text(PAGE), re.M | re.S)
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line[:1] == "|"]
    return found[2:]


def answers() -> list[str]:
    return [row[2] for table in OPTIONS for row in rows(table)]


@pytest.mark.parametrize("table", OPTIONS)
def test_every_option_has_one_row(table: str) -> None:
    assert sorted(row[0].strip("`") for row in rows(table)) == sorted(OPTIONS[table])
    assert all(len(row) == 3 and all(row) for row in rows(table))


def test_the_tables_are_those() -> None:
    assert re.findall(r"^## (.*)$", text(PAGE), re.M) == list(OPTIONS)


def test_every_answer_names_something_or_says_that_there_is_nothing() -> None:
    for answer in answers():
        assert "`" in answer or answer.startswith(("none", "not yet", "the default", "as above")), answer


def test_every_key_that_an_answer_names_exists() -> None:
    """A word in lower case is a key, alone or with a value; the verbs are checked with those of all documents."""
    of_submit_files = {"requirements", "notify_user"}
    for answer in answers():
        for inline in re.findall(r"`([a-z][a-z_]*(?: = [^`]*)?)`", answer):
            assert inline.split()[0] in KEYS | of_submit_files or inline == "annex", inline


SHOWN = ("plan NAME", "stop NAME", "credential push NAME --token-file FILE", "extend NAME --for DURATION")


@pytest.mark.parametrize("verb", SHOWN)
def test_the_verbs_parse_as_they_are_shown(verb: str) -> None:
    assert f"`annex {verb}`" in text(PAGE)
    parse(typer.main.get_command(app), verb.replace("NAME", "demo").split())
