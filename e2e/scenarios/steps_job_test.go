package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// activate collects up to n jobs of a type within a time.
func (r *run) activate(a args, n int, within time.Duration) (all []*pb.ActivatedJob) {
	for end := time.Now().Add(within); len(all) < n; {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		jobs, err := r.poll(a, n-len(all), left)
		all = append(all, jobs...)
		again := []codes.Code{codes.OK, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Unavailable}
		if code := status.Code(err); !slices.Contains(again, code) {
			r.outcome("jobs "+a.str("type"), err)
			break
		}
	}
	return all
}

// poll asks once, for as long as left.
func (r *run) poll(a args, n int, left time.Duration) (all []*pb.ActivatedJob, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, left+30*time.Second)
	defer cancel()
	s, err := r.gw.ActivateJobs(ctx, &pb.ActivateJobsRequest{Type: unique(r.id, a.or("type", a.str(""))), Worker: "suite",
		Timeout: a.dur("timeout", 5*time.Minute).Milliseconds(), MaxJobsToActivate: int32(n), FetchVariable: a.list("fetch"), RequestTimeout: left.Milliseconds() + 1})
	for err == nil {
		var resp *pb.ActivateJobsResponse
		if resp, err = s.Recv(); err != nil {
			break
		}
		for _, j := range resp.Jobs {
			if strings.Contains(j.BpmnProcessId, r.id) { // a type that all share gives jobs of others too
				all = append(all, j)
			}
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return all, err
}

// jobs activates the jobs of a step and keeps their keys.
func (r *run) jobs(a args) []*pb.ActivatedJob {
	n, brief := a.num("n", 1), a.is("brief")
	list := r.activate(a, n, a.dur("wait", 30*time.Second))
	slices.SortStableFunc(list, func(a, b *pb.ActivatedJob) int {
		return cmp.Or(cmp.Compare(a.ElementId, b.ElementId), cmp.Compare(canonical(a.Variables), canonical(b.Variables)), cmp.Compare(a.Key, b.Key))
	})
	if len(list) != n || brief {
		r.say("jobs %s: %d of %d", a.str("type"), len(list), n)
	}
	name := a.or("as", "j")
	for i, j := range list {
		names := []string{fmt.Sprintf("%s.%d", name, i)}
		if i == 0 {
			names = append(names, name)
		}
		for _, p := range names {
			r.refs[p], r.refs[p+".element"], r.refs[p+".instance"] = j.Key, j.ElementInstanceKey, j.ProcessInstanceKey
		}
		if !brief {
			r.say("job %s of %s v%d, type %s: retries %d headers %s variables %s %s element %s instance %s", r.norm(j.ElementId), r.norm(j.BpmnProcessId), j.ProcessDefinitionVersion,
				r.norm(j.Type), j.Retries, r.norm(canonical(j.CustomHeaders)), r.norm(canonical(j.Variables)), r.key(j.Key), r.key(j.ElementInstanceKey), r.key(j.ProcessInstanceKey))
		}
	}
	return list
}

func (r *run) takeJobs(a args) error {
	r.jobs(a)
	return nil
}

// work is jobs and complete in one.
func (r *run) work(a args) error {
	vars, err := r.vars(a, "vars")
	if err != nil {
		return err
	}
	list := r.jobs(a)
	if len(list) > 10 {
		r.completeMany(list, vars)
		return nil
	}
	for _, j := range list {
		r.completeJob(j.Key, vars)
	}
	return nil
}

// completeMany completes jobs, eight at a time.
func (r *run) completeMany(list []*pb.ActivatedJob, vars string) {
	work := make(chan int64)
	var mu sync.Mutex
	var failed int
	var last error
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for key := range work {
				if _, err := r.gw.CompleteJob(r.ctx, &pb.CompleteJobRequest{JobKey: key, Variables: vars}); err != nil {
					mu.Lock()
					failed, last = failed+1, err
					mu.Unlock()
				}
			}
		})
	}
	for _, j := range list {
		work <- j.Key
	}
	close(work)
	wg.Wait()
	if failed > 0 {
		r.say("complete: %s", status.Code(last))
	}
	r.say("complete: %d of %d ok", len(list)-failed, len(list))
}

// chain works off n jobs that come one after the other; with element: as
// ELEMENT1, ELEMENT2 …
func (r *run) chain(a args) error {
	vars, err := r.vars(a, "vars")
	if err != nil {
		return err
	}
	n := a.num("n", 1)
	for i := 1; i <= n; i++ {
		list := r.activate(a, 1, 30*time.Second)
		if len(list) == 0 || a.str("element") != "" && list[0].ElementId != fmt.Sprint(a.str("element"), i) {
			r.say("chain: %d of %d", i-1, n)
			return nil
		}
		if _, err := r.gw.CompleteJob(r.ctx, &pb.CompleteJobRequest{JobKey: list[0].Key, Variables: vars}); err != nil {
			r.outcome("chain", err)
		}
	}
	r.say("chain: all %d", n)
	return nil
}

func (r *run) noJob(a args) error {
	list := r.activate(a, 1, a.dur("for", 500*time.Millisecond))
	r.say("nojob %s: %d", a.str("type")+a.str(""), len(list))
	return nil
}

func (r *run) completeJob(key int64, vars string) {
	_, err := r.gw.CompleteJob(r.ctx, &pb.CompleteJobRequest{JobKey: key, Variables: vars})
	r.outcome("complete", err)
}

// aboutJob resolves the job that a step is about, and its variables.
func (r *run) aboutJob(a args) (key int64, vars string, err error) {
	if key, err = r.ref(a.or("job", "j")); err == nil {
		vars, err = r.vars(a, "vars")
	}
	return key, vars, err
}

func (r *run) complete(a args) error {
	key, vars, err := r.aboutJob(a)
	if err == nil {
		r.completeJob(key, vars)
	}
	return err
}

func (r *run) fail(a args) error {
	key, vars, err := r.aboutJob(a)
	if err != nil {
		return err
	}
	_, err = r.gw.FailJob(r.ctx, &pb.FailJobRequest{JobKey: key, Retries: int32(a.num("retries", 0)), ErrorMessage: a.str("message"),
		RetryBackOff: a.dur("backoff", 0).Milliseconds(), Variables: vars})
	r.outcome("fail", err)
	return nil
}

func (r *run) throw(a args) error {
	key, vars, err := r.aboutJob(a)
	if err != nil {
		return err
	}
	_, err = r.gw.ThrowError(r.ctx, &pb.ThrowErrorRequest{JobKey: key, ErrorCode: a.str("code"), ErrorMessage: a.str("message"), Variables: vars})
	r.outcome("throw "+a.str("code"), err)
	return nil
}

func (r *run) retries(a args) error {
	key, _, err := r.aboutJob(a)
	if err != nil {
		return err
	}
	_, err = r.gw.UpdateJobRetries(r.ctx, &pb.UpdateJobRetriesRequest{JobKey: key, Retries: int32(a.num("retries", 1))})
	r.outcome("retries", err)
	return nil
}

func (r *run) timeout(a args) error {
	key, _, err := r.aboutJob(a)
	if err != nil {
		return err
	}
	_, err = r.gw.UpdateJobTimeout(r.ctx, &pb.UpdateJobTimeoutRequest{JobKey: key, Timeout: a.dur("timeout", time.Minute).Milliseconds()})
	r.outcome("timeout", err)
	return nil
}
