"""The host page: what the browser sees of the sandbox's amoCRM. Written from amoCRM's documentation alone."""
