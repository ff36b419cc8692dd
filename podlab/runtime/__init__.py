"""CRI-shaped runtimes: `interface` is the contract, `docker` and `sim` implement it. Only `kubelet` imports this."""
