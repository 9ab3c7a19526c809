package grevy

import "testing"

// Without TLS and without a word that allows it, other machines do not reach the
// node ports.
func TestNodePorts_AreLoopbackUnlessAllowed(t *testing.T) {
	tls := TLS{Cert: "c", Key: "k", CA: "a"}
	for _, c := range []struct {
		name string
		Config
		want string // where raft listens; "": refused
	}{
		{"a node alone", Config{}, "127.0.0.1:26502"},
		{"a node alone, for clients elsewhere", Config{Host: "0.0.0.0"}, "127.0.0.1:26502"},
		{"the same with a name", Config{Host: "node.example"}, "127.0.0.1:26502"},
		{"allowed", Config{Host: "0.0.0.0", NodePlaintext: true}, "0.0.0.0:26502"},
		{"with TLS", Config{Host: "10.0.0.1", NodeTLS: tls}, "10.0.0.1:26502"},
		{"a cluster on this machine", Config{ClusterSize: 3, Host: "localhost", Join: []string{"localhost:1"}}, "localhost:26502"},
		{"a cluster on this machine, v6", Config{ClusterSize: 3, Host: "::1", Join: []string{"[::1]:1"}}, "[::1]:26502"},
		{"a cluster elsewhere", Config{ClusterSize: 3, Host: "10.0.0.1", Join: []string{"a:1"}}, ""},
		{"one that joins elsewhere", Config{Host: "10.0.0.1", Join: []string{"a:1"}}, ""},
		{"a cluster elsewhere, allowed", Config{ClusterSize: 3, Host: "10.0.0.1", Join: []string{"a:1"}, NodePlaintext: true}, "10.0.0.1:26502"},
		{"a cluster elsewhere with TLS", Config{ClusterSize: 3, Host: "10.0.0.1", Join: []string{"a:1"}, NodeTLS: tls}, "10.0.0.1:26502"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.DataDir = "d"
			err := c.Validate()
			if (err == nil) != (c.want != "") {
				t.Fatal(err)
			}
			if got := c.withDefaults().nodeAddr(RaftPort); c.want != "" && got != c.want {
				t.Errorf("raft listens on %s, want %s", got, c.want)
			}
		})
	}
}
