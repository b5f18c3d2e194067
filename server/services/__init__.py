"""The work: each file carries out one noun's decisions (`core`) with what is remembered and sent (its ports).

No SQL, no vendor word, no HTTP here; services reach stores, providers and amoCRM through `core`'s contracts only.
"""
