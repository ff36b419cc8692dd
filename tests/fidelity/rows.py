"""Every field of a Pod's spec and status: what becomes of it on Docker and on a simulated node, and the tests that show it.

`python -m tests.fidelity` writes the table of docs/fidelity.md from this. A path stands for all below it; of several that fit
a field the longest counts. `spec.containers[]` stands for init and ephemeral containers too, `status.containerStatuses[]` for
theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

HOW = ("real", "simulated", "refused", "no effect", "dropped")


@dataclass(frozen=True)
class Row:
    """`docker` and `simulated` begin with a word of HOW; what follows says where it ends. `proofs` are pytest ids below
    tests/. What a container sees is real only if a test on an engine shows it; `rule`: it is a decision of API, scheduler or
    kubelet, which is the same on both and shown without one."""

    paths: tuple[str, ...]
    docker: str
    simulated: str
    proofs: tuple[str, ...]
    rule: bool = False


def of(paths: str, docker: str, simulated: str, *proofs: str, rule: bool = False) -> Row:
    return Row(tuple(paths.split()), docker, simulated, proofs, rule)


_C, _S, _V = "spec.containers[]", "status.containerStatuses[]", "spec.volumes[]"
_ON_DOCKER = "kubelet/test_features_on_docker.py::test_a_container_shows"
_SECURITY = "kubelet/test_hosts_and_security.py::test_security_context"
_CYCLE = "scheduler/test_scheduling_cycle.py"
_RULES = "scheduler/test_rules_about_pods.py"
_PREEMPTION = "scheduler/test_preemption.py"
_OLD_VOLUMES = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk gitRepo glusterfs "
    "iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume"
)

CONTAINERS = (
    of(f"{_C}.name", "real", "simulated", "runtime/test_docker_values.py::test_names_are_kubernetes_own_behind_the_nodes_prefix", "runtime/test_contract.py::test_the_life_of_a_container", rule=True),
    of(f"{_C}.image", "real", "simulated", "runtime/test_contract.py::test_an_image_that_is_there"),
    of(f"{_C}.imagePullPolicy", "real", "simulated, the time of a pull by annotation", "kubelet/test_pulling_images.py::test_always_pulls_an_image_that_is_present", "kubelet/test_on_docker.py::test_an_image_that_cannot_be_pulled_backs_off"),
    of(f"{_C}.command {_C}.args", "real", "simulated", "runtime/test_docker_engine.py::test_args_without_a_command_and_a_command_with_args", "runtime/test_sim_shell.py::test_a_script_ends"),
    of(f"{_C}.workingDir", "real", "simulated", "runtime/test_docker_engine.py::test_the_configuration_arrives"),
    of(f"{_C}.env {_C}.envFrom", "real", "simulated", "kubelet/test_environment_and_volumes.py::test_environment", "kubelet/test_on_docker.py::test_config_and_volumes_reach_the_container", "runtime/test_sim_sessions.py::test_the_environment_of_the_container_is_seen"),
    of(f"{_C}.env[].valueFrom.fileKeyRef", "refused: CreateContainerConfigError", "refused", "kubelet/test_environment_and_volumes.py::test_a_variable_from_a_file_is_refused", rule=True),
    of(f"{_C}.ports", "real; names and numbers for probes and Services", "simulated; servers listen on them", "kubelet/test_probing.py::test_an_http_probe_goes_to_the_pod_by_port_name", "lab/test_services.py::test_a_service_by_its_short_name_reaches_pods_of_both_nodes"),
    of(f"{_C}.ports[].hostPort {_C}.ports[].hostIP", "real; two pods cannot have one port", "simulated: counted", "kubelet/test_features_on_docker.py::test_a_port_of_the_node_leads_to_the_pod", "kubelet/test_hosts_and_security.py::test_two_pods_cannot_have_one_port_of_the_node"),
    of(f"{_C}.resources.limits {_C}.resources.requests", "real; a score for the OOM killer below zero is not asked for", "simulated memory", "runtime/test_docker_engine.py::test_limits_are_the_kubelets_translation", "kubelet/test_features_on_docker.py::test_too_much_memory_is_told", "runtime/test_sim_behaviour.py::test_fate_by_annotation"),
    of(f"{_C}.resources.claims spec.resourceClaims", "refused", "refused", "kubelet/test_running_pods.py::test_what_podlab_cannot_do_is_refused_by_name", rule=True),
    of(f"{_C}.resizePolicy", "real (memory requests have no effect in the engine)", "simulated: memory limits count from then on", "kubelet/test_features_on_docker.py::test_a_resize_reaches_the_running_container", "kubelet/test_resizing.py::test_resize_policy_restarts_the_container_at_once"),
    of(f"{_C}.restartPolicy", "real: sidecars and restarts of single containers", "simulated", "kubelet/test_features_on_docker.py::test_sidecars_start_before_and_end_after_the_container", "kubelet/test_ending_pods.py::test_sidecars_end_after_the_containers_in_reverse_order"),
    of(f"{_C}.restartPolicyRules", "real, RestartAllContainers too", "simulated", "kubelet/test_features_on_docker.py::test_a_rule_restarts_a_container_of_a_pod_that_never_does", "kubelet/test_features_on_docker.py::test_a_rule_restarts_all_containers_in_their_sandbox"),
    of(f"{_C}.startupProbe {_C}.livenessProbe {_C}.readinessProbe", "real: all numbers, thresholds and the grace of a probe", "simulated, or by annotation", "kubelet/test_probing.py::test_startup_holds_the_other_probes_back_and_then_rests", "kubelet/test_probing.py::test_the_probe_may_have_its_own_grace", "kubelet/test_on_docker.py::test_a_failing_liveness_probe_kills_and_restarts_with_a_why"),
    *(
        of(f"{_C}.startupProbe.{how} {_C}.livenessProbe.{how} {_C}.readinessProbe.{how}", "real", "simulated, or by annotation", *proofs)
        for how, proofs in {
            "exec": ("runtime/test_calls_contract.py::test_exec_times_out",),
            "httpGet": ("runtime/test_docker_dial.py::test_headers_are_the_kubelets_unless_given", "runtime/test_calls_contract.py::test_http_and_tcp_reach_a_server"),
            "tcpSocket": ("runtime/test_calls_contract.py::test_http_and_tcp_reach_a_server",),
            "grpc": ("runtime/test_docker_grpc.py::test_the_service_is_named", "runtime/test_sim_behaviour.py::test_grpc_probes_reach_servers_that_answer_everything"),
        }.items()
    ),
    of(f"{_C}.lifecycle", "real: exec, httpGet, sleep", "simulated", "kubelet/test_ending_pods.py::test_pre_stop_runs_inside_the_grace_and_before_term", "kubelet/test_running_pods.py::test_a_failed_post_start_hook_kills_the_container", rule=True),
    of(f"{_C}.lifecycle.stopSignal", "dropped by the API, as its gate is off in 1.36; an image's STOPSIGNAL is honoured", "dropped", "apis/test_feature_gates.py::test_gated_fields_are_dropped", rule=True),
    of(f"{_C}.terminationMessagePath", "real", "simulated", "kubelet/test_on_docker.py::test_the_end_of_the_termination_message_is_kept", "runtime/test_sim_behaviour.py::test_a_termination_message_is_kept"),
    of(f"{_C}.terminationMessagePolicy", "real", "simulated", "kubelet/test_features_on_docker.py::test_the_end_of_the_log_is_the_message_of_a_failed_container"),
    of(f"{_C}.stdin {_C}.stdinOnce {_C}.tty", "real", "simulated", "runtime/test_docker_engine.py::test_a_terminal", "runtime/test_stream_contract.py::test_attach_shows_what_comes_and_ends_with_the_container"),
    of(f"{_C}.targetContainerName", "real: the target's processes are seen", "simulated: the main process of the target is seen", "kubelet/test_hosts_and_security.py::test_a_debugger_sees_the_processes_of_its_target", "kubelet/test_ending_pods.py::test_an_ephemeral_container_runs_once_beside_the_others", "runtime/test_sim_behaviour.py::test_a_debugger_sees_the_process_of_its_target_and_a_shared_namespace_all", rule=True),
    of(f"{_C}.volumeDevices", "refused", "refused", "kubelet/test_running_pods.py::test_what_podlab_cannot_do_is_refused_by_name", rule=True),
    of(f"{_C}.volumeMounts", "real", "simulated", "kubelet/test_on_docker.py::test_config_and_volumes_reach_the_container", "runtime/test_sim_coming_back.py::test_volumes_keep_what_was_written_and_a_replay_writes_nothing_twice", "simhost/test_world_files.py::test_a_pod_finds_its_configuration_its_identity_and_its_names"),
    of(f"{_C}.volumeMounts[].subPath {_C}.volumeMounts[].subPathExpr", "real; links that lead out of a volume are refused", "simulated", f"{_ON_DOCKER}[a part of a volume]", "kubelet/test_environment_and_volumes.py::test_a_part_that_leads_out_of_its_volume_is_refused", "runtime/test_sim_files.py::test_a_part_of_a_volume_is_shared_with_the_whole_and_one_of_files_does_not_change"),
    of(f"{_C}.volumeMounts[].recursiveReadOnly", "refused: Enabled is a CreateContainerConfigError, as with any runtime that cannot; IfPossible is not recursive", "refused", "kubelet/test_environment_and_volumes.py::test_recursive_read_only_is_more_than_the_runtime_can", rule=True),
    of(f"{_C}.volumeMounts[].mountPropagation", "no effect", "no effect", "kubelet/test_status_fields.py::test_propagation_of_mounts_changes_nothing", rule=True),
)  # fmt: skip

SECURITY = (
    of(f"spec.securityContext {_C}.securityContext", "real", "simulated for files and /proc", _SECURITY, f"{_ON_DOCKER}[users and groups]", "runtime/test_sim_files.py::test_who_is_not_root_may_do_less"),
    of(f"{_C}.securityContext.runAsUser {_C}.securityContext.runAsGroup spec.securityContext.runAsUser spec.securityContext.runAsGroup spec.securityContext.supplementalGroups spec.securityContext.fsGroup", "real", "simulated", f"{_ON_DOCKER}[users and groups]", f"{_ON_DOCKER}[a group owns the volume]", "runtime/test_sim_files.py::test_who_is_not_root_may_do_less"),
    of(f"{_C}.securityContext.runAsNonRoot spec.securityContext.runAsNonRoot", "real, refused with the kubelet's words", "simulated", "kubelet/test_environment_and_volumes.py::test_run_as_non_root_is_checked", rule=True),
    of(f"{_C}.securityContext.capabilities", "real", "simulated: shown in /proc only", f"{_ON_DOCKER}[capabilities are dropped and added]", "runtime/test_sim_files.py::test_what_a_script_says[the kernel's files]"),
    of(f"{_C}.securityContext.allowPrivilegeEscalation", "real", "simulated: shown in /proc only", f"{_ON_DOCKER}[no new privileges]", "runtime/test_sim_files.py::test_what_a_script_says[the kernel's files]"),
    of(f"{_C}.securityContext.readOnlyRootFilesystem", "real", "simulated", "runtime/test_docker_engine.py::test_the_configuration_arrives", "runtime/test_sim_files.py::test_a_root_that_is_read_only"),
    of(f"{_C}.securityContext.seccompProfile spec.securityContext.seccompProfile", "real: RuntimeDefault, Unconfined (without a profile the engine's default stays on); Localhost is refused", "no effect; Localhost is refused", _SECURITY, f"{_ON_DOCKER}[no new privileges]", "kubelet/test_hosts_and_security.py::test_the_node_does_not_let_in"),
    of(f"{_C}.securityContext.appArmorProfile spec.securityContext.appArmorProfile {_C}.securityContext.procMount spec.securityContext.supplementalGroupsPolicy", "refused: Localhost, Unmasked, Strict", "refused", "kubelet/test_hosts_and_security.py::test_what_this_node_cannot_honour_is_named", "kubelet/test_admitting_pods.py::test_who_is_refused", rule=True),
    of(f"{_C}.securityContext.seLinuxOptions spec.securityContext.seLinuxOptions spec.securityContext.seLinuxChangePolicy", "real for processes where the engine has SELinux (volumes get no labels); without effect elsewhere, as on any node without it", "no effect", _SECURITY, f"{_ON_DOCKER}[labels of SELinux are no obstacle]", rule=True),
    of(f"{_C}.securityContext.windowsOptions spec.securityContext.windowsOptions", "refused by the API for pods on Linux", "refused", "apis/test_pod_fields.py::test_a_field_is_looked_at", rule=True),
    of("spec.securityContext.sysctls", "real: the safe ones; others end in SysctlForbidden", "no effect; others end in SysctlForbidden", f"{_ON_DOCKER}[a safe sysctl]", "kubelet/test_hosts_and_security.py::test_the_node_does_not_let_in"),
    of("spec.securityContext.fsGroupChangePolicy", "real, for claims (other volumes are made anew with each pod)", "no effect", "kubelet/test_claims.py::test_the_group_of_a_volume_that_was_used_before", rule=True),
)  # fmt: skip

POD = (
    of("spec.restartPolicy", "real; a back-off is shown as CrashLoopBackOff from its beginning, and over on time (Kubernetes shows it at a later look and looks up to half as long again later)", "simulated", "kubelet/test_on_docker.py::test_exit_1_restarts_at_once_then_backs_off_for_ten_seconds", "kubelet/test_on_simulator.py::test_a_simulated_command_that_ends_is_backed_off_like_a_real_one"),
    of("spec.terminationGracePeriodSeconds", "real", "simulated", "kubelet/test_on_docker.py::test_a_pod_runs_writes_its_log_and_goes_with_grace", "kubelet/test_on_simulator.py::test_a_simulated_pod_goes_with_its_grace"),
    of("spec.activeDeadlineSeconds", "real", "simulated", "kubelet/test_running_pods.py::test_active_deadline_fails_the_pod", rule=True),
    of("spec.imagePullSecrets", "real (dockerconfigjson, dockercfg; also of the service account); without one that fits the engine's own log-ins are used; an image pulled with secrets is pulled again for a pod without them", "simulated: missing ones are told, no log-in is needed", "kubelet/test_private_registry.py::test_a_secret_of_the_service_account_opens_the_registry", "kubelet/test_pulling_images.py::test_a_missing_secret_is_told_and_the_pull_tried_without_it"),
    of("spec.hostname spec.subdomain spec.setHostnameAsFQDN spec.hostnameOverride", "real", "simulated", f"{_ON_DOCKER}[the hostname may be the full name]", "kubelet/test_hosts_and_security.py::test_hosts_file", "simhost/test_world_files.py::test_a_pod_finds_its_configuration_its_identity_and_its_names"),
    of("spec.hostAliases", "real", "simulated: the file; names are not resolved by it", f"{_ON_DOCKER}[aliases stand in /etc/hosts]", "simhost/test_world_files.py::test_a_pod_finds_its_configuration_its_identity_and_its_names"),
    of("spec.dnsPolicy spec.dnsConfig", "real; where no rules for Services can be made ClusterFirst has a cluster's search list and the node's servers", "simulated: the file; names are resolved as with ClusterFirst", f"{_ON_DOCKER}[dnsConfig makes the resolver]", "lab/test_services.py::test_the_pods_resolver_asks_the_cluster", "simhost/test_world_files.py::test_a_pod_finds_its_configuration_its_identity_and_its_names"),
    of("spec.enableServiceLinks", "real", "simulated", "kubelet/test_hosts_and_security.py::test_without_service_links_only_the_api_is_told", rule=True),
    of("spec.hostNetwork", "real", "no effect", "kubelet/test_hosts_and_security.py::test_hosts_file", rule=True),
    of("spec.hostPID spec.hostIPC", "refused, unless PODLAB_HOST_ACCESS names them", "no effect", "kubelet/test_hosts_and_security.py::test_the_node_s_processes_need_its_owner_s_word", rule=True),
    of("spec.shareProcessNamespace", "real", "simulated: the main processes are seen, and cannot be killed from elsewhere", f"{_ON_DOCKER}[the processes of the pod are shared]", "runtime/test_sim_behaviour.py::test_a_debugger_sees_the_process_of_its_target_and_a_shared_namespace_all"),
    of("spec.hostUsers", "refused (false)", "refused", "kubelet/test_hosts_and_security.py::test_users_of_their_own_are_refused", rule=True),
    of("spec.readinessGates", "real", "simulated", "kubelet/test_pure_rules.py::test_readiness_gates_are_asked_after_the_containers", rule=True),
    of("spec.nodeName spec.os", "real: past the scheduler OutOfcpu, OutOfmemory, OutOfpods and others, NodeAffinity, NodePorts, TaintToleration, a foreign os.name", "simulated", "kubelet/test_hosts_and_security.py::test_the_node_does_not_let_in", "kubelet/test_admitting_pods.py::test_who_is_refused", rule=True),
    of("spec.nodeSelector spec.affinity.nodeAffinity spec.tolerations spec.schedulerName", "real", "simulated", f"{_CYCLE}::test_chooses", f"{_CYCLE}::test_says_in_kubernetes_words_why_no_node_fits", rule=True),
    of("spec.affinity.podAffinity spec.affinity.podAntiAffinity", "real: required and preferred, the anti-affinity of pods that are there, the first of a group; matchLabelKeys are merged when the pod is made", "simulated", f"{_RULES}::test_which_nodes_fit", f"{_RULES}::test_says_in_kubernetes_words", f"{_RULES}::test_prefers", "apis/test_label_keys.py::test_only_labels_that_the_pod_has_are_merged", rule=True),
    of("spec.topologySpreadConstraints", "real; no default constraints for pods behind Services", "simulated", f"{_RULES}::test_which_nodes_fit", f"{_RULES}::test_whether_tainted_nodes_are_domains", f"{_RULES}::test_prefers", rule=True),
    of("spec.schedulingGates", "real", "simulated", "registry/test_binding.py::test_a_gated_pod_is_not_bound_until_its_gates_open", rule=True),
    of("spec.schedulingGroup", "dropped by the API, as its gate is off", "dropped", "apis/test_feature_gates.py::test_gated_fields_are_dropped", rule=True),
    of("spec.priority spec.priorityClassName", "real: set from the class, kept by evictions, less important pods are preempted", "simulated", "registry/test_admission.py::test_priority_comes_from_the_class", f"{_PREEMPTION}::test_who_goes", "kubelet/test_node_pressure.py::test_who_goes_first", rule=True),
    of("spec.preemptionPolicy", "real", "simulated", f"{_PREEMPTION}::test_nobody_goes[it must not]", f"{_PREEMPTION}::test_who_goes", rule=True),
    of("spec.resources", "real for scheduler, QoS and admission; there is no cgroup of the pod", "simulated", "apis/test_pod_resources.py::test_resources_of_the_pod_count_before_those_of_its_containers", rule=True),
    of("spec.overhead", "real: counted by scheduler, quota and kubelet", "simulated", "registry/test_class_admission.py::test_the_class_says_how_much", rule=True),
    of("spec.runtimeClassName", "real: handlers docker and sim, any other ends in FailedCreatePodSandBox; sim simulates the pod beside the real ones, without Services or DNS for it", "simulated: handler sim only", "kubelet/test_features_on_docker.py::test_a_runtime_class_simulates_one_pod_beside_the_real_ones", "kubelet/test_features_on_docker.py::test_a_handler_that_is_not_here_keeps_the_pod_from_its_sandbox"),
    of("spec.serviceAccountName spec.serviceAccount spec.automountServiceAccountToken", "real", "simulated", "registry/test_admission.py::test_every_container_finds_the_token_of_the_default_account", "lab/test_services.py::test_pods_reach_the_api_under_its_own_name", "simhost/test_world_files.py::test_a_pod_finds_its_configuration_its_identity_and_its_names"),
)  # fmt: skip

VOLUMES = (
    of(f"{_V}.name", "real", "simulated", "kubelet/test_environment_and_volumes.py::test_volumes_that_nobody_mounts_are_not_set_up", rule=True),
    of(f"{_V}.emptyDir", "real; of medium Memory in memory where agent and engine share /dev/shm, else on disk; with a sizeLimit it is a tmpfs of that size (at most the pod's memory limit) where the agent may mount; above the limit the pod is evicted within ten seconds", "simulated: looked at every ten seconds of lab time; of medium Memory without a size of its own", f"{_ON_DOCKER}[memory of a limited size]", "kubelet/test_evicting_pods.py::test_a_volume_above_its_limit_ends_the_pod", "simhost/test_world_files.py::test_who_writes_more_into_a_volume_than_it_may_is_evicted"),
    of(f"{_V}.configMap {_V}.secret {_V}.downwardAPI {_V}.projected", "real: items, modes, optional; updates with every change of the pod and once a minute, swapped in one step", "simulated: updates within a minute of lab time", "kubelet/test_on_docker.py::test_config_and_volumes_reach_the_container", "kubelet/test_environment_and_volumes.py::test_items_choose_keys_paths_and_modes", "kubelet/test_environment_and_volumes.py::test_a_projected_volume_joins_its_sources", "simhost/test_world_files.py::test_a_volume_follows_its_config_map_and_survives_a_crash"),
    of(f"{_V}.projected.sources[].serviceAccountToken", "real", "simulated: made anew with the volume only", "kubelet/test_environment_and_volumes.py::test_a_token_is_projected_for_its_audience", "simhost/test_world_files.py::test_a_pod_finds_its_configuration_its_identity_and_its_names", rule=True),
    of(f"{_V}.projected.sources[].clusterTrustBundle {_V}.projected.sources[].podCertificate", "dropped by the API, as their gates are off", "dropped", "apis/test_feature_gates.py::test_gated_fields_are_dropped", rule=True),
    of(f"{_V}.hostPath", "refused: FailedMount, unless PODLAB_HOST_ACCESS names it; then all types", "refused", "kubelet/test_environment_and_volumes.py::test_a_host_path_needs_permission_and_the_right_type", rule=True),
    of(f"{_V}.persistentVolumeClaim {_V}.ephemeral", "real: a folder on one node", "simulated", "lab/test_docker_lab.py::test_a_claim_outlives_its_pod_and_goes_with_its_folder", "simhost/test_world_controllers.py::test_a_claim_of_the_pods_own_goes_with_it"),
    of(f"{_V}.image", "real: unpacked below the pod's folder, without devices and set-uid bits", "simulated: pulled, no files", f"{_ON_DOCKER}[the files of an image, read only]", "kubelet/test_pulling_images.py::test_an_image_volume_is_pulled_unpacked_once_and_read_only"),
    of(" ".join(f"{_V}.{one}" for one in _OLD_VOLUMES.split()), "refused: FailedMount says that podlab cannot mount it", "refused", "kubelet/test_environment_and_volumes.py::test_a_volume_that_cannot_be_had_says_why", rule=True),
)  # fmt: skip

STATUS = (
    of("status.phase status.reason status.message", "real", "simulated", "kubelet/test_pure_rules.py::test_phases", "kubelet/test_running_pods.py::test_active_deadline_fails_the_pod", rule=True),
    of("status.conditions", "real", "simulated", "kubelet/test_running_pods.py::test_a_pod_runs_and_tells_it_in_the_words_of_kubernetes", "kubelet/test_pure_rules.py::test_transition_times_move_only_with_the_status", rule=True),
    of("status.podIP status.podIPs status.hostIP status.hostIPs", "real; IPv4 only", "simulated", "lab/test_services.py::test_pods_of_two_nodes_reach_each_other_by_address_and_by_name", "runtime/test_contract.py::test_a_sandbox_is_ready_and_has_an_address"),
    of("status.startTime status.qosClass status.observedGeneration", "real", "simulated", "kubelet/test_running_pods.py::test_a_pod_runs_and_tells_it_in_the_words_of_kubernetes", "kubelet/test_status_fields.py::test_the_status_says_when_it_began_and_for_which_generation", rule=True),
    of("status.nominatedNodeName", "real: set while victims end, cleared when the pod is bound", "simulated", "scheduler/test_scheduling_effects.py::test_a_more_important_pod_ends_another_and_gets_its_place", rule=True),
    of(f"status.resize status.resources status.allocatedResources {_S}.resources {_S}.allocatedResources", "real for containers; resize is told by conditions, as since 1.33", "simulated", "kubelet/test_resizing.py::test_a_running_container_gets_its_new_resources_without_a_restart", rule=True),
    of(f"status.resourceClaimStatuses status.extendedResourceClaimStatus status.nodeAllocatableResourceClaimStatuses {_S}.allocatedResourcesStatus {_S}.resources.claims", "refused with the claims that they are about", "refused", "kubelet/test_running_pods.py::test_what_podlab_cannot_do_is_refused_by_name", rule=True),
    of(f"{_S}.name {_S}.ready {_S}.started {_S}.restartCount", "real", "simulated", "kubelet/test_on_docker.py::test_exit_1_restarts_at_once_then_backs_off_for_ten_seconds", "kubelet/test_on_simulator.py::test_a_simulated_pod_is_pulled_runs_and_becomes_ready"),
    of(f"{_S}.state {_S}.lastState", "real", "simulated", "kubelet/test_on_docker.py::test_a_command_that_does_not_exist_fails_a_pod_that_never_restarts", "runtime/test_contract.py::test_exit_codes"),
    of(f"{_S}.image {_S}.imageID {_S}.containerID", "real, with docker://", "simulated, with sim://", "kubelet/test_features_on_docker.py::test_a_runtime_class_simulates_one_pod_beside_the_real_ones", "kubelet/test_pulling_images.py::test_the_image_id_is_the_name_with_a_digest_if_there_is_one"),
    of(f"{_S}.volumeMounts", "real", "simulated", "kubelet/test_status_fields.py::test_mounts_are_told_with_their_containers", rule=True),
    of(f"{_S}.user {_S}.stopSignal {_S}.volumeMounts[].volumeStatus", "no effect: never set", "no effect", "kubelet/test_status_fields.py::test_what_a_container_s_status_never_tells", rule=True),
)  # fmt: skip

ROWS = (*CONTAINERS, *SECURITY, *POD, *VOLUMES, *STATUS)
