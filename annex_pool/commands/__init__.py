"""Options and printing of the `annex` commands, one file a verb group."""
