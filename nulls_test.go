package grevy

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grevy-io/grevy/protocol"
)

// Programs that read lists get lists, also where nothing is in them.
func TestJSON_NoListIsNull(t *testing.T) {
	ready := httptest.NewRecorder()
	answer(ready, nil)
	all := ready.Body.String()
	b := &Broker{}
	b.identity.Store(&identity{})
	for _, v := range []any{b.deploymentStatus(&protocol.DeploymentStatus{}), instanceTree(&protocol.InstanceTree{})} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	if strings.Contains(all, "null") || !strings.Contains(all, `"reasons":[]`) {
		t.Error(all)
	}
}
