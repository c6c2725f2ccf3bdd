"""What an operator does with an annex: plan, credential, look, extend, renew, stop, and prove that nothing is left.

The command is `annex` (`annex_pool.cli`). When a lease ends is never worked out here: that rule is annex_lease's.
"""
