"""Pods on a Docker engine, after dockershim's rules. `runtime.DockerRuntime` is what a node worker makes one of per node."""

from podlab.runtime.docker.runtime import DockerRuntime

__all__ = ["DockerRuntime"]
