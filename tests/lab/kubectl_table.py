"""The commands that real kubectl is driven through, by chapter. Rows of a chapter run in their order; chapters share the
pods `web` (a page on 8080, a line a second) and `two` (containers a and b) of a namespace and nothing else."""

from __future__ import annotations

from tests.lab.kubectl_rows import Row, row

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

GET = (
    row("get pods", r"^NAME +READY +STATUS +RESTARTS +AGE$", r"^two +2/2 +Running +0 +\d+", r"^web +1/1 +Running +0 "),
    row("get pods -o wide", r"IP +NODE +NOMINATED NODE +READINESS GATES$", r"^web .* \d+\.\d+\.\d+\.\d+ +node-[ab] "),
    row("get pod/web -o name", r"^pod/web$"),
    row("get pods -o name", r"^pod/two\npod/web$"),
    row("get pod web -o yaml", r"^kind: Pod$", r"^  qosClass: BestEffort$", hides=("managedFields",)),
    row("get pod web -o yaml --show-managed-fields", r"^  managedFields:$", "manager: kubelet"),
    row("get pod web -o json", r'^    "kind": "Pod",$', '"phase": "Running"'),
    row("get pods -o json", r'^    "kind": "List",$', '"name": "two"'),
    row("get pod web -o jsonpath={.spec.containers[0].image}", r"^busybox:1.36$"),
    row("get pods -o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}'", r"^two\nweb$"),
    row("get pods -o jsonpath-as-json={.items[*].metadata.name}", r'^    "two",$'),
    row("get pod web -o go-template={{.metadata.name}}-{{.status.phase}}", r"^web-Running$"),
    row("get pods -o custom-columns=N:.metadata.name,P:.status.phase", r"^N +P$", r"^web +Running$"),
    row("get pods --server-print=false", r"^NAME +AGE$", r"^web +\d+"),
    row("get pods --no-headers --show-labels", r"^web .* app=web,tier=front$", hides=("NAME",)),
    row("get pods -L app,tier", r"AGE +APP +TIER$", r"^two .* two *$"),
    row("get pods --show-kind", r"^pod/web "),
    row("get pods -A", r"^NAMESPACE +NAME ", r"^{ns} +web "),
    row("get pods -l app=web", r"^web ", hides=("^two",)),
    row("get pods -l 'app in (two,three),!tier'", r"^two ", hides=("^web",)),
    row("get pods --field-selector status.phase=Running,metadata.name!=two", r"^web ", hides=("^two",)),
    row("get pods --field-selector spec.bogus=1", "field label not supported: spec.bogus", code=1),
    row("get pods --sort-by=.metadata.creationTimestamp", r"^web "),
    row("get pods --chunk-size=1", r"^two ", r"^web "),
    row("get pod web --subresource=status", r"^web +1/1 "),
    row("get pods,configmaps -o name", r"^pod/web$", r"^configmap/kube-root-ca.crt$"),
    row("get all", r"^pod/web "),
    row("get po/web cm/kube-root-ca.crt", r"^configmap/kube-root-ca.crt +1 "),
    row("get node node-a -o wide", r"^node-a +Ready +<none> +\S+ +v1\.36\S* .* docker://"),
    row("get secrets", "No resources found in {ns} namespace."),
    row("get pod none", r'^Error from server \(NotFound\): pods "none" not found$', code=1),
    row("get pod none --ignore-not-found"),
    row("get nonsense", r'^error: the server doesn\'t have a resource type "nonsense"$', code=1),
    row("get pods -w", r"^web ", r"^web [^\0]*^web ", endless=True, meanwhile="annotate pod web seen={n} --overwrite"),
    row("get pod web -w -o name", r"^pod/web$", endless=True),
    row("get pods --watch-only -o name", r"^pod/web", endless=True, meanwhile="annotate pod web seen={n} --overwrite"),
    row("get pods -w --output-watch-events", r"^EVENT +NAME", r"^ADDED +web ", endless=True),
    row("get --raw /api/v1/namespaces/{ns}/pods/web", r'"kind":"Pod"'),
)  # fmt: skip

