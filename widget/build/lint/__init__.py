"""Checks any widget archive against what amoCRM's upload and moderation refuse. Knows nothing of our own widget."""
