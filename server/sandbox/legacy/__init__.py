"""The doors of amoCRM's earlier APIs, undocumented now and still used: /api/v2, /private/api/v2/json, auth.php, the XML
search, the call queue.

They open on the same world as /api/v4: everything here translates between the old names and the new ones (`dialect`,
`fields`, `shapes`) and leaves rules, rights, webhooks and limits to `server.sandbox.rest`.
"""
