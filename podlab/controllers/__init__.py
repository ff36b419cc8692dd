"""Controllers: each brings what is nearer to what is wanted, one key at a time. Start at `manager`."""
