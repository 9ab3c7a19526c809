package enginetest

// cluster [partitions=N] [message-partitions=N] [one-node] [job-bytes=N] [model-bytes=N]
// [command-bytes=N] [share-above=N]: begins anew with an empty cluster.
func init() { verbs["cluster"] = newCluster }

func newCluster(t *transcript, c *call) (err error) {
	config := Config{Partitions: 1, OneNode: c.has("one-node")}
	if config.MaxJobBytes, err = c.number("job-bytes", 0); err != nil {
		return err
	}
	for name, to := range map[string]*int{
		"partitions": &config.Partitions, "message-partitions": &config.MessagePartitions, "model-bytes": &config.ModelBytes,
		"command-bytes": &config.CommandBytes, "share-above": &config.ShareAbove,
	} {
		n, err := c.number(name, int64(*to))
		if err != nil {
			return err
		}
		*to = int(n)
	}
	t.session, err = newSession(config)
	return err
}
