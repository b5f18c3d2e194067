"""amoCRM's REST API as its clients meet it: /api/v4, the rest of /api/v2 that telephony needs, and /private.

Written from the documentation and from what published clients rely on; it knows nothing about our own client.
"""
