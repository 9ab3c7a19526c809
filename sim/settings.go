package sim

import (
	"math/rand/v2"
	"time"
)

// settings are drawn from the seed.
type settings struct {
	Nodes, Partitions, Clients int
	Duration                   time.Duration // of the storm
	Proposals                  int           // entries under way
	Tick                       time.Duration

	// Chances of a hundred.
	Lose, Double, Late, Stale, Refuse, Requeue int

	Pause int // of a thousand turns, so many come late

	// How often, on average; 0: never.
	Elections, Crashes, Cuts, Jumps, Restarts, Deposals, Copies time.Duration

	PowerLoss, Restore, Random bool
	Follow, Notice             time.Duration // how late followers apply, and partitions hear of their raft
}

func draw(rnd *rand.Rand) settings {
	pick := func(list ...time.Duration) time.Duration { return list[rnd.IntN(len(list))] }
	number := func(list ...int) int { return list[rnd.IntN(len(list))] }
	return settings{
		Nodes: number(1, 2, 3, 3), Partitions: 2 + rnd.IntN(4), Clients: 2 + rnd.IntN(4),
		Duration: pick(6, 9, 12) * time.Second, Proposals: number(1, 1, 2, 4), Tick: pick(200, 400) * time.Millisecond,
		Lose: number(0, 2, 10), Double: number(0, 5, 20), Late: number(0, 5, 20), Stale: number(0, 10, 40), Refuse: number(0, 0, 3), Requeue: number(0, 20, 60),
		Pause:     number(0, 0, 2, 10),
		Elections: pick(0, 700, 2000) * time.Millisecond, Crashes: pick(0, 1500, 4000) * time.Millisecond,
		Cuts: pick(0, 1000, 3000) * time.Millisecond, Jumps: pick(0, 2000) * time.Millisecond,
		Restarts:  pick(0, 400, 1500) * time.Millisecond,
		Deposals:  pick(0, 900, 3000) * time.Millisecond,
		PowerLoss: rnd.IntN(2) == 0, Restore: rnd.IntN(4) == 0, Random: rnd.IntN(3) > 0,
		Follow: pick(5, 50, 1000) * time.Millisecond, Notice: pick(2, 50, 500, 1000) * time.Millisecond,
		Copies: pick(0, 500, 2000) * time.Millisecond,
	}
}
