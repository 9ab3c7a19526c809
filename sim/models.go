package sim

import (
	"fmt"

	"github.com/grevy-io/grevy/engine/enginetest"
	"github.com/grevy-io/grevy/protocol"
)

const (
	orderID  = "order"
	holdType = "hold"
)

// orderForm is the process by which effects are counted: its job is held, and
// each message and signal that it gets leaves one element behind, with the
// number that came along.
const orderForm = `process order {
	start s -> service hold type=hold -> end e
	boundary pay on=hold message=pay key='= order' noninterrupting
	pay -> service got type=got in.l='= mid' -> end ge
	boundary bell on=hold signal=bell noninterrupting
	bell -> service rung type=rung in.l='= sid' -> end re
}`

// orderModel is a version of that process: they differ in a blank.
func orderModel(version int) protocol.Resource {
	content, err := enginetest.Model(orderID, orderForm)
	must(err)
	return protocol.Resource{Name: "order.bpmn", Content: fmt.Appendf(content, "<!-- %d -->", version)}
}

// randomModels are processes p0 and p1; the second one may call the first.
func (w *world) randomModels() [][]byte {
	var list [][]byte
	for i, callable := range []string{"", "p0"} {
		id := fmt.Sprintf("p%d", i)
		m, err := enginetest.Model(id, enginetest.RandomModel(w.rnd, id, callable))
		must(err)
		list = append(list, m)
	}
	return list
}
