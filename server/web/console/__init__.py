"""The console: pages for an account's administrators, rendered here, that need no script. They are opened from the
settings window in amoCRM, and know nothing that the JSON of `web/journal` does not tell.
"""
