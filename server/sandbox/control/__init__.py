"""`/sandbox/*`: what a tester asks of the sandbox itself; nothing here exists in amoCRM."""
