"""The PBXs we speak to: one pure codec per vendor, found by name in `registry`.

A codec turns hooks into our events and our commands into request values. No sockets, no clock, no vendor knows another.
"""
