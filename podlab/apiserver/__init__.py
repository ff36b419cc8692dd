"""The Kubernetes API over HTTP: what kubectl and the client libraries talk to.

Reading order: `urls` (which paths), `dispatch` (the one view), `paths` (what a path means), `verbs` and `mutations`
(what a verb does), `watch_stream` and `log` (answers that go on). Everything below asks `registry.client`.
"""
