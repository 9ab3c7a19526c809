package grevy

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/grevy-io/grevy/protocol"
	"github.com/grevy-io/grevy/raftadapter"
	"github.com/grevy-io/grevy/remote"
)

// kindNode asks a node what only it knows of itself; the answer is a nodeInfo
// in JSON.
const kindNode remote.Kind = 5

// nodeInfo is what a node tells the others for a status.
type nodeInfo struct {
	Ready     bool           `json:"ready"`
	RSSBytes  int64          `json:"rssBytes"`
	DiskBytes int64          `json:"diskBytes"`
	Problems  []string       `json:"problems"`
	Links     map[int]string `json:"links"`   // by peer: up, down, or relayed and through whom
	Applied   map[int]uint64 `json:"applied"` // by partition that it keeps: the last index in its store
	// Voters are the server ids that decide, by partition that it keeps.
	Voters map[int][]string `json:"voters"`
	// Learners are those that do not.
	Learners map[int][]string `json:"learners"`
	Servers  map[int]string   `json:"servers"` // its own, by partition that it keeps
	Leads    []int            `json:"leads"`
	Plan     uint64           `json:"plan"` // the version that it knows
}

func (b *Broker) ownInfo() nodeInfo {
	info := nodeInfo{
		Ready: b.ready.Load(), RSSBytes: rss(), DiskBytes: b.diskUse.Load(), Problems: b.ailments(), Links: map[int]string{},
		Applied: map[int]uint64{}, Voters: map[int][]string{}, Learners: map[int][]string{}, Servers: map[int]string{}, Leads: []int{},
	}
	if p := b.plan(); p != nil {
		info.Plan = p.Version
	}
	for _, p := range b.partitions() {
		st := p.Group().Status()
		leader, _, problem := p.Role()
		if problem == "" {
			info.Applied[int(p.Partition)] = st.Applied
		}
		if leader {
			info.Leads = append(info.Leads, int(p.Partition))
		}
		info.Voters[int(p.Partition)], info.Learners[int(p.Partition)] = voters(st)
		info.Servers[int(p.Partition)] = b.raft.ServerOf(p.Partition)
	}
	for _, l := range b.post.Links() {
		switch {
		case l.Up:
			info.Links[int(l.Peer)] = linkUp
		case l.Relay != protocol.NoNode:
			info.Links[int(l.Peer)] = fmt.Sprintf("relayed through node %d", l.Relay)
		default:
			info.Links[int(l.Peer)] = "down"
		}
	}
	return info
}

func voters(st raftadapter.Status) (voters, learners []string) {
	voters, learners = []string{}, []string{}
	for _, s := range st.Servers {
		if s.Voter {
			voters = append(voters, s.ID)
		} else {
			learners = append(learners, s.ID)
		}
	}
	return voters, learners
}

// States of a link, beside "relayed through node N".
const linkSelf, linkUp = "self", "up"

// ailments lists what on this node needs attention.
func (b *Broker) ailments() []string {
	list := []string{}
	for _, p := range b.partitions() {
		if _, _, problem := p.Role(); problem != "" {
			list = append(list, fmt.Sprintf("partition %d: %s", p.Partition, problem))
		}
	}
	if err := b.storeProblem.Load(); err != nil {
		list = append(list, (*err).Error())
	}
	if problem := b.spaceProblem(); problem != "" {
		list = append(list, problem)
	}
	return append(list, b.copied()...)
}

func (b *Broker) tellInfo(_ context.Context, _ protocol.NodeID, _ []byte, reply func([]byte)) {
	payload, err := json.Marshal(b.ownInfo())
	if err != nil {
		b.Log.Error("describe this node", "err", err)
	}
	reply(payload)
}

// nodeInfo asks another node about itself, for at most a second.
func (b *Broker) nodeInfo(ctx context.Context, n protocol.NodeID) (info nodeInfo, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	payload, err := b.post.Request(ctx, n, kindNode, nil)
	if err == nil {
		err = json.Unmarshal(payload, &info)
	}
	return info, err
}

// nodeInfos asks all nodes that can be reached, each for at most a second.
func (b *Broker) nodeInfos(ctx context.Context) map[int]nodeInfo {
	infos := map[int]nodeInfo{b.NodeID: b.ownInfo()}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, n := range b.nodes() {
		if n == b.NodeID || !b.post.Reachable(protocol.NodeID(n)) {
			continue
		}
		wg.Go(func() {
			info, err := b.nodeInfo(ctx, protocol.NodeID(n))
			if err != nil {
				return // it is shown as not answering
			}
			mu.Lock()
			defer mu.Unlock()
			infos[n] = info
		})
	}
	wg.Wait()
	return infos
}

// diskUseEvery is how often it is counted what the data directory takes.
const diskUseEvery = 10 * time.Second

func (b *Broker) countDiskUse(context.Context) { b.diskUse.Store(diskUse(b.DataDir)) }

// diskUse is what the files below a directory take on the disk, in bytes.
func diskUse(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone since it was listed
		}
		if info, err := d.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				bytes += st.Blocks * 512
			}
		}
		return nil
	})
	return bytes
}

// rss is the resident memory of this process, 0 where the system does not say.
func rss() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
