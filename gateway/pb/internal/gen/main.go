// Command gen makes the stubs of package pb from gateway.proto: it runs protoc with the two
// Go plugins found on the PATH, then rewrites the result so that it registers in the
// package's own registries (why: see the package comment of pb). Run it in the folder of the
// .proto, by go generate.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	protoFile = "gateway.proto"
	typesFile = "gateway.pb.go"
	grpcFile  = "gateway_grpc.pb.go"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run makes both files in dir. It writes nothing unless every step went well.
func run(dir string) error {
	proto, err := os.ReadFile(filepath.Join(dir, protoFile))
	if err != nil {
		return fmt.Errorf("read protocol: %w", err)
	}
	tmp, err := os.MkdirTemp("", "gen")
	if err != nil {
		return fmt.Errorf("make work folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := protoc(dir, tmp); err != nil {
		return err
	}
	types, err := os.ReadFile(filepath.Join(tmp, typesFile))
	if err != nil {
		return fmt.Errorf("read stubs: %w", err)
	}
	grpc, err := os.ReadFile(filepath.Join(tmp, grpcFile))
	if err != nil {
		return fmt.Errorf("read stubs: %w", err)
	}
	if types, err = privateRegistry(types); err != nil {
		return fmt.Errorf("rewrite %s: %w", typesFile, err)
	}
	types = stamp(types, proto)
	if err := os.WriteFile(filepath.Join(dir, typesFile), types, 0o644); err != nil {
		return fmt.Errorf("write stubs: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, grpcFile), grpc, 0o644); err != nil {
		return fmt.Errorf("write stubs: %w", err)
	}
	return nil
}

func protoc(dir, out string) error {
	cmd := exec.Command("protoc", "--proto_path="+dir,
		"--go_out="+out, "--go_opt=paths=source_relative",
		"--go-grpc_out="+out, "--go-grpc_opt=paths=source_relative",
		protoFile)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run protoc: %w\n%s", err, strings.TrimSpace(string(text)))
	}
	return nil
}

// stamp notes the digest of the protocol at the end, where the test of package pb looks for
// it to tell stubs that are older than the protocol.
func stamp(src, proto []byte) []byte {
	return fmt.Appendf(src, "\n// Made from %s, sha256 %x.\n", protoFile, sha256.Sum256(proto))
}
