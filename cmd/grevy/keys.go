package main

import (
	"fmt"
	"strconv"

	"github.com/grevy-io/grevy/protocol"
)

// parseKey reads a key as an argument gives it.
func parseKey(what, text string) (int64, error) {
	key, err := strconv.ParseInt(text, 10, 64)
	if err != nil || key <= 0 || partitionOf(key) == 0 {
		return 0, fmt.Errorf("%s: %q is not a key: those have 16 digits or more, as commands print them", what, text)
	}
	return key, nil
}

// partitionOf is the partition that minted a key.
func partitionOf(key int64) int { return int(protocol.Key(key).Partition()) }