DISCOVERY = (
    row("version", r"^Server Version: v1\.36", by_version=True),
    row("cluster-info", r"Kubernetes control plane.* is running at .*https://127.0.0.1:\d+"),
    row("api-resources", r"^pods +po +v1 +true +Pod$", r"^deployments +deploy +apps/v1 +true +Deployment$"),
    row("api-resources --api-group=apps -o wide --sort-by=name", r"^deployments .*create,delete,.*watch +all"),
    row("api-resources --verbs=list --namespaced=false -o name", r"^nodes$", r"^namespaces$", hides=("^pods$",)),
    row("api-versions", r"^v1$", r"^apps/v1$", r"^metrics.k8s.io/v1beta1$"),
    row("config view --minify", r"^    token: REDACTED$", r"^    namespace: {ns}$"),
    row("config current-context", r"^podlab-main$"),
    row("get --raw /healthz", r"^ok$"),
    row("get --raw /readyz?verbose", r"^readyz check passed$"),
    row("explain pod", r"^KIND: +Pod$", r"^  spec\t<PodSpec>$", by_version=True),
    row("explain pod.spec.containers.livenessProbe", r"^FIELD: livenessProbe <Probe>$", r"^  exec\t<ExecAction>$"),
    row("explain pod.spec.containers.livenessProbe.httpGet.httpHeaders.name", r"^FIELD: name <string>$"),
    row("explain pod.spec.containers.livenessProbe --recursive", r"^    command\t<\[\]string>$"),
    row("explain deployments.spec.strategy.rollingUpdate.maxSurge", r"^FIELD: maxSurge <IntOrString>$"),
    row("explain hpa --api-version=autoscaling/v1", r"^VERSION: +v1$", r"^GROUP: +autoscaling$"),
    row("explain podpreset.spec", r"^KIND: +PodPreset$", r"envFrom"),
    row("explain pod.spec.bogus", r'^error: field "bogus" does not exist$', code=1),
    row("proxy --port=0", r"^Starting to serve on 127", r'"kind": ?"APIVersions"', endless=True, fetch="/api/"),
    row("proxy --unix-socket=api.sock", r"^Starting to serve on", r'"APIVersions"', endless=True, fetch="/api"),
)  # fmt: skip

DESCRIBE = (
    row("describe pod web", r"^Name: +web$", r"^Status: +Running$", r"^IP: +\d", r"^    Port: +8080/TCP$",
        r"^QoS Class: +BestEffort$", r"Normal +Scheduled .*Successfully assigned {ns}/web to node-",
        r"Normal +Started .*Container started", by_version=True),
    row("describe pod -l app=two", r"^  a:$", r"^  b:$"),
    row("describe pod none", 'pods "none" not found', code=1),
    row("describe node node-a", r"^Taints: +<none>$", r"^  Ready +True ", r"^  pods: +110$", r"^Non-terminated Pods:",
        r"^Allocated resources:$"),
    row("describe namespace {ns}", r"^Status: +Active$", "No resource quota."),
    row("describe configmap kube-root-ca.crt", "BEGIN CERTIFICATE", r"^BinaryData$"),
    row("describe serviceaccount default", r"^Name: +default$"),
    row("events", r"Normal +Started +Pod/web +Container started"),
    row("events --for pod/web", r"Scheduled +Pod/web ", hides=("Pod/two",)),
    row("events --types=Warning", "No events found in {ns} namespace."),
    row("get events --field-selector involvedObject.name=web,reason=Started", r"^\S+ +Normal +Started +pod/web "),
    row("events --watch", r"Pod/web", endless=True),
)  # fmt: skip

