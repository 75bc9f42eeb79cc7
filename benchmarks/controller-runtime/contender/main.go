// Command contender is the controller-runtime side of the benchmarks: a manager with one controller, as kubebuilder
// would lay it out, that does what every other contender does. It talks the protocol of benchmarks/contender.py on
// stdin and stdout: a line "start", "reconcile", "settle" or "stats" in, a line of JSON out.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"net/http"
)

var (
	kubeconfig = flag.String("config", "", "kubeconfig of the API server")
	kind       = flag.String("kind", "machines", "machines or pods")
	asJSON     = flag.Bool("json", false, "ask for JSON where protobuf is the default")
	strip      = flag.Bool("strip", false, "drop from the cache what the reconciler does not read")
	workers    = flag.Int("workers", 16, "concurrent reconciles")
	run        = flag.String("run", "", "written to status.observedBy")
)

// counters is what the orchestrator polls; the word "events" counts deliveries to the event handler.
type counters struct {
	objects, events, reconciles, writes, errors atomic.Int64
	reconciling                                 atomic.Bool
	synced                                      atomic.Bool
}

func main() {
	flag.Parse()
	log.SetLogger(logr.Discard())
	ctrl.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	config.QPS = -1
	if *asJSON {
		config.ContentType = "application/json"
	}
	count := &counters{}
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("{\"ready\": true}")
	for in.Scan() {
		switch strings.TrimSpace(in.Text()) {
		case "start":
			go start(config, count)
			fmt.Println("{\"ok\": true}")
		case "reconcile":
			count.reconciling.Store(true)
			fmt.Println("{\"ok\": true}")
		case "settle":
			debug.FreeOSMemory()
			fmt.Println("{\"ok\": true}")
		case "stats":
			check(json.NewEncoder(os.Stdout).Encode(stats(count)))
		}
	}
}

func start(config *rest.Config, count *counters) {
	scheme := runtime.NewScheme()
	check(corev1.AddToScheme(scheme))
	addMachines(scheme)
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:         scheme,
		Metrics:        server.Options{BindAddress: "0"},
		Cache:          cache.Options{DefaultTransform: transform()},
		MapperProvider: staticMapper,
	})
	check(err)
	var object client.Object = &Machine{}
	if *kind == "pods" {
		object = &corev1.Pod{}
	}
	check(builder.ControllerManagedBy(manager).
		For(object, builder.WithPredicates(counting(count))).
		WithOptions(controller.Options{MaxConcurrentReconciles: *workers}).
		Complete(&reconciler{Client: manager.GetClient(), count: count}))
	ctx := context.Background()
	go func() {
		if manager.GetCache().WaitForCacheSync(ctx) {
			count.synced.Store(true)
		}
	}()
	check(manager.Start(ctx))
}

// staticMapper spares the pods stub from serving discovery; it costs and saves nothing that is measured.
func staticMapper(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(groupVersion.WithKind("Machine"), meta.RESTScopeNamespace)
	mapper.Add(schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, meta.RESTScopeNamespace)
	return mapper, nil
}

func counting(count *counters) predicate.Funcs {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { count.objects.Add(1); return true },
		UpdateFunc:  func(event.UpdateEvent) bool { count.events.Add(1); return true },
		DeleteFunc:  func(event.DeleteEvent) bool { count.events.Add(1); return true },
		GenericFunc: func(event.GenericEvent) bool { return true },
	}
}

type reconciler struct {
	client.Client
	count *counters
}

// Reconcile brings status.observedGeneration to metadata.generation with one status patch.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	r.count.reconciles.Add(1)
	if *kind == "pods" || !r.count.reconciling.Load() {
		return ctrl.Result{}, nil
	}
	machine := &Machine{}
	if err := r.Get(ctx, request.NamespacedName, machine); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if machine.Status.ObservedGeneration == machine.Generation && machine.Status.ObservedBy == *run {
		return ctrl.Result{}, nil
	}
	base := machine.DeepCopy()
	machine.Status.ObservedGeneration = machine.Generation
	machine.Status.ObservedBy = *run
	meta.SetStatusCondition(&machine.Status.Conditions, metav1.Condition{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "Observed", Message: "observed by " + *run,
		ObservedGeneration: machine.Generation,
	})
	if err := r.Status().Patch(ctx, machine, client.MergeFrom(base)); err != nil {
		r.count.errors.Add(1)
		return ctrl.Result{}, err
	}
	r.count.writes.Add(1)
	return ctrl.Result{}, nil
}

func stats(count *counters) map[string]any {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return map[string]any{
		"objects": count.objects.Load(), "events": count.events.Load(), "reconciles": count.reconciles.Load(),
		"writes": count.writes.Load(), "errors": count.errors.Load(), "synced": count.synced.Load(),
		"cpu_s": seconds(usage.Utime) + seconds(usage.Stime), "rss_mb": rss(), "peak_rss_mb": float64(usage.Maxrss) / 1024,
	}
}

func rss() float64 {
	data, err := os.ReadFile("/proc/self/statm")
	check(err)
	pages, err := strconv.ParseFloat(strings.Fields(string(data))[1], 64)
	check(err)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
