package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

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
