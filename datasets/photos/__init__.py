"""One photo with its boxes, whatever format it came from."""
