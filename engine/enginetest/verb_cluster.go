package enginetest

// cluster [partitions=N] [one-node] [job-bytes=N] [model-bytes=N] [command-bytes=N]:
// begins anew with an empty cluster.
func init() { verbs["cluster"] = newCluster }

func newCluster(t *transcript, c *call) error {
	partitions, err := c.number("partitions", 1)
	if err != nil {
		return err
	}
	config := Config{Partitions: int(partitions), OneNode: c.has("one-node")}
	if config.MaxJobBytes, err = c.number("job-bytes", 0); err != nil {
		return err
	}
	models, err := c.number("model-bytes", 0)
	if err != nil {
		return err
	}
	config.ModelBytes = int(models)
	most, err := c.number("command-bytes", 0)
	if err != nil {
		return err
	}
	config.CommandBytes = int(most)
	t.session, err = newSession(config)
	return err
}
