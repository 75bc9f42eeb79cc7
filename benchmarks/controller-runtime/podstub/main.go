// Command podstub serves N Pods over TLS the way a kube-apiserver would: paginated lists, streaming lists
// (sendInitialEvents) and a silent watch afterwards, in JSON and in protobuf, whichever the client prefers. Every
// object is encoded once, at start, so the figures measure clients.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
)

const (
	protobufType = "application/vnd.kubernetes.protobuf"
	last         = "1000000"
)

var (
	count  = flag.Int("pods", 100_000, "how many Pods to serve")
	listen = flag.String("listen", "127.0.0.1:0", "address")
	cert   = flag.String("cert", "", "certificate file")
	key    = flag.String("key", "", "key file")
)

type stub struct {
	raw    *protobuf.RawSerializer
	full   *protobuf.Serializer
	asJSON [][]byte
	pods   []corev1.Pod // for protobuf pages, which are encoded when asked for
}

func main() {
	flag.Parse()
	server := &stub{raw: protobuf.NewRawSerializer(nil, nil), full: protobuf.NewSerializer(nil, nil)}
	for i := range *count {
		pod := makePod(i)
		encoded, err := json.Marshal(pod)
		check(err)
		server.asJSON = append(server.asJSON, encoded)
		server.pods = append(server.pods, pod)
	}
	http.HandleFunc("/api/v1/pods", server.serve)
	http.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"major":"1","minor":"35","gitVersion":"v1.35.4"}`)
	})
	fmt.Printf("{\"ready\": true, \"object_bytes\": %d}\n", len(server.asJSON[0]))
	check(http.ListenAndServeTLS(*listen, *cert, *key, nil))
}

func (s *stub) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	binary := strings.Contains(r.Header.Get("Accept"), protobufType)
	switch {
	case query.Get("watch") == "" || query.Get("watch") == "false" || query.Get("watch") == "0":
		s.list(w, query.Get("continue"), query.Get("limit"), binary)
	default:
		s.watch(w, r, query.Get("sendInitialEvents") == "true", binary)
	}
}

func (s *stub) list(w http.ResponseWriter, from, limit string, binary bool) {
	start, _ := strconv.Atoi(from)
	size, _ := strconv.Atoi(limit)
	end := len(s.pods)
	if size > 0 && start+size < end {
		end = start + size
	}
	list := metav1.ListMeta{ResourceVersion: last}
	if end < len(s.pods) {
		list.Continue = strconv.Itoa(end)
	}
	if binary {
		w.Header().Set("Content-Type", protobufType)
		page := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, ListMeta: list, Items: s.pods[start:end]}
		check(s.full.Encode(page, w))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"%s","continue":"%s"},"items":[`, last, list.Continue)
	for i := start; i < end; i++ {
		if i > start {
			_, _ = w.Write([]byte(","))
		}
		_, _ = w.Write(s.asJSON[i])
	}
	_, _ = w.Write([]byte("]}\n"))
}

func (s *stub) watch(w http.ResponseWriter, r *http.Request, initial, binary bool) {
	contentType := "application/json"
	if binary {
		contentType = protobufType + ";stream=watch"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	if initial {
		for i := range s.pods {
			if binary {
				s.writeBinary(w, "ADDED", &s.pods[i])
			} else {
				_, _ = fmt.Fprintf(w, `{"type":"ADDED","object":%s}`+"\n", s.asJSON[i])
			}
		}
		s.bookmark(w, binary)
		w.(http.Flusher).Flush()
	}
	select {
	case <-r.Context().Done():
	case <-time.After(5 * time.Minute):
	}
}

func (s *stub) bookmark(w http.ResponseWriter, binary bool) {
	mark := corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{ResourceVersion: last, Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"}},
	}
	if binary {
		s.writeBinary(w, "BOOKMARK", &mark)
		return
	}
	encoded, err := json.Marshal(mark)
	check(err)
	_, _ = fmt.Fprintf(w, `{"type":"BOOKMARK","object":%s}`+"\n", encoded)
}

// writeBinary frames one event as API servers do: the object in its own envelope, inside a raw WatchEvent, length first.
func (s *stub) writeBinary(w http.ResponseWriter, kind string, pod *corev1.Pod) {
	var object, event bytes.Buffer
	check(s.full.Encode(pod, &object))
	check(s.full.Encode(&metav1.WatchEvent{Type: kind, Object: runtime.RawExtension{Raw: object.Bytes()}}, &event))
	size := uint32(event.Len())
	_, _ = w.Write([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)})
	_, _ = w.Write(event.Bytes())
}

