package state

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/grevy-io/grevy/protocol"
)

// Table is the first byte of every key of a partition. Numbers are never used
// again for something else: they stand in logs and stores.
type Table byte

// The tables. What a key and a value hold: docs/formats/keys.md.
const (
	TableMeta         Table = 0x01
	TableDefinition   Table = 0x10
	TableVersion      Table = 0x11
	TableLatest       Table = 0x12
	TableDeployment   Table = 0x13
	TableRefused      Table = 0x14
	TableContentRef   Table = 0x15
	TableTagged       Table = 0x16
	TableMember       Table = 0x17
	TableDraining     Table = 0x18
	TableElement      Table = 0x20
	TableJob          Table = 0x21
	TableActivatable  Table = 0x22
	TableDeadline     Table = 0x23
	TableBackOff      Table = 0x24
	TableIncident     Table = 0x25
	TableChild        Table = 0x26
	TableVariables    Table = 0x27
	TableTimer        Table = 0x28
	TableLoop         Table = 0x29
	TableCompensable  Table = 0x2A
	TableCompensating Table = 0x2B
	TableOutbox       Table = 0x30
	TableInbox        Table = 0x31
	TableLane         Table = 0x32
	TableContinue     Table = 0x33
	TableExported     Table = 0x34
	TableSubscriber   Table = 0x40 // who waits for a message, on the message's partition
	TableMessage      Table = 0x41
	TableExpiry       Table = 0x42
	TableMessageID    Table = 0x43
	TableCorrelated   Table = 0x44
	TableKeyLock      Table = 0x45
	TableStart        Table = 0x46 // definitions that an event starts
	TableStartTimer   Table = 0x47
	TableSignal       Table = 0x48
	TableBroadcast    Table = 0x49
	TableShared       Table = 0x4A // documents that many rows refer to
	TableHolders      Table = 0x4B
	TableLater        Table = 0x4C
	TableParts        Table = 0xF0
)

// scanned tells which tables the engine walks in order while it executes; only
// their keys are kept sorted in the overlay.
func scanned(t byte) bool {
	switch Table(t) {
	case TableActivatable, TableDeadline, TableBackOff, TableChild, TableTimer, TableOutbox, TableContinue, TableDeployment, TableRefused,
		TableCompensable, TableCompensating, TableVersion, TableTagged, TableMember, TableDraining,
		TableSubscriber, TableMessage, TableExpiry, TableCorrelated, TableStart, TableSignal:
		return true
	}
	return false
}

// Key begins a key of table t.
func (t Table) Key(size int) []byte {
	b := make([]byte, 1, 1+size)
	b[0] = byte(t)
	return b
}

// Of makes a key of table t from numbers, each eight bytes big-endian, so that
// the order of keys is the order of the numbers.
func (t Table) Of(v ...uint64) []byte {
	b := t.Key(8 * len(v))
	for _, n := range v {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// OfKey makes a key of table t from one entity's key.
func (t Table) OfKey(k protocol.Key) []byte { return t.Of(uint64(k)) }

// OfString makes a key of table t from a text and numbers. The text is
// terminated so that no text is a prefix of another.
func (t Table) OfString(s string, v ...uint64) []byte {
	b := AppendText(t.Key(len(s)+2+8*len(v)), s)
	for _, n := range v {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// maxKeyText is how many bytes of a text stand in a key: stores take no key of
// any size, and clients name things as they like.
const maxKeyText = 2000

// AppendText appends s so that the order of the bytes is the order of the
// texts: 00 becomes 00 FF, and 00 01 ends it. Of a long text only the beginning
// is there, ended by 00 02 and the SHA-256 of all of it.
func AppendText(b []byte, s string) []byte {
	if len(s) > maxKeyText {
		sum := sha256.Sum256([]byte(s))
		b = appendEscaped(b, s[:maxKeyText])
		return append(append(b, 0, 2), sum[:]...)
	}
	return append(appendEscaped(b, s), 0, 1)
}

func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		b = append(b, s[i])
		if s[i] == 0 {
			b = append(b, 0xFF)
		}
	}
	return b
}

// CutText takes apart what AppendText made and returns what follows it. A long
// text cannot be had back.
func CutText(b []byte) (s string, rest []byte, ok bool) {
	var out []byte
	for i := 0; i+1 < len(b); i++ {
		if b[i] != 0 {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 1:
			return string(out), b[i+1:], true
		case 2:
			return "", nil, false
		}
		out = append(out, 0)
	}
	return "", nil, false
}

// number reads the i-th number at the end of a key: 0 is the last one.
func number(key []byte, i int) uint64 {
	end := len(key) - 8*i
	if end < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key[end-8 : end])
}
