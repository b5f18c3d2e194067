"""Stand-ins for the two cloud PBXs, each an origin of its own.

`exchange` lives through calls, `sipuni` and `mango` tell them in the vendor's words and obey the vendor's commands,
`phone/` is the page where a person plays the caller and the desk phones. Written from the vendors' documentation a
second time on purpose: nothing here may be imported from the rest of the house, or both would share one mistake.
"""