// makePod is a Pod of about 6.5 KB, as a busy cluster holds them: two containers, volumes, conditions, managed fields.
func makePod(i int) corev1.Pod {
	name := fmt.Sprintf("web-%05d-%05x", i/10, i)
	created := metav1.NewTime(time.Unix(1_790_000_000+int64(i), 0))
	yes := true
	return corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, GenerateName: fmt.Sprintf("web-%05d-", i/10), Namespace: fmt.Sprintf("team-%03d", i%500),
			UID: types.UID(fmt.Sprintf("6f9619ff-8b86-d011-b42d-%012x", i)), ResourceVersion: strconv.Itoa(100_000 + i),
			CreationTimestamp: created, Generation: 1,
			Labels: map[string]string{
				"app": fmt.Sprintf("web-%05d", i/10), "pod-template-hash": fmt.Sprintf("%010x", i/10), "team": fmt.Sprintf("team-%03d", i%500),
				"tier": "frontend", "release": "stable", "app.kubernetes.io/managed-by": "deployer",
			},
			Annotations: map[string]string{
				"prometheus.io/scrape": "true", "prometheus.io/port": "9090",
				"deployer.example.com/config-hash": strings.Repeat("a1b2c3d4", 8), "deployer.example.com/change": fmt.Sprintf("change-%06d", i),
			},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: fmt.Sprintf("web-%05d", i/10),
				UID: types.UID(fmt.Sprintf("7f9619ff-8b86-d011-b42d-%012x", i/10)), Controller: &yes, BlockOwnerDeletion: &yes}},
			ManagedFields: []metav1.ManagedFieldsEntry{
				{Manager: "kube-controller-manager", Operation: "Update", APIVersion: "v1", Time: &created, FieldsType: "FieldsV1",
					FieldsV1: metav1.NewFieldsV1(managedBySpec)},
				{Manager: "kubelet", Operation: "Update", APIVersion: "v1", Time: &created, FieldsType: "FieldsV1", Subresource: "status",
					FieldsV1: metav1.NewFieldsV1(managedByStatus)},
			},
		},
		Spec:   podSpec(i),
		Status: podStatus(i, created),
	}
}

const managedBySpec = `{"f:metadata":{"f:annotations":{".":{},"f:deployer.example.com/config-hash":{},"f:prometheus.io/port":{},"f:prometheus.io/scrape":{}},"f:generateName":{},"f:labels":{".":{},"f:app":{},"f:pod-template-hash":{},"f:release":{},"f:team":{},"f:tier":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"7f9619ff\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:env":{".":{}},"f:image":{},"f:imagePullPolicy":{},"f:livenessProbe":{},"f:name":{},"f:ports":{},"f:readinessProbe":{},"f:resources":{},"f:volumeMounts":{}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{},"f:volumes":{}}}`
const managedByStatus = `{"f:status":{"f:conditions":{"k:{\"type\":\"ContainersReady\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Initialized\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Ready\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:containerStatuses":{},"f:hostIP":{},"f:phase":{},"f:podIP":{},"f:podIPs":{},"f:startTime":{}}}`

func podSpec(i int) corev1.PodSpec {
	grace, mode := int64(30), int32(420)
	return corev1.PodSpec{
		NodeName: fmt.Sprintf("node-%05d", i%10_000), ServiceAccountName: "web", RestartPolicy: corev1.RestartPolicyAlways,
		DNSPolicy: corev1.DNSClusterFirst, SchedulerName: "default-scheduler", TerminationGracePeriodSeconds: &grace,
		PriorityClassName: "production", SecurityContext: &corev1.PodSecurityContext{},
		Containers: []corev1.Container{podContainer("web", i), podContainer("sidecar", i)},
		Tolerations: []corev1.Toleration{
			{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
			{Key: "node.kubernetes.io/unreachable", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
		},
		Volumes: []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "web-config"}, DefaultMode: &mode}}},
			{Name: "secrets", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "web-secrets", DefaultMode: &mode}}},
			{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
}

func podContainer(name string, i int) corev1.Container {
	return corev1.Container{
		Name: name, Image: fmt.Sprintf("registry.example.com/shop/%s:v1.%d.0", name, i%40), ImagePullPolicy: corev1.PullIfNotPresent,
		Args:  []string{"--listen=:8080", "--config=/etc/web/config.yaml", "--log-format=json"},
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
		Env: []corev1.EnvVar{
			{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.name"}}},
			{Name: "REGION", Value: "eu-north-1"}, {Name: "LOG_LEVEL", Value: "info"},
		},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{"cpu": resource.MustParse("250m"), "memory": resource.MustParse("512Mi")},
			Limits:   corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("1Gi")},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: "/etc/web", ReadOnly: true}, {Name: "secrets", MountPath: "/etc/secrets", ReadOnly: true}, {Name: "scratch", MountPath: "/tmp"},
		},
		TerminationMessagePath: "/dev/termination-log", TerminationMessagePolicy: corev1.TerminationMessageReadFile,
	}
}

func podStatus(i int, created metav1.Time) corev1.PodStatus {
	address := fmt.Sprintf("10.%d.%d.%d", 128+i>>16&127, i>>8&255, i&255)
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: fmt.Sprintf("192.168.%d.%d", i>>8&255, i&255), PodIP: address,
		PodIPs: []corev1.PodIP{{IP: address}}, StartTime: &created, QOSClass: corev1.PodQOSBurstable,
	}
	for _, kind := range []corev1.PodConditionType{"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: created})
	}
	yes := true
	for _, name := range []string{"web", "sidecar"} {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: name, Ready: true, Started: &yes, Image: fmt.Sprintf("registry.example.com/shop/%s:v1.%d.0", name, i%40),
			ImageID:     "registry.example.com/shop/" + name + "@sha256:" + strings.Repeat("0123456789abcdef", 4),
			ContainerID: fmt.Sprintf("containerd://%064x", i), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: created}},
		})
	}
	return status
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
