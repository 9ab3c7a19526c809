package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/grevy-io/grevy"
	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// backupNode is a node that gives the same backup again and again, each taken a
// second after the one before, and keeps what it is restored from.
type backupNode struct {
	adminpb.UnimplementedClusterServer
	partitions int
	parts      []*adminpb.BackupPart
	fault      func(attempt, part int) error // before a part is sent; nil: none
	ends       func([]*adminpb.BackupEnd)    // changes what a restore answers; nil: nothing
	refuse     func(part int) error          // before a part of a restore is taken; nil: none

	mu       sync.Mutex
	attempts int
	got      []*adminpb.BackupPart
}

var takenAt = time.Date(2026, 11, 29, 14, 25, 0, 5e6, time.UTC)

func newBackupNode(partitions int) *backupNode {
	n := &backupNode{partitions: partitions, parts: []*adminpb.BackupPart{{Part: &adminpb.BackupPart_Header{Header: &adminpb.BackupHeader{
		ClusterId: "c0ffee", Partitions: int32(partitions), MessagePartitions: 1, Version: "9.9.9", Format: 1,
	}}}}}
	for p := range int32(partitions) {
		sum, length := sha256.New(), int64(0)
		for piece := range 3 {
			data := []byte(strings.Repeat(fmt.Sprintf("partition %d, piece %d. ", p+1, piece), 20_000))
			sum.Write(data)
			length += int64(len(data))
			n.parts = append(n.parts, &adminpb.BackupPart{Part: &adminpb.BackupPart_Data{Data: &adminpb.BackupData{Partition: p + 1, Data: data}}})
		}
		n.parts = append(n.parts, &adminpb.BackupPart{Part: &adminpb.BackupPart_End{End: &adminpb.BackupEnd{Partition: p + 1, Bytes: length, Sha256: sum.Sum(nil)}}})
	}
	return n
}

func (n *backupNode) Get(context.Context, *adminpb.GetRequest) (*adminpb.ClusterState, error) {
	return &adminpb.ClusterState{Partitions: make([]*adminpb.Partition, n.partitions)}, nil
}

func (n *backupNode) Backup(_ *adminpb.BackupRequest, s grpc.ServerStreamingServer[adminpb.BackupPart]) error {
	n.mu.Lock()
	n.attempts++
	attempt := n.attempts
	n.mu.Unlock()
	parts := append(slices.Clone(n.parts), nil)
	parts[0] = proto.Clone(parts[0]).(*adminpb.BackupPart)
	parts[0].GetHeader().Taken = takenAt.Add(time.Duration(attempt) * time.Second).UnixMilli()
	for i, p := range parts {
		if n.fault != nil {
			if err := n.fault(attempt, i); err != nil {
				return err
			}
		}
		if p == nil {
			return nil
		}
		if err := s.Send(p); err != nil {
			return err
		}
	}
	return nil
}

func (n *backupNode) Restore(s grpc.ClientStreamingServer[adminpb.BackupPart, adminpb.RestoreResponse]) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.got = nil
	resp := new(adminpb.RestoreResponse)
	for {
		if n.refuse != nil {
			if err := n.refuse(len(n.got)); err != nil {
				return err
			}
		}
		p, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		n.got = append(n.got, p)
		if e := p.GetEnd(); e != nil {
			resp.Partitions = append(resp.Partitions, proto.Clone(e).(*adminpb.BackupEnd))
		}
	}
	if n.ends != nil {
		n.ends(resp.Partitions)
	}
	return s.SendAndClose(resp)
}

// serve gives the flags with which a command asks the node.
func (n *backupNode) serve(t *testing.T) []string {
	t.Helper()
	l := listen(t)
	s := grpc.NewServer()
	adminpb.RegisterClusterServer(s, n)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return []string{"--address", l.Addr().String()}
}

// streamsOf puts the parts of each partition together; header and ends stay.
func streamsOf(parts []*adminpb.BackupPart) (text string) {
	streams := map[int32]*strings.Builder{}
	for _, p := range parts {
		switch {
		case p.GetData() != nil:
			b := streams[p.GetData().GetPartition()]
			if b == nil {
				b = new(strings.Builder)
				streams[p.GetData().GetPartition()] = b
			}
			b.Write(p.GetData().GetData())
		case p.GetEnd() != nil:
			text += streams[p.GetEnd().GetPartition()].String() + fmt.Sprintf(" [%d %x]", p.GetEnd().GetBytes(), p.GetEnd().GetSha256())
		default:
			h := p.GetHeader()
			text += fmt.Sprint(h.GetClusterId(), h.GetPartitions(), h.GetMessagePartitions(), h.GetVersion(), h.GetFormat())
		}
	}
	return text
}

