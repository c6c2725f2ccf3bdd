"""Install files: shell that makes an execution point's software of a stock image, at boot and in an image alike."""
