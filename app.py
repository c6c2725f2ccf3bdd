"""The CDK app: a stack for each annex and image of the spec file; for each Region one for base and shared network.

The file is `annexes.toml`, or the one that `-c annexes=FILE` names.
"""

import sys
from datetime import UTC, datetime

from aws_cdk import App

from annex_spec import SpecError, load
from stacks import AnnexStack, base_stacks, image_stacks, network_stacks, warn

app = App()
try:
    spec = load(str(app.node.try_get_context("annexes") or "annexes.toml"))
except SpecError as error:
    sys.exit(f"error: {error}")
networks = network_stacks(app, spec.pool, spec.annexes.values())
stacks = {
    annex.name: AnnexStack(app, pool=spec.pool, annex=annex, network=networks.get(annex.name))
    for annex in spec.annexes.values()
}
warn(stacks, spec.annexes.values(), datetime.now(UTC))
if spec.base is not None:
    base_stacks(app, spec.base, spec.annexes.values())
image_stacks(app, spec.images.values(), spec.path.parent)
app.synth()
