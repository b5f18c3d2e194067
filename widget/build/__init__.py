"""Builds and checks the widget archive. Knows amoCRM's rules, and of the server its words and messages."""
