"""Installed widgets: their archives, their settings, and the widgets API."""
