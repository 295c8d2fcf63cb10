"""What holds for every object that the chart makes, whatever the values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chart_settings import secret_settings
from tests.support.chart_values import good_values
from tests.support.helm import Manifest, containers_of, rendered

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

SETS = sorted(good_values())
each_set = pytest.mark.parametrize("name", SETS)


def labels_of(pod: Manifest) -> dict[str, str]:
    return dict(pod["metadata"]["labels"])


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return wanted and all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", []))


@each_set
def test_no_container_may_more_than_it_needs(name: str) -> None:
    for owner, pod in rendered(name).pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True, owner
        assert pod["spec"]["securityContext"]["runAsUser"] > 0, owner
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, owner
        for container in containers_of(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, owner


@each_set
def test_every_container_asks_for_what_it_needs_and_is_bounded(name: str) -> None:
    for owner, pod in rendered(name).pods():
        for container in containers_of(pod):
            resources = container["resources"]
            assert {"cpu", "memory", "ephemeral-storage"} <= resources["requests"].keys(), owner
            assert {"memory", "ephemeral-storage"} <= resources["limits"].keys(), owner
        for volume in pod["spec"].get("volumes", []):
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""}), owner


@each_set
def test_every_container_that_stays_is_probed_and_stops_in_time(name: str) -> None:
    for deployment in rendered(name).of_kind("Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        probe = container["livenessProbe"]
        asked = probe.get("httpGet") or probe.get("grpc") or probe["tcpSocket"]
        assert asked["port"] in {*ports, *ports.values()}
        drain = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert spec["terminationGracePeriodSeconds"] >= drain + 10


@each_set
def test_whatever_has_more_pods_than_one_has_a_budget_and_is_spread(name: str) -> None:
    made = rendered(name)
    scaled = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"].get("minReplicas", one["spec"].get("minReplicaCount"))
        for one in made.of_kind("HorizontalPodAutoscaler", "ScaledObject")
    }
    for deployment in made.of_kind("Deployment"):
        own = deployment["metadata"]["name"]
        assert ("replicas" in deployment["spec"]) != (own in scaled), "whoever scales it must be alone in it"
        labels = labels_of(deployment["spec"]["template"])
        budgets = [one for one in made.of_kind("PodDisruptionBudget") if selects(one["spec"]["selector"], labels)]
        assert len(budgets) == (1 if deployment["spec"].get("replicas", scaled.get(own)) > 1 else 0), own
        for constraint in deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            assert selects(constraint["labelSelector"], labels), own


@each_set
def test_every_selector_finds_the_pods_it_means_and_no_others(name: str) -> None:
    made = rendered(name)
    pods = [labels_of(pod) for _, pod in made.pods()]
    for deployment in made.of_kind("Deployment"):
        found = [labels for labels in pods if selects(deployment["spec"]["selector"], labels)]
        assert found == [labels_of(deployment["spec"]["template"])]
    for service in made.of_kind("Service"):
        (labels,) = [labels for labels in pods if selects({"matchLabels": service["spec"]["selector"]}, labels)]
        deployment = next(one for one in made.of_kind("Deployment") if labels_of(one["spec"]["template"]) == labels)
        names = {port["name"] for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
    for monitor in made.of_kind("PodMonitor"):
        assert [labels for labels in pods if selects(monitor["spec"]["selector"], labels)]


@each_set
def test_every_pod_is_closed_and_has_a_policy_of_its_own(name: str) -> None:
    made = rendered(name)
    policies = made.of_kind("NetworkPolicy")
    closed = made.one("NetworkPolicy", "closed")
    assert closed["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in closed["spec"]
    for owner, pod in made.pods():
        matching = [one["metadata"]["name"] for one in policies if selects(one["spec"]["podSelector"], labels_of(pod))]
        assert len(matching) == 2, owner
        assert closed["metadata"]["name"] in matching


@each_set
def test_each_open_path_has_two_ends(name: str) -> None:
    """Who is let out to a component must be let in there at the same port, and the reverse."""
    out, into = set(), set()
    for policy in rendered(name).of_kind("NetworkPolicy"):
        own = policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for rule in policy["spec"].get("egress") or []:
            out |= {(own, other, port["port"]) for other in components_in(rule.get("to", [])) for port in rule["ports"]}
        for rule in policy["spec"].get("ingress") or []:
            into |= {(other, own, port["port"]) for other in components_in(rule.get("from", [])) for port in rule["ports"]}
    assert out == into
    assert {("gateway", "bridge", 3000), ("daemon", "code", 3003), ("gateway", "webserver", 3002)} <= out
    assert not [pair for pair in out if pair[1].startswith("webserver") and pair[0] != "gateway"]


def components_in(peers: list[Any]) -> set[str]:
    found = (one.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/component") for one in peers)
    return {one for one in found if one}


@each_set
def test_no_token_of_kubernetes_is_mounted_but_where_pods_are_launched(name: str) -> None:
    made = rendered(name)
    mounted = {owner for owner, pod in made.pods() if pod["spec"]["automountServiceAccountToken"]}
    assert mounted == ({"demo-zixly-daemon", "demo-zixly-webserver"} if name == "kubernetes" else set())
    assert not [one for one in made.of_kind("ServiceAccount") if one["automountServiceAccountToken"]]
    accounts = {one["metadata"]["name"] for one in made.of_kind("ServiceAccount")}
    used = {pod["spec"].get("serviceAccountName") for _, pod in made.pods()} - {None}
    assert used <= accounts


@each_set
def test_no_pod_is_told_of_services_in_variables(name: str) -> None:
    """Kubernetes would set ZIXLY_..._PORT=tcp://... for a Service of a release called zixly."""
    assert [owner for owner, pod in rendered(name).pods() if pod["spec"]["enableServiceLinks"]] == []