CREATE = (
    row("create configmap cm1 --from-literal=a=1 --from-file=blue.yaml", r"^configmap/cm1 created$", by_version=True),
    row("create configmap cm1 --from-literal=a=1", r'configmaps "cm1" already exists$', code=1),
    row("create configmap dry --from-literal=a=1 --dry-run=client -o yaml", r"^  name: dry$", hides=("uid",)),
    row("create configmap dry --from-literal=a=1 --dry-run=server -o yaml", r"^  uid: ", by_version=True),
    row("get configmap dry", "NotFound", code=1),
    row("create secret generic s1 --from-literal=word=sesame", r"^secret/s1 created$", by_version=True),
    row("create secret docker-registry s2 --docker-username=u --docker-password=p", r"^secret/s2 created$"),
    row("get secrets", r"^s1 +Opaque +1 ", r"^s2 +kubernetes.io/dockerconfigjson +1 "),
    row("create serviceaccount robot", r"^serviceaccount/robot created$", by_version=True),
    row("create token robot --duration=10m", r"^ey\S+\.\S+\.\S+$", by_version=True),
    row("create token nobody", 'serviceaccounts "nobody" not found', code=1),
    row("create namespace {ns}-b", r"^namespace/{ns}-b created$", by_version=True),
    row("create deployment made --image=busybox:1.36 --replicas=2", r"^deployment.apps/made created$", by_version=True),
    row("create job job1 --image=busybox:1.36 -- true", r"^job.batch/job1 created$", by_version=True),
    row("create cronjob cron1 --image=busybox:1.36 --schedule='*/5 * * * *' -- true", "created$", by_version=True),
    row("create job job2 --from=cronjob/cron1", r"^job.batch/job2 created$", by_version=True),
    row("create quota quota1 --hard=configmaps=20", r"^resourcequota/quota1 created$", by_version=True),
    row("describe quota quota1", r"^configmaps +\d+ +20$", awaited=True),
    row("create service clusterip svc1 --tcp=80:8080", r"^service/svc1 created$", by_version=True),
    row("create service nodeport svc2 --tcp=80", r"^service/svc2 created$", by_version=True),
    row("create service externalname svc3 --external-name=example.org", r"^service/svc3 created$", by_version=True),
    row("get services", r"^svc1 +ClusterIP +10\.\S+ +<none> +80/TCP ", r"^svc2 +NodePort .* 80:3\d{4}/TCP ",
        r"^svc3 +ExternalName +<none> +example.org +<none> "),
    row("create poddisruptionbudget pdb1 --selector=app=none --min-available=1", "created$", by_version=True),
    row("get pdb", r"^pdb1 +1 +N/A +0 "),
    row("create priorityclass {ns} --value=10", r"^priorityclass.scheduling.k8s.io/{ns} created$", by_version=True),
    row("create ingress ing1 --rule=example.org/path*=svc1:80", r"^ingress.networking.k8s.io/ing1 created$",
        by_version=True),
    row("get ingress ing1", r"^ing1 +<none> +example.org +80 "),
    row("create -f other.yaml", r"^configmap/other created$"),
    row("create -f other.yaml", r'^Error from server \(AlreadyExists\): error when creating "other.yaml": ', code=1),
    row("create -f - --edit=false", r'strict decoding error: unknown field "spec.bogus"', code=1,
        stdin="apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {bogus: 1, containers: [{name: c, image: i}]}\n"),
    row("create -f -", r'^The Pod "p" is invalid: spec.containers\[0\].image: Required value$', code=1,
        stdin="apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}]}\n"),
    row("create role role1 --verb=get --resource=pods", "the server does not allow this method", code=1),
    row("delete priorityclass {ns}", "deleted"),
    row("delete deploy,job,cronjob,quota,svc,pdb,ing,sa/robot --all", code=1),
    row("delete deploy,job,cronjob,quota,svc,pdb,ing --all", r'^deployment.apps "made" deleted', r'^service "svc1" deleted'),
    row("delete namespace {ns}-b --wait=false", r'^namespace "{ns}-b" deleted'),
)  # fmt: skip

