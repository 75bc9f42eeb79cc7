package main

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// The kind of benchmarks/machines.py as a kubebuilder project would declare it. DeepCopy methods are what
// controller-gen writes for these types.

var groupVersion = schema.GroupVersion{Group: "bench.homeostat.dev", Version: "v1"}

type Machine struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              MachineSpec   `json:"spec,omitempty"`
	Status            MachineStatus `json:"status,omitempty"`
}

type MachineList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Machine `json:"items"`
}

type MachineSpec struct {
	Hostname       string         `json:"hostname"`
	ProviderID     string         `json:"providerID"`
	Zone           string         `json:"zone"`
	Rack           string         `json:"rack"`
	PackageVersion string         `json:"packageVersion"`
	Note           string         `json:"note"`
	Hardware       Hardware       `json:"hardware"`
	Disks          []Disk         `json:"disks"`
	Interfaces     []Interface    `json:"interfaces"`
	Taints         []corev1.Taint `json:"taints,omitempty"`
}

type Hardware struct {
	Vendor    string `json:"vendor"`
	Model     string `json:"model"`
	Serial    string `json:"serial"`
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	MemoryGiB int    `json:"memoryGiB"`
}

type Disk struct {
	Name    string `json:"name"`
	Model   string `json:"model"`
	Serial  string `json:"serial"`
	SizeGiB int    `json:"sizeGiB"`
}

type Interface struct {
	Name    string `json:"name"`
	MAC     string `json:"mac"`
	Address string `json:"address"`
	Gbps    int    `json:"gbps"`
}

type MachineStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	ObservedBy         string             `json:"observedBy,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

func addMachines(scheme *runtime.Scheme) {
	scheme.AddKnownTypes(groupVersion, &Machine{}, &MachineList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
}

// transform is the "stripped" variant: keep what a reconciler reads, drop the rest before it is cached.
func transform() cache.TransformFunc {
	if !*strip {
		return nil
	}
	return func(object any) (any, error) {
		switch typed := object.(type) {
		case *Machine:
			typed.ManagedFields, typed.Annotations = nil, nil
			typed.Spec = MachineSpec{Zone: typed.Spec.Zone, PackageVersion: typed.Spec.PackageVersion, Note: typed.Spec.Note}
		case *corev1.Pod:
			stripPod(typed)
		}
		return object, nil
	}
}

func stripPod(pod *corev1.Pod) {
	pod.ManagedFields, pod.Annotations = nil, nil
	kept := make([]corev1.Container, 0, len(pod.Spec.Containers))
	for _, container := range pod.Spec.Containers {
		kept = append(kept, corev1.Container{Name: container.Name, Image: container.Image, Resources: container.Resources})
	}
	pod.Spec = corev1.PodSpec{NodeName: pod.Spec.NodeName, Containers: kept, PriorityClassName: pod.Spec.PriorityClassName}
	pod.Status = corev1.PodStatus{Phase: pod.Status.Phase, Conditions: pod.Status.Conditions, PodIP: pod.Status.PodIP}
}

func (in *Machine) DeepCopyInto(out *Machine) {
	*out = *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	in.Spec.DeepCopyInto(&out.Spec)
	in.Status.DeepCopyInto(&out.Status)
}

func (in *Machine) DeepCopy() *Machine {
	out := new(Machine)
	in.DeepCopyInto(out)
	return out
}

func (in *Machine) DeepCopyObject() runtime.Object { return in.DeepCopy() }

func (in *MachineSpec) DeepCopyInto(out *MachineSpec) {
	*out = *in
	out.Disks = append([]Disk(nil), in.Disks...)
	out.Interfaces = append([]Interface(nil), in.Interfaces...)
	if in.Taints != nil {
		out.Taints = make([]corev1.Taint, len(in.Taints))
		for i := range in.Taints {
			in.Taints[i].DeepCopyInto(&out.Taints[i])
		}
	}
}

func (in *MachineStatus) DeepCopyInto(out *MachineStatus) {
	*out = *in
	if in.Conditions != nil {
		out.Conditions = make([]metav1.Condition, len(in.Conditions))
		for i := range in.Conditions {
			in.Conditions[i].DeepCopyInto(&out.Conditions[i])
		}
	}
}

func (in *MachineList) DeepCopyObject() runtime.Object {
	out := new(MachineList)
	*out = *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]Machine, len(in.Items))
	for i := range in.Items {
		in.Items[i].DeepCopyInto(&out.Items[i])
	}
	return out
}
