"""CDK app of a run: its annexes as the product's own app makes them, with a probe on each.

The probe of an instance are the commands of `verify.console`. The probe of the permissions is a role that may do to
instances what the lease checker may, and that the person who runs the verification can assume.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Duration
from aws_cdk import aws_iam as iam

from annex_constructs.lease.checker_permissions import OwnAnnex
from annex_spec import load
from stacks import AnnexStack, with_accounts
from verify import console
from verify.run import MARK, STACK_MARK

ROLE_OUTPUT = "ProbeRole"


def add_probes(stack: AnnexStack, reporting: str) -> None:
    """Add the probes to the stack of an annex.

    Args:
        stack: the stack.
        reporting: name of the annex whose instances report on their console before their execution point starts.
    """
    annex = stack.annex
    if annex.annex_name == reporting:
        annex.fleet.user_data.add_commands_before_start(*console.commands())
    own = OwnAnnex.of(stack, annex.fleet.auto_scaling_group, annex.fleet.annex_id)
    role = iam.Role(
        stack,
        "Probe",
        assumed_by=iam.AccountPrincipal(stack.account),
        description="Verification: what the lease checker may do to instances",
        max_session_duration=Duration.hours(1),
        inline_policies={"Terminate": iam.PolicyDocument(statements=own.terminate())},
    )
    CfnOutput(stack, ROLE_OUTPUT, value=role.role_arn)


def add_stacks(app: App) -> list[AnnexStack]:
    """Add the stacks of the spec file that `-c annexes=FILE` names; `-c reporting=NAME` is that of `add_probes`."""
    spec, stacks = load(str(app.node.get_context("annexes"))), []
    for annex in with_accounts(spec, os.environ.get("CDK_DEFAULT_ACCOUNT")).values():
        stack = AnnexStack(app, pool=spec.pool, annex=annex)
        stack.tags.set_tag(STACK_MARK, annex.tags[MARK])
        add_probes(stack, str(app.node.get_context("reporting")))
        stacks.append(stack)
    return stacks


if __name__ == "__main__":
    whole = App()
    add_stacks(whole)
    whole.synth()
