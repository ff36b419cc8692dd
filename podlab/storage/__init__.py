"""API objects, their append-only change log, the graph projection and the history that Kubernetes forgets.

Start at `store` (the only writer), then `log` (replay), `hub` (one follower per process) and `watch` (one viewer).
"""
