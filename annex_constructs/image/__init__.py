"""An image that EC2 Image Builder builds, tests, rebuilds, distributes and removes again."""
