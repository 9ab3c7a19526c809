// Package protocol holds the nouns that every room shares: partitions, nodes,
// keys, commands, replies, rejections and refusals, and the bytes they have
// when they cross from one node to another.
//
// It decides nothing and knows no other package of grevy. Two words are kept
// apart with care:
//
//   - a rejection is an answer: the engine looked at the command and said no,
//     with the original's code and text ([Rejection]);
//   - a refusal is proof that the command was never executed ([Refusal]), so
//     that whoever sent it may send it again.
//
// Everything else that goes wrong with a command is an unknown outcome
// ([ErrOutcomeUnknown]).
//
// Start reading at command.go, then wire.go for the encoding. The bytes are
// described in docs/formats/commands.md.
package protocol
