"""Software of an execution point: its user data, its boot files and install files, and the boot archive."""
