"""What runs on an execution point: the user data and the files it installs. Standard library only."""
