// Package distributor carries a partition's outbox to the other partitions. It
// is the saga actor of a partition's leader: it has no state but the table,
// which it reads when the leadership begins, and it lives as long as that.
//
// What to send, when to send it again and when to delete is decided by the pure
// half, package saga; this half performs it: it reads rows and bodies from
// committed state, sends them to whoever leads the target now, and deletes
// what was acknowledged by entries of its own partition.
//
// A push offers the hashes of its resources first. The body follows only if the
// receiver's node lacks it, in the same request sent again; requests are cut
// into chunks by the post below.
//
// The carrier itself knows no actor: distributor.go gives it its turns, and so does
// a simulation. Start reading at carrier.go; the steps of a deployment are marked
// `path: deployment N/9`.
package distributor
