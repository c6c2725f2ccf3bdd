"""Breaking the code of a lease checker that is deployed, as a broken release would."""

from __future__ import annotations

import io
import zipfile

from aws_clients import client

from annex_lease.tags import TAG_NAME, TAG_RESPONDER

BROKEN = "raise RuntimeError('broken on purpose')\n"
"""Raises when it is imported: nothing of the checker's own can answer anybody."""


def break_checker(annex: str) -> None:
    """Replaces the code of the annex's lease checker; that of its stand-in stays."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("annex_lease/__init__.py", "")
        archive.writestr("annex_lease/handler.py", BROKEN)
    tagged = client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": TAG_NAME, "Values": [annex]}], ResourceTypeFilters=["lambda:function"]
    )["ResourceTagMappingList"]
    (arn,) = (each["ResourceARN"] for each in tagged if TAG_RESPONDER not in {tag["Key"] for tag in each["Tags"]})
    client("lambda").update_function_code(FunctionName=arn, ZipFile=code.getvalue())
