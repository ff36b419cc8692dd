"""Starting points for the editor. Each is a small pod that shows one thing on the timeline.

The image needs a shell and busybox' applets. Manifests are given as people write them, comments included.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Pattern:
    id: str
    title: Promise
    about: Promise
    manifest: str


PATTERNS = (
    Pattern(
        "web",
        _("Web server"),
        _("Serves a page, logs what it does, becomes ready when it answers."),
        """apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web
spec:
  containers:
    - name: app
      image: busybox:1.36
      command:
        - sh
        - -c
        - |
          mkdir -p /www && echo hello > /www/index.html
          httpd -p 8080 -h /www
          echo listening on :8080
          while true; do echo "serving, $(date +%T)"; sleep 5; done
      ports:
        - containerPort: 8080
      readinessProbe:
        httpGet:
          path: /
          port: 8080
        periodSeconds: 5
  terminationGracePeriodSeconds: 10
""",
    ),
    Pattern(
        "crash",
        _("Crash loop"),
        _("Ends with exit code 1 again and again: watch the back-off double."),
        """apiVersion: v1
kind: Pod
metadata:
  name: crash
spec:
  restartPolicy: Always
  containers:
    - name: app
      image: busybox:1.36
      command: ["sh", "-c", "echo starting; sleep 2; echo cannot reach the database; exit 1"]
""",
    ),
    Pattern(
        "liveness",
        _("Failing liveness probe"),
        _("Healthy for ten seconds, then the probe fails three times and the kubelet restarts the container."),
        """apiVersion: v1
kind: Pod
metadata:
  name: liveness
spec:
  containers:
    - name: app
      image: busybox:1.36
      command:
        - sh
        - -c
        - |
          touch /tmp/healthy
          echo healthy
          sleep 10
          rm /tmp/healthy
          echo no longer healthy
          sleep 600
      livenessProbe:
        exec:
          command: ["cat", "/tmp/healthy"]
        periodSeconds: 2
        failureThreshold: 3
  terminationGracePeriodSeconds: 3
""",
    ),
    Pattern(
        "slow-stop",
        _("Slow stop"),
        _("Does not listen to TERM: delete it and watch the grace period run out."),
        """apiVersion: v1
kind: Pod
metadata:
  name: slow-stop
spec:
  terminationGracePeriodSeconds: 20
  containers:
    - name: app
      image: busybox:1.36
      command:
        - sh
        - -c
        - |
          trap 'echo TERM heard and ignored' TERM
          while true; do echo working; sleep 1; done
""",
    ),
    Pattern(
        "missing-image",
        _("Missing image"),
        _("Names an image that cannot be pulled: ErrImagePull, then ImagePullBackOff."),
        """apiVersion: v1
kind: Pod
metadata:
  name: missing-image
spec:
  containers:
    - name: app
      image: registry.invalid/no-such-image:1.0
""",
    ),
)


def find(id: str) -> Pattern:
    """The pattern of that id; the first one for anything else."""
    return next((pattern for pattern in PATTERNS if pattern.id == id), PATTERNS[0])
