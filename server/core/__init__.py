"""The decisions: words, events, the call machine, rules. Pure: no I/O, clock, asyncio, randomness."""