APPLY = (
    row("apply -f blue.yaml", r"^configmap/settings created$", by_version=True),
    row("apply -f blue.yaml", r"^configmap/settings unchanged$"),
    row("diff -f blue.yaml", hides=("colour",)),
    row("diff -f red.yaml", r"^-  colour: blue$", r"^\+  colour: red$", code=1),
    row("diff --server-side --field-manager=kubectl-client-side-apply --force-conflicts -f red.yaml",
        r"^\+  colour: red$", code=1),
    row("apply -f red.yaml --dry-run=server", r"^configmap/settings configured \(server dry run\)$"),
    row("apply -f red.yaml --dry-run=client", r"^configmap/settings configured \(dry run\)$"),
    row("get cm settings -o jsonpath={.data.colour}", r"^blue$"),
    row("apply -f red.yaml", r"^configmap/settings configured$", by_version=True),
    row("apply view-last-applied cm/settings", r"^  colour: red$"),
    row("apply set-last-applied -f blue.yaml", r"^configmap/settings configured$"),
    row("apply -k .", r"^configmap/k-other created$"),
    row("apply -f green.yaml --prune -l set=files --prune-allowlist=core/v1/ConfigMap", r"^configmap/settings configured$",
        r"^configmap/k-other pruned$"),
    row("edit cm settings", r"^configmap/settings edited$", editor="sed -i -E s/green|red/black/", by_version=True),
    row("edit cm settings", r"^Edit cancelled, no changes made\.$", editor="true"),
    row("edit cm settings", r'^error: configmaps "settings" is invalid$', editor="sed -i s/colour:/co*lour:/", code=1),
    row("get cm settings -o jsonpath={.data.colour}", r"^black$"),
    row("patch cm settings -p '{\"data\":{\"size\":\"1\"}}'", r"^configmap/settings patched$"),
    row("patch cm settings -p '{\"data\":{\"size\":\"1\"}}'", r"^configmap/settings patched \(no change\)$"),
    row("patch cm settings --type=merge -p '{\"data\":{\"size\":null}}'", r"^configmap/settings patched$"),
    row("patch cm settings --type=json -p '[{\"op\":\"replace\",\"path\":\"/data/colour\",\"value\":\"white\"}]'", "patched$"),
    row("patch cm settings --type=json -p '[{\"op\":\"test\",\"path\":\"/data/colour\",\"value\":\"black\"}]'",
        "^The request is invalid: the server rejected our request due to an error in our request$", code=1),
    row("get cm settings -o jsonpath={.data}", r'^{"colour":"white"}$'),
    row("patch pod web --subresource=status -p '{\"status\":{\"nominatedNodeName\":\"\"}}'", "patched"),
    row("replace -f red.yaml", r"^configmap/settings replaced$", by_version=True),
    row("replace -f owned.yaml", r'configmaps "owned" not found', code=1),
    row("replace --force -f red.yaml", r'^configmap "settings" deleted', r"^configmap/settings replaced$"),
    row("apply --server-side -f owned.yaml --field-manager=one", r"^configmap/owned serverside-applied$",
        by_version=True),
    row("apply --server-side -f - --field-manager=two", r'conflict with "one": \.data\.colour$',
        "--force-conflicts", code=1, stdin=FILES["owned.yaml"].replace("blue", "red"), by_version=True),
    row("apply --server-side -f - --field-manager=two --force-conflicts", r"^configmap/owned serverside-applied$",
        stdin=FILES["owned.yaml"].replace("blue", "red")),
    row("get cm owned --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}", r"^two$|^one two$"),
    row("apply --server-side -f red.yaml --force-conflicts", r"^configmap/settings serverside-applied$"),
    row("apply --validate=warn -f -", r'^Warning: unknown field "bogus"$', r"^configmap/odd created$",
        stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\nbogus: 1\n"),
    row("apply -f -", 'unknown field "bogus"', code=1,
        stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\nbogus: 1\n"),
    row("label pod web colour=blue", r"^pod/web labeled$"),
    row("label pod web colour=red", "'colour' already has a value \\(blue\\), and --overwrite is false", code=1),
    row("label pod web colour=red --overwrite", r"^pod/web labeled$"),
    row("get pod web -L colour", r"red *$"),
    row("label pods --all colour-", r"^pod/web (un)?labeled$", 'label "colour" not found'),
    row("annotate pod web note=well", r"^pod/web annotated$"),
    row("annotate pod web note-", r"^pod/web annotated$"),
    row("set image pod/web web=busybox:1.36"),
    row("patch pod web --dry-run=server -p '{\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"busybox:9\"}]}}'",
        r"^pod/web patched$"),
    row("get pod web -o jsonpath={.spec.containers[0].image}", r"^busybox:1.36$"),
    row("patch pod web -p '{\"spec\":{\"nodeName\":\"node-x\"}}'", "pod updates may not change fields other than", code=1),
    row("delete cm settings owned odd --wait=false", r'^configmap "settings" deleted'),
    row("delete cm settings", 'configmaps "settings" not found', code=1),
    row("delete cm settings --ignore-not-found"),
    row("delete cm -l set=files --dry-run=server", "server dry run|No resources found"),
)  # fmt: skip

STREAMS = (
    row("logs web --tail=1", r"^tick$"),
    row("logs web --tail=1 --timestamps", r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z tick$"),
    row("logs web --limit-bytes=2", r"^ti$"),
    row("logs web --since=1h --tail=2", r"^tick\ntick$"),
    row("logs web --since-time=2020-01-01T00:00:00Z --limit-bytes=5", r"^tick$"),
    row("logs web --since=1s", hides=("tick\n(tick\n){3}",)),
    row("logs two", r"Defaulted container \"a\" out of: a, b", "^from a$"),
    row("logs two -c b", r"^from b$"),
    row("logs two --all-containers --prefix", r"^\[pod/two/a\] from a$", r"^\[pod/two/b\] from b$"),
    row("logs -l app=web --tail=1", r"^tick$"),
    row("logs web --previous", 'previous terminated container "web" in pod "web" not found', code=1),
    row("logs web -c none", "container none is not valid for pod web", code=1),
    row("logs web -f --tail=1", r"^tick\ntick\ntick", endless=True),
    row("exec web -- cat /www/index.html", r"^hello from web$", by_version=True),
    row("exec web -- sh -c 'echo out; echo err >&2; exit 7'", "^out$", "^err$", "terminated with exit code 7", code=7),
    row("exec -i web -- cat", r"^through$", stdin="through\n", by_version=True),
    row("exec -it web -- sh", "a42b\r\n", code=5, typed=(("# ", "echo a$((40+2))b\r"), ("a42b", "exit 5\r")),
        by_version=True),
    row("exec two -c b -- hostname", r"^two$"),
    row("exec none -- ls", r'\(NotFound\): pods "none" not found$', code=1, by_version=True),
    row("exec web -c none -- ls", "container none is not valid for pod web", code=1),
    row("cp blue.yaml web:/tmp/there.yaml", by_version=True),
    row("cp web:/tmp/there.yaml back.yaml", by_version=True),
    row("diff -f back.yaml", r"^\+  colour: blue$", code=1),
    row("port-forward web {port}:8080", r"^hello from web$", endless=True, fetch="/", by_version=True),
    row("port-forward pod/web {port}:http", r"^hello from web$", endless=True, fetch="/index.html"),
    row("port-forward web {port}:nonsense", "Pod 'web' does not have a named port 'nonsense'", code=1),
    row("attach web", "^tick\ntick", endless=True),
    row("run once --image=busybox:1.36 --restart=Never --rm -i -- sh -c 'read a; echo got $a; exit 3'", r"^got line$",
        code=3, stdin="line\n", by_version=True),
    row("run typist --image=busybox:1.36 --restart=Never --rm -it -- sh", "i2i\r\n", code=4, by_version=True,
        typed=(("try pressing enter", "\r"), ("# ", "echo i$((1+1))i; exit 4\r"))),
    row("run back --image=busybox:1.36 --restart=Never -- sh -c 'echo done; exit 1'", r"^pod/back created$"),
    row("wait pod/back --for=jsonpath={.status.phase}=Failed --timeout=30s", r"^pod/back condition met$"),
    row("get pod back", r"^back +0/1 +Error +0 "),
    row("debug two --image=busybox:1.36 --target=a -c dbg -- sleep 1000", "Targeting container \"a\""),
    row("wait pod/two --for=jsonpath={.status.ephemeralContainerStatuses[0].state.running} --timeout=30s", "met$"),
    row("exec two -c dbg -- ps", "sleep 3600"),
    row("debug two -it --image=busybox:1.36 -c shell --profile=general -- sh", "d3d\r\n", code=0, by_version=True,
        typed=(("try pressing enter", "\r"), ("# ", "echo d$((1+2))d; exit\r"))),
    row("debug two --copy-to=copied --set-image=*=busybox:1.36 --profile=general", by_version=True),
    row("wait pod/copied --for=condition=Ready --timeout=30s", "met$"),
    row("debug node/node-a --image=busybox:1.36 --profile=general -- true", "Creating debugging pod node-debugger-node-a",
        by_version=True),
    row("top pod web", r"^NAME +CPU\(cores\) +MEMORY\(bytes\) *$", r"^web +\d+m +\d+Mi *$", awaited=True, by_version=True),
    row("top pod --containers -l app=two", r"^two +b +\d+m +\d+Mi"),
    row("top node", r"^node-a +\d+m +\d+% +\d+Mi +\d+%"),
    row("wait pod/web --for=condition=Ready --timeout=10s", r"^pod/web condition met$"),
    row("wait pod/web --for=condition=Nonsense --timeout=1s", "timed out waiting for the condition on pods/web", code=1),
    row("wait pod/none --for=delete --timeout=10s"),
    row("delete pod back copied --grace-period=1", r'^pod "back" deleted', r'^pod "copied" deleted'),
    row("delete pods -l app=nothing", "^No resources found$"),
)  # fmt: skip

WORKLOADS = (
    row("create deployment dep --image=busybox:1.36 --replicas=2 --port=80 --dry-run=client -o yaml", r"^  replicas: 2$"),
    row("create deployment dep --image=busybox:1.36 --replicas=2 --port=80", "created$", by_version=True),
    row("get deployment dep -o wide", r"^dep +\d/2 .* busybox +busybox:1.36 +app=dep$"),
    row("scale deployment dep --replicas=3", r"^deployment.apps/dep scaled$"),
    row("scale deployment dep --current-replicas=3 --replicas=1", r"^deployment.apps/dep scaled$"),
    row("scale deployment dep --current-replicas=7 --replicas=1", "Expected replicas to be 7, was 1", code=1),
    row("patch deployment dep --subresource=scale --type=merge -p '{\"spec\":{\"replicas\":2}}'", "patched$"),
    row("autoscale deployment dep --min=1 --max=3", r"autoscaling/dep autoscaled$", by_version=True),
    row("get hpa dep", r"^dep +Deployment/dep +cpu: <unknown>/80% +1 +3 "),
    row("expose deployment dep --port=80 --target-port=8080", r"^service/dep exposed$"),
    row("get service dep -o jsonpath={.spec.selector}{.spec.ports[0].targetPort}", r'^{"app":"dep"}8080$'),
    row("set image deployment/dep busybox=busybox:1.37", r"^deployment.apps/dep image updated$"),
    row("set env deployment/dep A=b", r"^deployment.apps/dep env updated$"),
    row("set env deployment/dep --list", "^A=b$"),
    row("set resources deployment dep --limits=cpu=200m --requests=cpu=100m", "resource requirements updated$"),
    row("set serviceaccount deployment dep default", "serviceaccount updated$"),
    row("set selector service dep app=web", r"^service/dep selector updated$"),
    row("rollout restart deployment/dep", r"^deployment.apps/dep restarted$"),
    row("rollout pause deployment/dep", r"^deployment.apps/dep paused$"),
    row("rollout pause deployment/dep", "deployments.apps \"dep\" is already paused", code=1),
    row("rollout resume deployment/dep", r"^deployment.apps/dep resumed$"),
    row("rollout history deployment/dep", r"^deployment.apps/dep"),
    row("diff -f -", r"^-.*image: busybox:1.37$", r"^\+.*image: busybox:1.38$", code=1, stdin=DEPLOYMENT),
    row("rollout status deployment/dep --timeout=1s", "^Warning: podlab has no controller for Deployment yet", code=1),
    row("describe deployment dep", r"^Replicas: +2 desired", r"^ +cpu: +200m$", r"^StrategyType: +RollingUpdate$"),
    row("create -f controller.yaml", r"^replicationcontroller/primary created$"),
    row("describe rc primary", r"^Name: +primary$", r"^Replicas: +\d current / 1 desired$", "Image: +busybox:1.36$"),
    row("expose rc primary --name=rm2 --port=1234 --target-port=6379", r"^service/rm2 exposed$"),
    row("expose service rm2 --name=rm3 --port=2345 --target-port=6379", r"^service/rm3 exposed$"),
    row("get service rm3 -o jsonpath={.spec.ports[0].port}-{.spec.ports[0].targetPort}", r"^2345-6379$"),
    row("scale rc primary --replicas=2", r"^replicationcontroller/primary scaled$"),
    row("get rc primary", r"^primary +2 +\d +\d +"),
    row("delete rc primary", r'^replicationcontroller "primary" deleted'),
    row("get hpa dep -o name", "autoscaling/dep", by_version=True),
    row("delete deployment/dep hpa/dep", by_version=True),
    row("delete service/dep service/rm2 service/rm3", r'^service "rm3" deleted'),
)  # fmt: skip

NODES = (
    row("cordon node-b", r"^node/node-b cordoned$"),
    row("cordon node-b", r"^node/node-b already cordoned$"),
    row("get node node-b", r"^node-b +Ready,SchedulingDisabled "),
    row("uncordon node-b", r"^node/node-b uncordoned$"),
    row("taint node node-b key=value:NoSchedule", r"^node/node-b tainted$"),
    row("describe node node-b", r"^Taints: +key=value:NoSchedule$"),
    row("taint node node-b key=other:NoSchedule", "already has key taint.* and --overwrite is false|--overwrite", code=1),
    row("taint node node-b key-", r"^node/node-b untainted$"),
    row("taint node node-b key-", 'taint "key" not found', code=1),
    row("label node node-b disk=fast", r"^node/node-b labeled$"),
    row("get nodes -l disk=fast", "^node-b ", hides=("^node-a",)),
    row("label node node-b disk-", r"^node/node-b unlabeled$"),
    row("run leaver --image=busybox:1.36 --restart=Never --overrides='{\"spec\":{\"nodeName\":\"node-b\","
        "\"terminationGracePeriodSeconds\":1}}' -- sleep 3600", "created$"),
    row("wait pod/leaver --for=condition=Ready --timeout=30s", "met$"),
    row("drain node-b --pod-selector=run=leaver", "cannot delete Pods that declare no controller", code=1),
    row("drain node-b --pod-selector=run=leaver --force --timeout=30s", r"^evicting pod {ns}/leaver$",
        r"^node/node-b drained$"),
    row("get pod leaver", "NotFound", code=1),
    row("uncordon node-b", r"^node/node-b uncordoned$"),
)  # fmt: skip

PROXIES = (
    row("expose pod web --port=80 --target-port=8080 --name=front", r"^service/front exposed$"),
    row("get --raw /api/v1/namespaces/{ns}/services/front/proxy/", r"^hello from web$", awaited=True),
    row("get --raw /api/v1/namespaces/{ns}/services/front:80/proxy/index.html", r"^hello from web$"),
    row("get --raw /api/v1/namespaces/{ns}/services/http:front:80/proxy/", r"^hello from web$"),
    row("get --raw /api/v1/namespaces/{ns}/services/front:81/proxy/", 'no service port 81 found for service "front"', code=1),
    row("get --raw /api/v1/namespaces/{ns}/services/none/proxy/", 'endpoints "none" not found', code=1),
    row("port-forward service/front {port}:80", r"^hello from web$", endless=True, fetch="/"),
    row("get --raw /api/v1/namespaces/{ns}/pods/web:8080/proxy/", r"^hello from web$"),
    row("get --raw /api/v1/namespaces/{ns}/pods/web:81/proxy/", "connect: connection refused", code=1),
    row("get --raw /api/v1/nodes/node-a/proxy/healthz", r"^ok$"),
    row("get --raw /api/v1/nodes/https:node-a:10250/proxy/pods", r'"kind":"PodList"'),
    row("get --raw /api/v1/nodes/node-a/proxy/stats/summary", r'"nodeName":"node-a"', r'"workingSetBytes":\d+'),
    row("get --raw /api/v1/nodes/node-a/proxy/metrics", r'^kubelet_node_name{node="node-a"} 1'),
    row("get --raw /api/v1/nodes/node-a/proxy/metrics/resource", r"^node_memory_working_set_bytes "),
    row("get --raw /api/v1/nodes/node-a/proxy/configz", "serves /healthz, /metrics.* there, not", code=1),
    row("get --raw /api/v1/nodes/none/proxy/healthz", 'nodes "none" not found', code=1),
    row("delete service front", r'^service "front" deleted'),
)  # fmt: skip

AUTH = (
    row("auth whoami", r"^Username +admin$", by_version=True),
    row("auth can-i create pods", r"^yes$", by_version=True),
    row("auth can-i create pods/exec", r"^yes$"),
    row("auth can-i list pods --as=nobody", r"^no$", code=1, by_version=True),
    row("auth can-i '*' '*'", r"^yes$"),
    row("auth can-i get /healthz", r"^yes$"),
    row("auth can-i --list", r"^\*\.\* +\[\] +\[\] +\[\*\]$", by_version=True),
    row("get pods --as=nobody", 'User "nobody" cannot list resource "pods" in API group "" in the namespace "{ns}"',
        code=1),
    row("get clusterroles", r"^podlab:student "),
    row("describe clusterrole podlab:viewer", r"^  pods +\[\] +\[\] +\[.*list.*\]$"),
)  # fmt: skip

CHAPTERS: dict[str, tuple[Row, ...]] = {
    "discovery": DISCOVERY,
    "get": GET,
    "describe": DESCRIBE,
    "create": CREATE,
    "apply": APPLY,
    "streams": STREAMS,
    "workloads": WORKLOADS,
    "nodes": NODES,
    "auth": AUTH,
    "proxies": PROXIES,
}
