package history

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// Versions is what clients are told of the versions of one process. Once a
// deployment is acknowledged, nobody is given an older version as the latest.
type Versions struct {
	r           *Recorder
	id          string
	deployments []deployment
	blind       map[string][]release // when a gateway reached nobody, by gateway
	unsure      []time.Duration      // when deployments of unknown outcome began
	seen        []sight
}

type deployment struct {
	begun, ended time.Duration
	version      int32
	key          int64
}

// sight is a creation of the latest version.
type sight struct {
	begun, ended time.Duration
	version      int32
	by           string
}

// Versions are those of a process.
func (r *Recorder) Versions(id string) *Versions {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.versions[id]
	if v == nil {
		v = &Versions{r: r, id: id}
		r.versions[id] = v
	}
	return v
}

// Deploying begins a deployment of a content that was never deployed before. The
// function that it returns notes the answer.
func (v *Versions) Deploying() func(version int32, key int64, err error) Verdict {
	begun := v.r.Now()
	return func(version int32, key int64, err error) Verdict {
		verdict := v.r.Count("deploy", err)
		v.r.mu.Lock()
		defer v.r.mu.Unlock()
		switch verdict {
		case Done:
			v.deployments = append(v.deployments, deployment{begun, v.r.Now(), version, key})
		case Unknown:
			v.unsure = append(v.unsure, begun)
		}
		return verdict
	}
}

// Looking begins a creation of the latest version. The function that it returns
// notes which one it was.
func (v *Versions) Looking(by string) func(version int32) {
	begun := v.r.Now()
	return func(version int32) {
		v.r.mu.Lock()
		defer v.r.mu.Unlock()
		v.seen = append(v.seen, sight{begun, v.r.Now(), version, by})
	}
}

// Blind notes that from now on a gateway may reach no partition that has what was
// deployed, which is what "latest" rests on. The function that it returns notes that
// it does again.
func (v *Versions) Blind(by string) func() {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	if v.blind == nil {
		v.blind = map[string][]release{}
	}
	i := len(v.blind[by])
	v.blind[by] = append(v.blind[by], release{v.r.Now(), never})
	return func() {
		v.r.mu.Lock()
		defer v.r.mu.Unlock()
		v.blind[by][i].ended = v.r.Now()
	}
}

// wasBlind tells whether the gateway of a sight was, at some time of it.
func (v *Versions) wasBlind(s sight) bool {
	return slices.ContainsFunc(v.blind[s.by], func(r release) bool { return r.begun <= s.ended && r.ended >= s.begun })
}

// Latest is the newest acknowledged version, 0 if there is none.
func (v *Versions) Latest() (version int32) {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	for _, d := range v.deployments {
		version = max(version, d.version)
	}
	return version
}

// Acknowledged lists the keys of all acknowledged versions.
func (v *Versions) Acknowledged() map[int64]int32 {
	v.r.mu.Lock()
	defer v.r.mu.Unlock()
	all := map[int64]int32{}
	for _, d := range v.deployments {
		all[d.key] = d.version
	}
	return all
}

func (v *Versions) check() (wrong []string) {
	violation := func(format string, args ...any) {
		wrong = append(wrong, "process "+v.id+": "+fmt.Sprintf(format, args...))
	}
	byEnd := slices.Clone(v.deployments)
	slices.SortFunc(byEnd, func(a, b deployment) int { return int(a.ended - b.ended) })
	newest := make([]int32, len(byEnd)+1) // among the first i
	begun, keys := map[int32]time.Duration{}, map[int64]int32{}
	for i, d := range byEnd {
		newest[i+1] = max(newest[i], d.version)
		if _, twice := begun[d.version]; twice {
			violation("version %d was given twice", d.version)
		}
		if other, twice := keys[d.key]; twice {
			violation("versions %d and %d have the same key %d", other, d.version, d.key)
		}
		begun[d.version], keys[d.key] = d.begun, d.version
	}
	// acknowledged before is the newest version whose deployment had ended by then.
	acknowledged := func(at time.Duration) int32 {
		return newest[sort.Search(len(byEnd), func(i int) bool { return byEnd[i].ended >= at })]
	}
	for _, d := range byEnd {
		if had := acknowledged(d.begun); d.version <= had {
			violation("version %d was deployed after version %d was acknowledged", d.version, had)
		}
	}
	for _, s := range v.seen {
		if had := acknowledged(s.begun); s.version < had && !v.wasBlind(s) {
			violation("version %d was the latest at %s, asked for at %s, after version %d was acknowledged", s.version, s.by, s.begun, had)
		}
		at, known := begun[s.version]
		early := func(u time.Duration) bool { return u <= s.ended }
		if known && at > s.ended || !known && !slices.ContainsFunc(v.unsure, early) {
			violation("version %d was the latest at %s before anybody deployed it", s.version, s.by)
		}
	}
	return wrong
}
