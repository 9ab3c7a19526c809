package partitionactor

// Try lets a partition try to come back now.
func Try(p *Partition) { p.System.Root.Send(p.pid, probe{}) }
