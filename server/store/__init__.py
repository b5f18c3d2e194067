"""What is remembered, noun by noun: each file holds one noun's statements and nothing decides anything.

Times are integer milliseconds (UTC), JSON is text, secrets are sealed (`cipher`) before they come here.
"""
