package gateway

import (
	"errors"
	"strings"
	"time"

	"github.com/grevy-io/grevy/internal/jsondoc"
)

// defaultTenant is the only tenant there is, in every response.
const defaultTenant = "<default>"

// checkTenants refuses every tenant but the default one, which may also be left
// out or blank.
func checkTenants(method string, ids ...string) error {
	for _, id := range ids {
		if id != "" && id != defaultTenant && strings.TrimSpace(id) != "" {
			return invalidArgument("Expected to handle gRPC request %s with tenant identifier '%s', but multi-tenancy is disabled", method, id)
		}
	}
	return nil
}

// document checks a request's variables: a JSON object, or nothing, which is an
// empty one. It passes them on as they came if they are plain JSON; the engine
// takes them apart.
func document(text string) ([]byte, error) {
	doc, err := jsondoc.Plain([]byte(text))
	var notObject *jsondoc.NotObject
	switch {
	case errors.As(err, &notObject):
		return nil, invalidArgument("Property 'variables' is invalid: %s", err)
	case err != nil:
		return nil, invalidArgument("%s", err)
	}
	return doc, nil
}

// millis turns a client's milliseconds into a duration without overflowing.
func millis(ms int64) time.Duration {
	const limit = (1 << 62) / int64(time.Millisecond)
	return time.Duration(max(min(ms, limit), -limit)) * time.Millisecond
}
