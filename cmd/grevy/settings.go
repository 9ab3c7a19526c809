package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/grevy-io/grevy"
)

// startFlags are the settings of a node.
type startFlags struct {
	grevy.Config
	level, format, config string
}

func (s *startFlags) register(f *pflag.FlagSet) {
	f.IntVar(&s.NodeID, "node-id", 0, "number of this node, from 0 to cluster-size - 1, or above to join a cluster that runs; it stays with the data directory")
	f.IntVar(&s.ClusterSize, "cluster-size", 1, "nodes of the cluster when it begins")
	f.IntVar(&s.Partitions, "partitions", 3, "partitions of the cluster when it begins")
	f.IntVar(&s.ReplicationFactor, "replication-factor", 0, "nodes that keep each partition when the cluster begins; 0: cluster-size, at most 3")
	f.StringSliceVar(&s.Join, "join", nil, "gossip addresses HOST:PORT,… of nodes of the cluster (port 26503 + their offset)")
	f.StringVar(&s.DataDir, "data-dir", "grevy-data", "directory of everything the node keeps")
	f.StringVar(&s.Host, "host", "", "address to listen on, at which the others and clients reach this node; 127.0.0.1 for a node alone")
	f.IntVar(&s.PortOffset, "port-offset", 0, "added to the ports 26500 to 26503 and 9600")
	f.StringVar(&s.NodeTLS.Cert, "node-tls-cert", "", "PEM file with this node's certificate: connections between nodes are TLS, with certificates on both ends")
	f.StringVar(&s.NodeTLS.Key, "node-tls-key", "", "PEM file with its private key")
	f.StringVar(&s.NodeTLS.CA, "node-tls-ca", "", "PEM file with the authorities whose certificates make a node of the cluster")
	f.BoolVar(&s.NodePlaintext, "node-plaintext", false, "allow a --host that others reach without --node-tls-cert: whoever reaches the node ports is a node")
	f.StringVar(&s.ClientTLS.Cert, "tls-cert", "", "PEM file with the gateway's certificate: clients connect by TLS")
	f.StringVar(&s.ClientTLS.Key, "tls-key", "", "PEM file with its private key")
	f.StringVar(&s.ClientTLS.CA, "tls-client-ca", "", "PEM file with authorities: clients must show a certificate of theirs")
	f.StringVar((*string)(&s.Admin), "admin", string(grevy.AdminAuto), "who may change, back up and restore the cluster: auto (local, or all with --tls-client-ca), local (the node's own machine), all (every client), off")
	f.IntVar(&s.MaxClients, "max-clients", 4096, "connections of clients that the gateway takes at a time")
	f.DurationVar(&s.StartTimeout, "start-timeout", 2*time.Minute, "how long to wait for the cluster to form and partitions to have leaders")
	f.DurationVar(&s.RequestTimeout, "request-timeout", 15*time.Second, "how long a client's call may take that says nothing itself")
	f.IntVar(&s.MaxMessageSize, "max-message-size", 4<<20, "largest request of a client, in bytes")
	f.StringVar(&s.RecordLog, "record-log", "", "file to which every record is appended as a line of JSON; empty: none are made")
	f.DurationVar(&s.WaitDistributed, "wait-distributed", 0, "how long a deployment waits for all partitions to have it, if its request does not say")
	f.BoolVar(&s.WaitReachable, "wait-reachable", false, "with --wait-distributed: not for partitions that cannot be reached")
	f.Int64Var(&s.MinFree, "disk-min-free", 0, "bytes that must be free for commands that make the state grow; 0: a tenth of the disk, at most 1 GiB; -1: any")
	f.Int64Var(&s.StopFree, "disk-stop-free", 0, "bytes that must be free for anything to be written; 0: half of disk-min-free")
	f.StringVar(&s.level, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&s.format, "log-format", "text", "text or json; the log goes to standard error")
	f.StringVar(&s.config, "config", "", "YAML file with settings by the names of these flags")
	f.SortFlags = false
}

// check refuses what a node would take for "not set", and fill in.
func (s *startFlags) check() error {
	for _, n := range []struct {
		name  string
		value int
	}{{"cluster-size", s.ClusterSize}, {"partitions", s.Partitions}, {"max-clients", s.MaxClients}, {"max-message-size", s.MaxMessageSize}} {
		if n.value < 1 {
			return fmt.Errorf("%s: must be at least 1, not %d", n.name, n.value)
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"start-timeout", s.StartTimeout}, {"request-timeout", s.RequestTimeout}} {
		if d.value <= 0 {
			return fmt.Errorf("%s: must be above 0, not %s", d.name, d.value)
		}
	}
	return nil
}

// envPrefix is before the name of a flag in the environment: --node-id is
// GREVY_NODE_ID.
const envPrefix = "GREVY"

func envName(flag string) string {
	return envPrefix + "_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settle gives each flag that is not on the command line its value from the
// environment, or else from the file named by --config. Names in the file are
// those of the flags; one that is none is refused, so that a slip is not
// silently a default.
func settle(flags *pflag.FlagSet) error {
	v := viper.NewWithOptions(viper.KeyDelimiter("\x00")) // a dot is no path
	v.SetEnvPrefix(envPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	if err := apply(flags, v, "config"); err != nil {
		return err
	}
	if config := flags.Lookup("config"); config != nil && config.Value.String() != "" {
		if err := readFile(flags, v, config.Value.String()); err != nil {
			return err
		}
	}
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			errs = append(errs, apply(flags, v, f.Name))
		}
	})
	return errors.Join(errs...)
}

// apply sets one flag from what viper found first: environment, then file.
func apply(flags *pflag.FlagSet, v *viper.Viper, name string) error {
	f := flags.Lookup(name)
	if f == nil || f.Changed || !v.IsSet(name) {
		return nil
	}
	text := v.GetString(name)
	if list, ok := v.Get(name).([]any); ok {
		text = strings.Join(v.GetStringSlice(name), ",")
		if f.Value.Type() != "stringSlice" {
			return fmt.Errorf("%s: a list of %d values where one is wanted (%s)", name, len(list), source(v, name))
		}
	}
	if err := flags.Set(name, text); err != nil {
		return fmt.Errorf("%s: %q does not fit (%s)", name, text, source(v, name))
	}
	return nil
}

// source says where a value came from, for an error.
func source(v *viper.Viper, name string) string {
	if os.Getenv(envName(name)) != "" {
		return envName(name)
	}
	return v.ConfigFileUsed()
}

func readFile(flags *pflag.FlagSet, v *viper.Viper, path string) error {
	v.SetConfigFile(path)
	v.SetConfigType("yaml")
	if err := v.ReadInConfig(); err != nil {
		return fmt.Errorf("config: cannot read %s: %w", path, systemWords(err))
	}
	for _, key := range v.AllKeys() {
		name := strings.Split(key, "\x00")[0]
		if f := flags.Lookup(name); f == nil || name == "config" || name == "help" {
			return fmt.Errorf("config: %s: unknown setting %q (see grevy start --help)", path, name)
		}
	}
	return nil
}

// systemWords takes the path, which is said already, out of an error.
func systemWords(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
