package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// settled gives the settings that a start would have.
func settled(t *testing.T, args []string, env map[string]string, file string) (startFlags, error) {
	t.Helper()
	for k, v := range env {
		t.Setenv(k, v)
	}
	if file != "" {
		path := filepath.Join(t.TempDir(), "grevy.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	var s startFlags
	f := pflag.NewFlagSet("start", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	s.register(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return s, settle(f)
}

func TestSettle_FlagBeforeEnvironmentBeforeFileBeforeDefault(t *testing.T) {
	type setting struct {
		name, flag, env, file, def, wantFlag, wantEnv, wantFile string
		get                                                     func(*startFlags) string
	}
	integer := func(name string, get func(*startFlags) int, def string) setting {
		return setting{name, "3", "4", "5", def, "3", "4", "5", func(s *startFlags) string { return itoa(get(s)) }}
	}
	text := func(name, def string, get func(*startFlags) string) setting {
		return setting{name, "a", "b", "c", def, "a", "b", "c", get}
	}
	settings := []setting{
		integer("node-id", func(s *startFlags) int { return s.NodeID }, "0"),
		integer("cluster-size", func(s *startFlags) int { return s.ClusterSize }, "1"),
		integer("partitions", func(s *startFlags) int { return s.Partitions }, "3"),
		integer("replication-factor", func(s *startFlags) int { return s.ReplicationFactor }, "0"),
		integer("port-offset", func(s *startFlags) int { return s.PortOffset }, "0"),
		integer("max-message-size", func(s *startFlags) int { return s.MaxMessageSize }, "4194304"),
		integer("disk-min-free", func(s *startFlags) int { return int(s.MinFree) }, "0"),
		integer("disk-stop-free", func(s *startFlags) int { return int(s.StopFree) }, "0"),
		text("data-dir", "grevy-data", func(s *startFlags) string { return s.DataDir }),
		text("host", "", func(s *startFlags) string { return s.Host }),
		text("node-tls-cert", "", func(s *startFlags) string { return s.NodeTLS.Cert }),
		text("node-tls-key", "", func(s *startFlags) string { return s.NodeTLS.Key }),
		text("node-tls-ca", "", func(s *startFlags) string { return s.NodeTLS.CA }),
		text("tls-cert", "", func(s *startFlags) string { return s.ClientTLS.Cert }),
		text("tls-key", "", func(s *startFlags) string { return s.ClientTLS.Key }),
		text("tls-client-ca", "", func(s *startFlags) string { return s.ClientTLS.CA }),
		text("admin", "auto", func(s *startFlags) string { return string(s.Admin) }),
		integer("max-clients", func(s *startFlags) int { return s.MaxClients }, "4096"),
		{"node-plaintext", "true", "true", "true", "false", "true", "true", "true", func(s *startFlags) string { return strconv.FormatBool(s.NodePlaintext) }},
		text("record-log", "", func(s *startFlags) string { return s.RecordLog }),
		text("log-level", "info", func(s *startFlags) string { return s.level }),
		text("log-format", "text", func(s *startFlags) string { return s.format }),
		{"join", "a:1,b:2", "c:3", "[d:4, e:5]", "", "a:1 b:2", "c:3", "d:4 e:5", func(s *startFlags) string { return strings.Join(s.Join, " ") }},
		{"start-timeout", "3s", "4s", "5s", "2m0s", "3s", "4s", "5s", func(s *startFlags) string { return s.StartTimeout.String() }},
		{"wait-distributed", "3s", "4s", "5s", "0s", "3s", "4s", "5s", func(s *startFlags) string { return s.WaitDistributed.String() }},
		{"wait-reachable", "true", "true", "true", "false", "true", "true", "true", func(s *startFlags) string { return strconv.FormatBool(s.WaitReachable) }},
		{"request-timeout", "3s", "4s", "5s", "15s", "3s", "4s", "5s", func(s *startFlags) string { return s.RequestTimeout.String() }},
	}
	for _, s := range settings {
		flag, env, file := []string{"--" + s.name, s.flag}, map[string]string{envName(s.name): s.env}, s.name+": "+s.file
		for _, c := range []struct {
			from string
			flag []string
			env  map[string]string
			file string
			want string
		}{
			{"flag", flag, env, file, s.wantFlag},
			{"environment", nil, env, file, s.wantEnv},
			{"file", nil, nil, file, s.wantFile},
			{"default", nil, nil, "", s.def},
			{"default with an empty variable", nil, map[string]string{envName(s.name): ""}, "", s.def},
		} {
			t.Run(s.name+" from "+c.from, func(t *testing.T) {
				got, err := settled(t, c.flag, c.env, c.file)
				if err != nil {
					t.Fatal(err)
				}
				if g := s.get(&got); g != c.want {
					t.Errorf("got %q, want %q", g, c.want)
				}
			})
		}
	}
	var covered []string
	for _, s := range settings {
		covered = append(covered, s.name)
	}
	f := pflag.NewFlagSet("start", pflag.ContinueOnError)
	new(startFlags).register(f)
	f.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && !slices.Contains(covered, f.Name) {
			t.Errorf("--%s has no case here", f.Name)
		}
	})
}

func TestSettle_TheFileMayBeNamedInTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grevy.yaml")
	if err := os.WriteFile(path, []byte("partitions: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settled(t, nil, map[string]string{"GREVY_CONFIG": path}, "")
	if err != nil || s.Partitions != 7 {
		t.Errorf("partitions %d, %v", s.Partitions, err)
	}
}

func TestSettle_Refuses(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		file string
		want string // all of these words
	}{
		{"an unknown key", nil, "node-idd: 1", `unknown setting "node-idd"`},
		{"an unknown section", nil, "node:\n  id: 1", `unknown setting "node"`},
		{"a config in the config", nil, "config: x", `unknown setting "config"`},
		{"a word for a number in the file", nil, "node-id: one", `node-id: "one" does not fit grevy.yaml`},
		{"a word for a number in the environment", map[string]string{"GREVY_NODE_ID": "one"}, "", `node-id: "one" does not fit (GREVY_NODE_ID)`},
		{"a list for one value", nil, "host: [a, b]", "host: a list of 2 values grevy.yaml"},
		{"a section for a value", nil, "node-id:\n  a: 1", "node-id: does not fit grevy.yaml"},
		{"no YAML", nil, "a: b: c", "config: grevy.yaml"},
		{"a key twice", nil, "node-id: 1\nnode-id: 2", "config: grevy.yaml node-id already defined"},
		{"no such file", map[string]string{"GREVY_CONFIG": "/none.yaml"}, "", "config: cannot read /none.yaml: no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := settled(t, nil, c.env, c.file)
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range strings.Fields(c.want) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q lacks %q", err, word)
				}
			}
		})
	}
}
