"""Views by subject. Each parses, calls and renders; what they share is in `web.place`."""
