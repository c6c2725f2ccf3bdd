"""The CDK app: one stack for each annex of the spec file, and one for each Region if the file has a base.

The file is `annexes.toml`, or the one that `-c annexes=FILE` names.
"""

import sys

from aws_cdk import App

from annex_spec import SpecError, load
from stacks import AnnexStack, base_stacks

app = App()
try:
    spec = load(str(app.node.try_get_context("annexes") or "annexes.toml"))
except SpecError as error:
    sys.exit(f"error: {error}")
for annex in spec.annexes.values():
    AnnexStack(app, pool=spec.pool, annex=annex)
if spec.base is not None:
    base_stacks(app, spec.base, spec.annexes.values())
app.synth()
