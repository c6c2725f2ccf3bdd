"""The app's stacks: one CloudFormation stack per annex, composed from a spec."""

from stacks.annex_stack import AnnexStack

__all__ = ["AnnexStack"]
