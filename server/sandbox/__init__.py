"""The sandbox: stand-ins for amoCRM (page, API, OAuth, hooks) and for the PBXs, speaking HTTP like the originals.

It imports nothing of the rest of the house, so that what it proves about our widget and our backend is proven from
outside.
"""
