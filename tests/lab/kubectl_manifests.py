"""The files that lie in the folder where kubectl is called, and the pods that all chapters of `kubectl_table` share."""

from __future__ import annotations

PODS = """\
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web, tier: front}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: web
    image: busybox:1.36
    command: [sh, -c]
    args: ['mkdir /www; echo hello from $(hostname) >/www/index.html; httpd -p 8080 -h /www; while true; do echo tick; sleep 1; done']
    ports: [{containerPort: 8080, name: http}]
---
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: two}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: a, image: "busybox:1.36", command: [sh, -c, 'echo from a; exec sleep 3600']}
  - {name: b, image: "busybox:1.36", command: [sh, -c, 'echo from b; exec sleep 3600']}
"""
SETTINGS = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  labels: {{set: files}}\ndata:\n  colour: {colour}\n"
)
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: dep}
spec:
  selector: {matchLabels: {app: dep}}
  template:
    metadata: {labels: {app: dep}}
    spec: {containers: [{name: busybox, image: "busybox:1.38"}]}
"""
FILES: dict[str, str] = {
    "pods.yaml": PODS,
    "blue.yaml": SETTINGS.format(name="settings", colour="blue"),
    "red.yaml": SETTINGS.format(name="settings", colour="red"),
    "green.yaml": SETTINGS.format(name="settings", colour="green"),
    "other.yaml": SETTINGS.format(name="other", colour="grey"),
    "owned.yaml": SETTINGS.format(name="owned", colour="blue"),
    "kustomization.yaml": "resources: [other.yaml]\nnamePrefix: k-\n",
    "controller.yaml": """\
apiVersion: v1
kind: ReplicationController
metadata: {name: primary, labels: {app: agnhost}}
spec:
  replicas: 1
  selector: {app: agnhost}
  template:
    metadata: {labels: {app: agnhost}}
    spec: {containers: [{name: primary, image: "busybox:1.36", ports: [{containerPort: 6379, name: server}]}]}
""",
}
