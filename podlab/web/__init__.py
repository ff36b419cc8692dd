"""Pages for people. Start at `urls`; every view parses, calls `registry` and renders; `place` says where one is."""
