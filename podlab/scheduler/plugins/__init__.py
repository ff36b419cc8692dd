"""One file a plugin, as in pkg/scheduler/framework/plugins; `registry` lists them in Kubernetes' order."""
