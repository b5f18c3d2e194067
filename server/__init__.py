"""Kommutator's backend: takes PBX webhooks, shows the right card, starts calls, logs each call once."""
