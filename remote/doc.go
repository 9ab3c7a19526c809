// Package remote is the post between nodes: requests and one-way notices over
// plain TCP ([Post]), and who is there and leads what, by gossip ([Members]).
//
// The post keeps one outgoing connection to every peer and its own view of which
// links work in both directions. The link state, not gossip, chooses the path: a
// request whose direct link is down goes one hop through a node that reaches the
// target, never two.
//
// What it promises about a failed request:
//
//   - [ErrNotSent] is proof that the peer never executed it;
//   - everything else ([ErrLinkLost], [ErrHandlerFailed], the end of the context)
//     is an unknown outcome, and Is [protocol.ErrOutcomeUnknown] unless it is the
//     context's own error;
//   - a request is handed to a handler at most once. The post never sends again by
//     itself what may have arrived.
//
// What it refuses: to queue without bound (a full link says so at once, see
// Config.Window), to keep order between requests (each handler runs on its own
// goroutine), and to know what the payloads mean. The kinds of messages are agreed
// by the callers; a kind that a node does not know is answered with a refusal,
// so that nodes of two versions can work side by side.
//
// Start reading at post.go and call.go; the bytes are in frame.go and
// docs/formats/remote.md; wire.go is one connection, peer.go the life of a link,
// heartbeat.go what is known about it, relay.go the detour. members.go is the
// gossip half and shares only the fault switch with the rest.
package remote
