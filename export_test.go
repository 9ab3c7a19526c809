package grevy

// SetFree lets a test say how many bytes the disk has left.
func (c *Config) SetFree(free func() uint64) {
	c.free = func() (uint64, uint64, error) { return free(), 1 << 40, nil }
}
