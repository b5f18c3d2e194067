"""amoCRM's side: its API, its tokens, its webhooks. Only here are its words, shapes and status codes known."""
