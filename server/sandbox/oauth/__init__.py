"""amoCRM's OAuth: codes, tokens, one-time tokens, the consent page, and the hooks of installing and disabling."""
