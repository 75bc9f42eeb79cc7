"""What the API server refuses about Clusters and ClusterPackageVersions, as CEL.

Each rule guards itself against values that another rule refuses already, so that one mistake gives one message.
"""

from __future__ import annotations

from homeostat.api.cluster.masters import COMPONENTS
from homeostat.api.schema import Rule

DNS_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"  # a pattern: of objects named after domains, and of domains
_IS_RANGE = "isCIDR(self) && cidr(self).ip().family() == 4"


def _range_rules(example: str, shortest: int, longest: int) -> tuple[Rule, ...]:
    return (
        Rule(
            rule=_IS_RANGE,
            message=f"expected an IPv4 range such as {example}",
            message_expression=f"'expected an IPv4 range such as {example}, found \"' + self + '\"'",
        ),
        Rule(
            rule=f"!({_IS_RANGE}) || cidr(self) == cidr(self).masked()",
            message=f"expected the first address of the range, such as {example}",
            message_expression=f"'expected the first address of the range, such as {example}, found ' + self",
        ),
        Rule(
            rule=(
                f"!({_IS_RANGE}) || (cidr(self).prefixLength() >= {shortest} && cidr(self).prefixLength() <= {longest})"
            ),
            message=f"expected a prefix length from /{shortest} to /{longest}",
            message_expression=f"'expected a prefix length from /{shortest} to /{longest}, found ' + self",
        ),
    )


POD_RANGE = _range_rules("10.200.0.0/16", 8, 24)
SERVICE_RANGE = _range_rules("10.201.0.0/20", 12, 28)

CLUSTER_NETWORKS_APART = Rule(
    rule=(
        "!isCIDR(self.podCIDR) || !isCIDR(self.serviceCIDR) || "
        "!(cidr(self.podCIDR).containsCIDR(cidr(self.serviceCIDR).masked()) || "
        "cidr(self.serviceCIDR).containsCIDR(cidr(self.podCIDR).masked()))"
    ),
    message="podCIDR and serviceCIDR overlap; choose ranges that share no address",
    message_expression=(
        "'serviceCIDR ' + self.serviceCIDR + ' overlaps podCIDR ' + self.podCIDR "
        "+ '; choose ranges that share no address'"
    ),
    field_path=".serviceCIDR",
)

IPV4_ADDRESS = (
    Rule(
        rule="isIP(self) && ip(self).family() == 4",
        message="expected an IPv4 address such as 10.100.1.20",
        message_expression="'expected an IPv4 address such as 10.100.1.20, found \"' + self + '\"'",
    ),
)

ENDPOINT_KEPT = Rule(
    rule="has(self.address) == has(oldSelf.address) && (!has(self.address) || self.address == oldSelf.address)",
    message="cannot be changed after creation; the endpoint stays the same for the life of the cluster",
    field_path=".address",
)

STORAGE_SIZE = (
    Rule(rule="isQuantity(self)", message="expected a quantity such as 2Gi"),
    Rule(
        rule="!isQuantity(self) || quantity(self).compareTo(quantity('256Mi')) >= 0",
        message="expected at least 256Mi, which an etcd member needs for its log and snapshots",
    ),
)

STORAGE_CLASS_KEPT = Rule(
    rule=(
        "has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)"
    ),
    message="cannot be changed after creation; volumes stay in their class",
    field_path=".className",
)

RESTORE_KEPT = Rule(
    rule=(
        "has(self.restoreFrom) == has(oldSelf.restoreFrom) && "
        "(!has(self.restoreFrom) || self.restoreFrom == oldSelf.restoreFrom)"
    ),
    message="cannot be changed after creation; a cluster begins with a snapshot or without one",
    field_path=".restoreFrom",
)

# The characters of a name are limited by a pattern instead: the cost of any rule that reads them cannot be estimated.
CLUSTER_NAME = (
    Rule(
        rule="self.metadata.name.size() <= 40",
        message="expected a name of at most 40 characters, so that the names of derived objects fit",
        field_path=".metadata.name",
    ),
)

QUANTITY = {
    "maxLength": 20,
    "x-kubernetes-validations": [
        {
            "rule": "type(self) == int ? self >= 0 : (isQuantity(self) && !quantity(self).isLessThan(quantity('0')))",
            "message": "expected a quantity of zero or more, such as 100m or 256Mi",
        }
    ],
}

