"""What an operator does with an annex from the pool's own hosts: give it a credential, look, extend, stop.

The command is `annex` (`annex_pool.cli`). When a lease ends is never worked out here: that rule is annex_lease's.
"""