func nothingIn(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(dir, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestBackup_IsTakenListedVerifiedRestoredAndRemoved(t *testing.T) {
	t.Setenv("TZ", "UTC")
	n := newBackupNode(3)
	at, dest := n.serve(t), filepath.Join(t.TempDir(), "backups")
	const id = `\d{8}T\d{6}Z-[0-9a-f]{8}`
	grevyRun(t, append([]string{"backup", dest}, at...)...).ok(t).matches(t, `backup `+id+`: 3 partitions, 3 MB, stored as 0 kB, \S+, verified`)
	var second, third backedUp
	grevyRun(t, append([]string{"backup", dest, "--no-verify", "-o", "json"}, at...)...).ok(t).decode(t, &second)
	grevyRun(t, append([]string{"backup", "file://" + dest, "--keep", "2", "-o", "json"}, at...)...).ok(t).decode(t, &third)
	if second.Verified || !third.Verified || len(second.Removed) != 0 || len(third.Removed) != 1 || third.Attempts != 1 || third.Seconds <= 0 ||
		third.Partitions != 3 || third.MessagePartitions != 1 || third.Cluster != "c0ffee" || third.Version != "9.9.9" || third.Bytes != 3_960_000 || third.StoredBytes == 0 {
		t.Errorf("%+v, %+v", second, third)
	}
	var list []backupView
	grevyRun(t, "backup", "list", dest, "-o", "json").ok(t).decode(t, &list)
	if len(list) != 2 || list[0].ID != second.ID || list[1].ID != third.ID || list[0].Problem != "" || !list[0].Taken.Equal(takenAt.Add(2*time.Second)) {
		t.Errorf("%+v", list)
	}
	grevyRun(t, "backup", "list", dest).ok(t).matches(t, `backup +taken +partitions +bytes +stored +cluster +version`,
		id+`  2026-11-29 14:25:02 +3 +3 MB +\d kB  c0ffee +9.9.9`, id+`  2026-11-29 14:25:03 .*`)
	grevyRun(t, "backup", "verify", dest).ok(t).matches(t, `backup `+list[1].ID+` of 2026-11-29 14:25:03 is whole: 3 partitions, 3 MB, \S+`)
	var v verifiedBackup
	grevyRun(t, "backup", "verify", dest, list[0].ID, "-o", "json").ok(t).decode(t, &v)
	if v.ID != list[0].ID || v.Seconds <= 0 {
		t.Errorf("%+v", v)
	}

	grevyRun(t, append([]string{"restore", dest}, at...)...).ok(t).matches(t, `restored `+list[1].ID+` of 2026-11-29 14:25:03: 3 partitions, 3 MB, \S+, with the digests of the backup`)
	if got, want := streamsOf(n.got), streamsOf(n.parts); got != want {
		t.Errorf("the node was sent %d bytes, want %d", len(got), len(want))
	}
	var back restored
	grevyRun(t, append([]string{"restore", dest, list[0].ID, "--no-verify", "-o", "json"}, at...)...).ok(t).decode(t, &back)
	if back.ID != list[0].ID || back.Partitions != 3 || back.Seconds <= 0 {
		t.Errorf("%+v", back)
	}

	for _, b := range list {
		grevyRun(t, "backup", "remove", dest, b.ID).ok(t).matches(t, "removed "+b.ID)
	}
	grevyRun(t, "backup", "remove", dest, list[0].ID).oneLine(t, list[0].ID, "there is no such backup")
	grevyRun(t, "backup", "list", dest).ok(t).matches(t, "no backups in "+dest)
	grevyRun(t, append([]string{"restore", dest}, at...)...).oneLine(t, "there is no such backup", "grevy backup list '"+dest+"'")
	nothingIn(t, dest)
}

// faultAt lets the first attempts fail at a part.
func faultAt(attempts, part int, err error) func(int, int) error {
	return func(attempt, i int) error {
		if attempt <= attempts && i == part {
			return err
		}
		return nil
	}
}

var errNoLeader = status.Error(codes.Unavailable, "partition 2 has no leader")

// A backup is begun again while partitions lack a leader, and what was written of
// the attempts before is gone.
func TestBackup_IsBegunAgain(t *testing.T) {
	for _, part := range []int{0, 6, 13} { // the header, in the middle of a partition, behind the last end
		n := newBackupNode(3)
		n.fault = faultAt(1, part, errNoLeader)
		dest := t.TempDir()
		r := grevyRun(t, append([]string{"backup", dest, "-o", "json"}, n.serve(t)...)...)
		if r.code != exitOK || r.err != "attempt 1 of 5: partition 2 has no leader; it is begun again\n" {
			t.Fatalf("part %d: %+v", part, r)
		}
		var d backedUp
		r.decode(t, &d)
		if dirs, err := os.ReadDir(dest); err != nil || d.Attempts != 2 || len(dirs) != 1 || dirs[0].Name() != d.ID {
			t.Errorf("part %d: %+v, %v, %v", part, d, dirs, err)
		}
	}
}

func TestBackup_IsNotBegunAgainForEver(t *testing.T) {
	n := newBackupNode(3)
	n.fault = faultAt(100, 6, errNoLeader)
	at, dest := n.serve(t), t.TempDir()
	r := grevyRun(t, append([]string{"backup", dest, "--attempts", "2"}, at...)...)
	if r.code != exitError || r.out != "" || n.attempts != 2 || !strings.HasSuffix(r.err, "\nUNAVAILABLE: partition 2 has no leader\nhint: nothing was executed, so try again; grevy status shows what is wrong\n") {
		t.Errorf("%d attempts, %+v", n.attempts, r)
	}
	// What does not pass by itself is not tried again.
	n.fault = faultAt(100, 6, status.Error(codes.FailedPrecondition, "the cluster is being changed"))
	grevyRun(t, append([]string{"backup", dest}, at...)...).refused(t, "FAILED_PRECONDITION: the cluster is being changed", "")
	file := filepath.Join(dest, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n.fault = nil
	grevyRun(t, append([]string{"backup", file}, at...)...).oneLine(t, "grevy: write ", file, "must be directories")
	if n.attempts != 4 {
		t.Errorf("%d attempts", n.attempts)
	}
	for flags, want := range map[string]string{"--attempts=0": "attempts: must be at least 1", "--keep=0": "keep: must be at least 1", "--keep=-1": "keep: must be at least 1"} {
		grevyRun(t, append([]string{"backup", dest, flags}, at...)...).oneLine(t, want)
	}
	nothingIn(t, dest)
}

func TestBackup_GoesOnAtAnotherNode(t *testing.T) {
	first, second := newBackupNode(1), newBackupNode(1)
	first.fault = faultAt(100, 2, errNoLeader)
	at := []string{"--address", first.serve(t)[1] + "," + second.serve(t)[1]}
	r := grevyRun(t, append([]string{"backup", t.TempDir()}, at...)...)
	if r.code != exitOK || first.attempts != 1 || second.attempts != 1 {
		t.Errorf("%+v", r)
	}
}

// A node that dies in the middle, and is not there when it is asked again, is
// waited for.
func TestBackup_TheOnlyNodeDies(t *testing.T) {
	n := newBackupNode(1)
	l := listen(t)
	address := l.Addr().String()
	dying := grpc.NewServer()
	adminpb.RegisterClusterServer(dying, n)
	died := make(chan error, 1)
	go func() { died <- dying.Serve(l) }()
	n.fault = func(attempt, i int) error {
		if attempt == 1 && i == 2 {
			go dying.Stop()
			<-died // its connections are closed, and its port is free
			died <- nil
			return errNoLeader
		}
		return nil
	}
	dest := t.TempDir()
	r := grevyRun(t, "backup", dest, "--address", address, "--attempts", "2")
	if r.code != exitUnreachable || r.out != "" || !strings.HasPrefix(r.err, "attempt 1 of 2: ") || !strings.Contains(r.err, "\ngrevy: no gateway answers ("+address) {
		t.Errorf("%+v", r)
	}
	if err := <-died; err != nil {
		t.Error(err)
	}
	nothingIn(t, dest)
}

func TestBackup_Interrupted(t *testing.T) {
	for _, wait := range []bool{false, true} { // in the middle, and while it waits to begin again
		ctx, cancel := context.WithCancel(t.Context())
		n := newBackupNode(3)
		n.fault = func(_, i int) error {
			if i == 6 && wait {
				time.AfterFunc(100*time.Millisecond, cancel)
				return errNoLeader
			}
			if i == 6 {
				cancel()
				<-ctx.Done()
			}
			return nil
		}
		dest := t.TempDir()
		r := grevyRunWith(ctx, "", append([]string{"backup", dest}, n.serve(t)...)...)
		if r.code != exitError || r.out != "" || !strings.Contains(r.err, "interrupted") {
			t.Errorf("%+v", r)
		}
		nothingIn(t, dest)
	}
}

// flip changes a byte of a partition's file.
func flip(t *testing.T, dest, id string) {
	t.Helper()
	file := filepath.Join(dest, id, "partition-2.zst")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBackup_ADamagedOne(t *testing.T) {
	n := newBackupNode(3)
	at, dest := n.serve(t), t.TempDir()
	var older, d backedUp
	grevyRun(t, append([]string{"backup", dest, "-o", "json"}, at...)...).ok(t).decode(t, &older)
	grevyRun(t, append([]string{"backup", dest, "-o", "json"}, at...)...).ok(t).decode(t, &d)
	flip(t, dest, d.ID)
	grevyRun(t, "backup", "verify", dest).oneLine(t, "backup "+d.ID+", partition 2: it is damaged")
	grevyRun(t, append([]string{"restore", dest}, at...)...).oneLine(t, "nothing was sent: backup "+d.ID+", partition 2: it is damaged")
	if n.got != nil {
		t.Errorf("%d parts were sent", len(n.got))
	}
	// Without that the node has got some of it, and no end of the partition.
	grevyRun(t, append([]string{"restore", dest, "--no-verify"}, at...)...).oneLine(t, "partition 2: it is damaged", "begin the restore again")
	grevyRun(t, "backup", "verify", dest, older.ID).ok(t)

	// A manifest that can not be read is told of, and the newest is not another one.
	if err := os.WriteFile(filepath.Join(dest, d.ID, "manifest.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := grevyRun(t, "backup", "list", dest)
	if r.code != exitError || strings.Count(r.out, "\n") != 3 || !strings.Contains(r.out, d.ID+"  backup "+d.ID+": it is damaged: its manifest can not be read") || r.err != "grevy: 1 of them can not be restored\n" {
		t.Errorf("%+v", r)
	}
	var list []backupView
	grevyRun(t, "backup", "list", dest, "-o", "json").decode(t, &list)
	if len(list) != 2 || list[0].ID != older.ID || !strings.Contains(list[1].Problem, "its manifest can not be read") || list[1].Taken != nil {
		t.Errorf("%+v", list)
	}
	grevyRun(t, append([]string{"restore", dest}, at...)...).oneLine(t, "it is damaged", "grevy backup list '"+dest+"' tells what is there")
	grevyRun(t, append([]string{"restore", dest, older.ID}, at...)...).ok(t)
	grevyRun(t, "backup", "remove", dest, d.ID).ok(t)
}

func TestRestore_WhatDoesNotFit(t *testing.T) {
	n := newBackupNode(3)
	at, dest := n.serve(t), t.TempDir()
	grevyRun(t, append([]string{"backup", dest}, at...)...).ok(t)
	n.partitions = 5
	grevyRun(t, append([]string{"restore", dest}, at...)...).oneLine(t, "has 3 partitions", "has 5: start an empty one with grevy start --partitions 3")
	n.partitions = 3
	if n.got != nil {
		t.Errorf("%d parts were sent", len(n.got))
	}

	n.refuse = func(int) error { return status.Error(codes.FailedPrecondition, "it is not empty") }
	if r := grevyRun(t, append([]string{"restore", dest}, at...)...); r.code != exitError || r.err != "grevy: FAILED_PRECONDITION: it is not empty\n" || r.out != "" {
		t.Errorf("%+v", r)
	}
	n.refuse = func(part int) error {
		if part == 5 {
			return errNoLeader
		}
		return nil
	}
	grevyRun(t, append([]string{"restore", dest}, at...)...).oneLine(t, "grevy: UNAVAILABLE: partition 2 has no leader (begin the restore again, with the same backup")
	n.refuse = nil
	for _, change := range []func([]*adminpb.BackupEnd){
		func(e []*adminpb.BackupEnd) { e[1].Bytes++ },
		func(e []*adminpb.BackupEnd) { e[1].Sha256[3] ^= 1 },
		func(e []*adminpb.BackupEnd) { e[1].Sha256 = nil },
		func(e []*adminpb.BackupEnd) { e[1].Partition = 7 },
	} {
		n.ends = change
		grevyRun(t, append([]string{"restore", dest}, at...)...).oneLine(t, "partition 2 is not what was backed up", "do not use this cluster")
	}
	grevyRun(t, "restore", dest, "--address", localhost+":1").nobody(t, localhost+":1: connection refused")
	grevyRun(t, "backup", dest, "--address", localhost+":1").nobody(t, localhost+":1: connection refused")
	grevyRun(t, "restore").oneLine(t, "DEST is missing (see grevy restore --help)")
	grevyRun(t, "restore", dest, "a", "b").oneLine(t, `unexpected argument "b"`)
	grevyRun(t, "restore", dest, "../x").oneLine(t, `"../x" is no backup's name`)
}

func TestRestore_Interrupted(t *testing.T) {
	n := newBackupNode(3)
	at, dest := n.serve(t), t.TempDir()
	grevyRun(t, append([]string{"backup", dest}, at...)...).ok(t)
	ctx, cancel := context.WithCancel(t.Context())
	n.refuse = func(part int) error {
		if part == 5 {
			cancel()
		}
		return nil
	}
	r := grevyRunWith(ctx, "", append([]string{"restore", dest}, at...)...)
	if r.code != exitError || r.out != "" || !strings.Contains(r.err, "canceled (begin the restore again") {
		t.Errorf("%+v", r)
	}
}

// The whole way with real clusters: from one with jobs and a message that waits to
// another one, in which all of it goes on.
func TestBackup_OfARealNode(t *testing.T) {
	dest := filepath.Join(t.TempDir(), "backups")
	from := openBroker(t, grevy.Config{Partitions: 2})
	at := []string{"--address", gatewayOf(from)}
	do := func(args ...string) result { t.Helper(); return grevyRun(t, append(args, at...)...).ok(t) }
	do("deploy", writeModel(t, "order"), "--wait", "10s")
	var first, second created
	do("create", "order", "--variables", `{"total":1}`, "-o", "json").decode(t, &first)
	do("create", "order", "--variables", `{"total":2}`, "-o", "json").decode(t, &second)
	do("publish", "paid", "--key", "o-1", "--ttl", "1h", "--id", "p-1")
	var taken backedUp
	do("backup", dest, "-o", "json").decode(t, &taken)
	if taken.Partitions != 2 || taken.MessagePartitions != 2 || !taken.Verified {
		t.Errorf("%+v", taken)
	}
	grevyRun(t, append([]string{"restore", dest}, at...)...).oneLine(t, "FAILED_PRECONDITION: ", "to be empty")
	do("cancel", first.Key) // is no part of the backup

	other := openBroker(t, grevy.Config{Partitions: 3})
	grevyRun(t, "restore", dest, "--address", gatewayOf(other)).oneLine(t, "start an empty one with grevy start --partitions 2")
	to := openBroker(t, grevy.Config{Partitions: 2})
	at = []string{"--address", gatewayOf(to)}
	do("restore", dest).matches(t, `restored `+taken.ID+` of .*: 2 partitions, \d+ kB, \S+, with the digests of the backup`)
	await(t, "its partitions have leaders again", func() error { // as after any restart of them
		if r := grevyRun(t, append([]string{"jobs", "activate", "order", "--max", "2"}, at...)...); r.code != exitOK || strings.Count(r.out, "\n") < 2 {
			return errNotYet
		}
		return nil
	})
	for _, c := range []created{first, second} {
		do("cancel", c.Key)
	}
	grevyRun(t, append([]string{"publish", "paid", "--key", "o-1", "--id", "p-1"}, at...)...).refused(t, "ALREADY_EXISTS", "")
	var next created
	do("create", "order", "-o", "json").decode(t, &next)
	if next.Version != 1 || next.Key == first.Key || next.Key == second.Key {
		t.Errorf("%+v after %+v, %+v", next, first, second)
	}
}
