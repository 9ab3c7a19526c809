package protocol_test

import (
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/grevy-io/grevy/protocol"
)

// commands lists one of each command that travels.
func commands() []protocol.Command {
	return []protocol.Command{
		&protocol.Deploy{}, &protocol.CreateInstance{}, &protocol.CancelInstance{}, &protocol.ActivateJobs{},
		&protocol.AwaitJobs{}, &protocol.CompleteJob{}, &protocol.FailJob{}, &protocol.YieldJobs{},
		&protocol.UpdateJobRetries{}, &protocol.UpdateJobTimeout{}, &protocol.SetVariables{},
		&protocol.ResolveIncident{}, &protocol.Receive{}, &protocol.PullDefinition{}, &protocol.AwaitDistributed{}, &protocol.Survey{}, &protocol.ListDefinitions{}, &protocol.FetchDefinitions{},
		&protocol.ListIncidents{}, &protocol.ListInstances{}, &protocol.InspectInstance{}, &protocol.ListMessages{},
		&protocol.EvaluateDecision{}, &protocol.DeleteResource{},
		&protocol.ReadPlan{}, &protocol.WritePlan{}, &protocol.Hold{}, &protocol.Cut{}, &protocol.Restore{},
		&protocol.ListDeployments{}, &protocol.PartitionInfo{}, &protocol.TakeBase{}, &protocol.Watermark{},
		&protocol.ModifyInstance{}, &protocol.MigrateInstance{},
		&protocol.ThrowError{}, &protocol.PublishMessage{}, &protocol.BroadcastSignal{}, &protocol.Distribute{},
		&protocol.OpenSubscription{}, &protocol.Correlate{}, &protocol.Correlated{}, &protocol.CloseSubscription{},
	}
}

// local lists the commands that never leave their leader.
func local() []protocol.Command {
	return []protocol.Command{&protocol.Tick{}, &protocol.Continue{}, &protocol.Acknowledge{}, &protocol.Pulled{}, &protocol.Unprocessable{}, &protocol.Exported{}, &protocol.Reconcile{}}
}

// replies lists one of each reply.
func replies() []protocol.Reply {
	return []protocol.Reply{
		&protocol.Done{}, &protocol.Deployed{}, &protocol.Created{}, &protocol.Result{}, &protocol.Jobs{},
		&protocol.KeyReply{}, &protocol.Received{}, &protocol.DefinitionReply{}, &protocol.Deployments{}, &protocol.Info{}, &protocol.Evaluated{}, &protocol.Distribution{}, &protocol.Surveyed{}, &protocol.DefinitionList{},
		&protocol.Incidents{}, &protocol.Instances{}, &protocol.InstanceTree{}, &protocol.Messages{}, &protocol.Plan{}, &protocol.Restored{},
	}
}

// fill puts random values into every field below v, now and then the extreme
// ones and none at all.
func fill(rnd *rand.Rand, v reflect.Value) {
	if d, ok := v.Addr().Interface().(*protocol.Definition); ok {
		defer func() { d.Kind = protocol.DefinitionKind(1 + rnd.IntN(int(protocol.FormDefinition))) }()
	}
	row := v.Type() == reflect.TypeFor[protocol.Item]() || v.Kind() == reflect.Interface // always has a command
	if rnd.IntN(6) == 0 && !row {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) == 0)
	case reflect.Int32, reflect.Int64:
		fillInt(rnd, v)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rnd.Uint64() >> rnd.IntN(64) & (1<<v.Type().Bits() - 1))
	case reflect.String:
		v.SetString(text(rnd))
	case reflect.Interface:
		rows := []protocol.Command{
			&protocol.Distribute{}, &protocol.OpenSubscription{}, &protocol.Correlate{}, &protocol.Correlated{},
			&protocol.CloseSubscription{}, &protocol.BroadcastSignal{}, &protocol.DeleteResource{},
		}
		v.Set(reflect.ValueOf(random(rnd, rows[rnd.IntN(len(rows))])))
	case reflect.Pointer:
		if rnd.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rnd, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rnd, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			if v.Type().Elem().Kind() != reflect.Uint8 {
				fill(rnd, v.Index(i))
				continue
			}
			v.Index(i).SetUint(rnd.Uint64() & 0xFF)
		}
	case reflect.Slice:
		n := rnd.IntN(4)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(rnd, v.Index(i))
		}
	default:
		panic("a kind of field the test does not know: " + v.Type().String())
	}
}

func fillInt(rnd *rand.Rand, v reflect.Value) {
	top := int64(1)<<(v.Type().Bits()-1) - 1
	switch rnd.IntN(4) {
	case 0:
		v.SetInt(top)
	case 1:
		v.SetInt(-top - 1)
	default:
		v.SetInt(int64(rnd.Uint64()) >> (64 - v.Type().Bits()) >> rnd.IntN(v.Type().Bits()))
	}
}

func text(rnd *rand.Rand) string {
	return strings.Repeat(string(rune(rnd.IntN(0x3000))), rnd.IntN(200))
}

// plain makes empty lists nil, as the bytes do not tell them apart.
func plain(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		plain(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			plain(v.Field(i))
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			plain(v.Index(i))
		}
	}
}

// random fills what p points to.
func random[T any](rnd *rand.Rand, p T) T {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		fill(rnd, v.Field(i))
	}
	if y, ok := any(p).(*protocol.YieldJobs); ok {
		y.Deadlines = make([]int64, len(y.Keys))
		for i := range y.Deadlines {
			y.Deadlines[i] = rnd.Int64()
		}
	}
	plain(reflect.ValueOf(p))
	return p
}
