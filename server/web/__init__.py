"""The doors: HTTP and WebSocket. A handler reads, calls one service and answers; nothing is decided here."""
