"""Software of an execution point: its user data, and the boot files that the user data installs."""
