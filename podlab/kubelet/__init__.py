"""The node agent: takes the pods bound to one node and makes a runtime run them.

Read `agent` first (who calls what), then `actions` (what must be done now), `status` (what is told) and `kill`
(how containers end). Decisions are pure functions; `agent` and its managers carry them out.
"""
