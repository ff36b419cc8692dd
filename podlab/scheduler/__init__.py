"""Pods without a node get one. Start at `cycle` (pure: filter, score, texts), then `bind` (its effects), `queue` (when)."""
