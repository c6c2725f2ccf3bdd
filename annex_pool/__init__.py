"""The operator's side of an annex: the `annex` command (`annex_pool.cli`).

`commands` holds the options and the printing of each command. One module per verb does the work: `plan`, `credential`,
`extend`, `renew`, `stop`, `status`, `check`. `leftovers` proves that nothing is left in AWS. annex_lease alone computes
when a lease ends.
"""

from annex_lease.version import __version__

__all__ = ["__version__"]
