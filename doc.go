// Package grevy is an open workflow broker that existing Zeebe clients connect to
// unchanged, and that a Go program can embed.
//
//	b, err := grevy.Open(grevy.Config{DataDir: dir})
//	if err != nil {
//		return err
//	}
//	defer b.Close()
//
// opens one node with three partitions and a gateway on port 26500. Clients may
// connect to it; the program itself may use [Broker.Execute], or send the typed
// messages of package actors to [Broker.PID], and an actor can be a job worker
// (actors.Work). Actors are those of protoactor-go: with Config.System the broker
// lives in the program's own system.
//
// This package is wiring: it opens the rooms, connects them, and closes them in
// order. What is decided is decided elsewhere; docs/architecture.md shows where.
package grevy