ARGUMENT_NAMES = (
    Rule(
        rule="!self.exists(name, name.startsWith('-') || name.contains('=') || name.contains(' '))",
        message="expected flag names without leading dashes, '=' and spaces, such as v or goaway-chance",
    ),
)

# Kubernetes takes `_` for `-` in flags, so a name could be written in two ways, and one of two values would win.
OVERRIDDEN_ARGUMENT_NAMES = Rule(
    rule=(
        "!self.exists(name, name == '' || name.startsWith('-') || name.contains('_') || name.contains('=') || "
        "name.contains(' '))"
    ),
    message="expected flag names without leading dashes, '_', '=' and spaces, such as v or goaway-chance",
)

VARIABLE_NAMES = Rule(
    rule="!self.exists(name, name == '' || name.contains('=') || name.contains(' '))",
    message="expected names of environment variables without '=' and spaces, such as GOMAXPROCS",
)

RESOURCE_NAMES = Rule(
    rule="self.all(name, name in ['cpu', 'memory', 'ephemeral-storage'])",
    message="expected the resources cpu, memory or ephemeral-storage",
)

OVERRIDE_IS_ONE_THING = tuple(
    Rule(
        rule=f"!has(self.{given}) || !has(self.{removed}) || !self.{removed}.exists(name, name in self.{given})",
        message=f"expected each name in {given} or in {removed}, not in both",
        field_path=f".{removed}",
    )
    for given, removed in (("args", "removeArgs"), ("env", "removeEnv"))
)

PACKAGE_COMPLETE = tuple(
    Rule(
        rule=f"self.exists(c, c.name == '{name}')", message=f"expected the component {name}, which every cluster needs"
    )
    for name in COMPONENTS
)

_IS_MASTER = "self.name in ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']"

COMPONENT_IS_KNOWN = (
    Rule(
        rule=f"{_IS_MASTER} || has(self.hosted)",
        message=(
            "expected etcd, kube-apiserver, kube-controller-manager or kube-scheduler; any other component is a hosted"
            " operator, and says in `hosted` how"
        ),
        field_path=".name",
    ),
    Rule(
        rule=f"!({_IS_MASTER}) || !has(self.hosted)",
        message="expected nothing here: how the masters of Kubernetes run, and what they may do, is homeostat's",
        field_path=".hosted",
    ),
    Rule(
        rule="self.name != 'etcd-restore'",
        message="expected another name: this one marks the Pods that restore etcd",
        field_path=".name",
    ),
    Rule(
        rule="!has(self.hosted) || self.name.size() <= 19",
        message="expected a name of at most 19 characters, so that the names of derived objects fit",
        field_path=".name",
    ),
    Rule(
        rule="!has(self.hosted) || !has(self.probes) || has(self.hosted.health)",
        message="expected hosted.health, which says what the probes ask",
        field_path=".probes",
    ),
)

_HAS_RESOURCES = "has(self.resources) && self.resources.size() > 0"
_HAS_URLS = "has(self.nonResourceURLs) && self.nonResourceURLs.size() > 0"

GRANT_IS_ONE_THING = (
    Rule(
        rule=f"({_HAS_RESOURCES}) != ({_HAS_URLS})",
        message="expected either resources or nonResourceURLs",
    ),
    Rule(
        rule=f"!({_HAS_RESOURCES}) || (has(self.apiGroups) && self.apiGroups.size() > 0)",
        message="expected the API groups of the resources; that of Pods and Secrets is ''",
        field_path=".apiGroups",
    ),
    Rule(
        rule=f"!({_HAS_URLS}) || !has(self.__namespace__) || self.__namespace__ == ''",
        message="expected no namespace beside nonResourceURLs, which are in none",
        field_path=".namespace",
    ),
)

DEPENDENCIES_KNOWN = Rule(
    rule="self.all(c, !has(c.dependsOn) || c.dependsOn.all(d, self.exists(other, other.name == d)))",
    message="expected names of components of this package version in dependsOn",
)

DEPENDS_ON_OTHERS = (
    Rule(
        rule="!has(self.dependsOn) || !(self.name in self.dependsOn)",
        message="expected other components than the one that depends on them",
        field_path=".dependsOn",
    ),
)

PACKAGE_VERSION_MATCHES = Rule(
    rule="self.components.all(c, c.name != 'kube-apiserver' || c.version == self.kubernetesVersion)",
    message="expected the version of the component kube-apiserver, which is what clusters serve",
    field_path=".kubernetesVersion",
)
