"""Running a lab on one machine: the supervisor, the embedded Redis, the CA and the first start."""
