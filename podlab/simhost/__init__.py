"""The sim worker: plays every simulated cluster, its scheduler, controllers and nodes, on the cluster's lab clock."""
