"""The app's stacks: one CloudFormation stack per annex, and one per Region for the base, composed from a spec."""

from stacks.annex_stack import AnnexStack
from stacks.base_stack import AnnexBaseStack, base_stacks

__all__ = ["AnnexBaseStack", "AnnexStack", "base_stacks"]
