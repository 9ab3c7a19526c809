package bpmn_test

import (
	"errors"
	"testing"

	"github.com/grevy-io/grevy/bpmn"
)

// FuzzParse: whatever the bytes are, Parse gives a sound model or *Invalid,
// and the same again for the same bytes.
func FuzzParse(f *testing.F) {
	f.Add([]byte(order))
	for _, v := range verdicts(f) {
		if xml := v.xml(); len(xml) < 20_000 {
			f.Add([]byte(xml))
		}
	}
	f.Fuzz(func(t *testing.T, xml []byte) {
		model, err := bpmn.Parse("r.bpmn", xml)
		_, again := bpmn.Parse("r.bpmn", xml)
		if err == nil {
			checkModel(t, model)
			if again != nil {
				t.Errorf("refused the second time: %v", again)
			}
			return
		}
		var invalid *bpmn.Invalid
		if !errors.As(err, &invalid) || len(err.Error()) > 20_000 {
			t.Errorf("error is a %T of %d bytes", err, len(err.Error()))
		}
		if again == nil || again.Error() != err.Error() {
			t.Errorf("first %v, then %v", err, again)
		}
	})
}
