"""Push channels: one open connection to one browser tab, behind a port with two implementations.

`port` is what the rest of the house sees, `choose` gives the implementation that works here, `channels` holds all that
are open. Nothing in this room knows what is said over a channel or whose it is.
"""
