// Command grevy is the broker and its tools in one program.
//
//	grevy demo            three nodes in one process, a thousand deployments, a table
//	grevy start           one node
//	grevy status          the cluster, and what is wrong with it
//	grevy deploy FILE…    and delete, create, cancel, jobs, publish, signal, decide, set, resolve, modify, migrate
//	grevy deployments     what is deployed, and on which partitions it is
//	grevy incidents       what is stuck, and why; and instances, instance, messages
//	grevy bench           a closed loop of calls against a gateway
//
// What it holds: flags, their places in the environment and in a file, tables
// and JSON for people and scripts. Everything it does to a cluster goes through
// the same two doors that others use: gRPC for clients (client.go) and HTTP for
// operators (httpapi.go).
//
// What it refuses: to decide anything, and to read a data directory.
//
// Start reading at app.go, then start.go with settings.go (where a setting
// comes from) and demo.go.
package main
