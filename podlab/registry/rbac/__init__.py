"""Roles and bindings that count. `rules` and `policy` decide (pure), `bootstrap` and `lab` hold the roles that every cluster
has, `policies` reads those of a cluster, `escalation` refuses whoever gives away more than he has.
"""
