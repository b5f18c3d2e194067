"""amoCRM's REST API as its clients meet it: /api/v4, and the call event that only /api/v2 has.

Written from the documentation and from what published clients rely on; it knows nothing about our own client.
"""
