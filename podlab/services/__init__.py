"""What makes Services work inside a cluster: its DNS (`records`, `dns_server`) and the service proxy (`rules`, `iptables`).

An actor like the kubelet: it reads the change log (`catalogue`) and meets the others only in the store. The node worker runs
it for cluster `main`; simulated clusters ask `catalogue` and `records` directly.
"""
