"""podlab: a Kubernetes pod machine that you can watch think.

Packages and what each may import are drawn in docs/flow.md and checked by import-linter (pyproject.toml).
"""
