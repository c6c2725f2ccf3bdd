"""The base stack as a template."""

from __future__ import annotations

from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from annex_spec import BaseSpec
from stacks import AnnexBaseStack


def base_template(flags: dict[str, Any], **spec: Any) -> dict[str, Any]:
    made = AnnexBaseStack(App(context=flags), base=BaseSpec(**spec), region="us-east-1")
    return dict(Template.from_stack(made).to_json())
