"""Builds and checks the widget archive. Knows amoCRM's rules for archives; of the server only its words and messages."""
