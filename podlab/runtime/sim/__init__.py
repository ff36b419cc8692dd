"""A runtime without processes: containers whose behaviour is computed, on the cluster's clock.

Start at `runtime` (the contract), `behaviour` (what a pod's annotations say), `shell` (what a command does), `machine`
(one running container as a value that moves with time). What people may write is in docs/simulator.md.
"""
