"""The CDK app: a stack for each annex and image of the spec file; for each Region one for base and shared network.

The file is `annexes.toml`, or the one that `-c annexes=FILE` names.
"""

import os
import sys

from aws_cdk import App

from annex_spec import SpecError, load
from stacks import (
    AnnexStack,
    base_stacks,
    image_stacks,
    images_with_accounts,
    network_stacks,
    warn,
    with_accounts,
)

app = App()
try:
    spec = load(str(app.node.try_get_context("annexes") or "annexes.toml"))
    annexes = with_accounts(spec, os.environ.get("CDK_DEFAULT_ACCOUNT"))
    images = images_with_accounts(spec, os.environ.get("CDK_DEFAULT_ACCOUNT"))
except SpecError as error:
    sys.exit(f"error: {error}")
networks = network_stacks(app, spec.pool, annexes.values())
stacks = {
    annex.name: AnnexStack(
        app, pool=spec.pool, annex=annex, network=networks.get(annex.name), directory=spec.path.parent
    )
    for annex in annexes.values()
}
warn(stacks, annexes.values())
if spec.base is not None:
    base_stacks(app, spec.base, spec.annexes.values())
image_stacks(app, images.values(), spec.path.parent)
app.synth()
