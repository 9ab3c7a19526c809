// Package chaos runs a cluster of real processes for as long as one likes, under
// mixed load, and does to it what happens to clusters: nodes are killed, stopped,
// starved and robbed of their disks, links are cut, slow and lossy, clocks jump,
// disks fill, the cluster is changed meanwhile. What is done, and to whom, is
// drawn from a seed. At the end, and all through, it is checked that nothing was
// promised that was not kept (package history), and that everything goes on by
// itself within bounds.
//
//	go test ./e2e/chaos                          a minute of it, with seed 11; 0 draws one
//	go test ./e2e/chaos -seed 7 -duration 1h     as long as one likes
//	go test ./e2e/chaos -seed 7 -plan            only tells what would be done
//	make chaos DURATION=1h SEED=7
//
// The same seed draws the same faults in the same order. What the cluster and its
// clients make of them is different each time.
//
// What it refuses: to tolerate. Whatever is noticed fails the test; what faults
// excuse stands in package history and in the limits at the top of chaos_test.go.
//
// Start reading at chaos_test.go, then plan_test.go for what is drawn,
// faults_test.go for how it is done and load_test.go for who the clients are.
package chaos