@each_set
def test_no_secret_lies_in_a_config_map_or_a_variable(name: str) -> None:
    made = rendered(name)
    for config in made.of_kind("ConfigMap"):
        assert not secret_settings() & config["data"].keys()
    for owner, pod in made.pods():
        for container in containers_of(pod):
            open_ones = {one["name"] for one in container.get("env", []) if "valueFrom" not in one}
            assert not secret_settings() & open_ones, owner


def test_a_changed_setting_makes_new_pods_of_those_that_read_it() -> None:
    def checksums(name: str) -> dict[str, Any]:
        made = rendered(name).of_kind("Deployment")
        return {one["metadata"]["name"]: one["spec"]["template"]["metadata"]["annotations"] for one in made}

    before, after = checksums("required"), checksums("everything")
    for own in before.keys() & after.keys():
        changed = {key for key, value in before[own].items() if after[own][key] != value}
        assert changed == ({"checksum/gateway"} if own.endswith("gateway") else {"checksum/settings"})


def test_the_migrations_owner_is_seen_by_the_migrations_alone() -> None:
    for name in SETS:
        for owner, pod in rendered(name).pods():
            variables = {one["name"] for container in containers_of(pod) for one in container.get("env", [])}
            assert ("ZIXLY_DATABASE_URL_OWNER" in variables) == owner.endswith("-migration")


def test_what_the_migrations_need_is_there_before_them() -> None:
    """A hook before the install sees nothing of the release that is no hook with a smaller weight."""
    made = rendered("external-secrets")
    job = made.one("Job", "migration")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]
    assert "envFrom" not in job["spec"]["template"]["spec"]["containers"][0]
    earlier = {
        (one["kind"], one["metadata"]["name"])
        for one in made.objects
        if int(one["metadata"].get("annotations", {}).get("helm.sh/hook-weight", "0")) < 0
    }
    assert earlier == {("ExternalSecret", "demo-zixly-migration"), ("NetworkPolicy", "demo-zixly-migration")}
