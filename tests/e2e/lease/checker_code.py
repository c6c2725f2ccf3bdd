"""Replacement of a deployed lease checker's code by a broken one, as in a broken release."""

from __future__ import annotations

import io
import zipfile

from annex_lease.tags import TAG_NAME, TAG_RESPONDER
from tests.e2e.aws_clients import client
from verify.experiments.deployments import BROKEN


def break_checker(annex: str) -> None:
    """Replaces the code of the annex's lease checker; the responder's code stays."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("annex_lease/__init__.py", "")
        archive.writestr("annex_lease/handler.py", BROKEN)
    tagged = client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": TAG_NAME, "Values": [annex]}], ResourceTypeFilters=["lambda:function"]
    )["ResourceTagMappingList"]
    (arn,) = (each["ResourceARN"] for each in tagged if TAG_RESPONDER not in {tag["Key"] for tag in each["Tags"]})
    client("lambda").update_function_code(FunctionName=arn, ZipFile=code.getvalue())
