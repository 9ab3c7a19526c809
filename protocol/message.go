package protocol

// PublishMessage makes a message known on the partition of its correlation
// key ([MessagePartition]).
type PublishMessage struct {
	Name, CorrelationKey string
	TimeToLive           int64  // ms; not above 0: correlated now or never
	MessageID            string // empty: not unique
	Variables            []byte // JSON object
	// DeploymentSeq is the watermark that the gateway knows: what the message
	// starts may have been deployed just now.
	DeploymentSeq uint64
}

// BroadcastSignal lets a signal happen everywhere. In an outbox, Key is that of
// the signal, and the start events have been seen to where it came from.
type BroadcastSignal struct {
	Name      string
	Variables []byte // JSON object
	Key       Key    // 0: from a client
	// DeploymentSeq as with PublishMessage.
	DeploymentSeq uint64
}

// OpenSubscription tells the partition of a correlation key that an element
// instance waits for a message.
type OpenSubscription struct {
	Subscription Subscription
}

// Subscription says who waits for what message.
type Subscription struct {
	Key                  Key // of the subscription at the element's partition
	Element, Instance    Key
	ProcessID, ElementID string
	Name, CorrelationKey string
	// Interrupting: it is over once a message was correlated.
	Interrupting bool
}

// Correlate hands a message to an element instance that waits for it.
type Correlate struct {
	Element, Subscription, Message  Key
	Name, CorrelationKey, ProcessID string
	Variables                       []byte // JSON object
}

// Correlated tells a message's partition what became of Correlate: taken, or
// refused because nobody waited any more.
type Correlated struct {
	Element, Subscription, Message  Key
	Name, CorrelationKey, ProcessID string
	Refused                         bool
}

// CloseSubscription tells that an element instance waits no longer.
type CloseSubscription struct {
	Element, Subscription Key
	Name, CorrelationKey  string
}

// MessagePartition is where the messages of a correlation key live, of n
// partitions: Java's string hash over the signed bytes of the UTF-8 text
// (reference: Zeebe 8.6, subscriptions opened earlier are found by it).
func MessagePartition(correlationKey string, n int) PartitionID {
	var h int32
	for _, c := range []byte(correlationKey) {
		h = 31*h + int32(int8(c))
	}
	rest := int(h) % n
	return PartitionID(max(rest, -rest) + 1)
}

// Kind is KindPublishMessage.
func (*PublishMessage) Kind() Kind { return KindPublishMessage }

// Kind is KindBroadcastSignal.
func (*BroadcastSignal) Kind() Kind { return KindBroadcastSignal }

// Kind is KindOpenSubscription.
func (*OpenSubscription) Kind() Kind { return KindOpenSubscription }

// Kind is KindCorrelate.
func (*Correlate) Kind() Kind { return KindCorrelate }

// Kind is KindCorrelated.
func (*Correlated) Kind() Kind { return KindCorrelated }

// Kind is KindCloseSubscription.
func (*CloseSubscription) Kind() Kind { return KindCloseSubscription }

// Intent is the original's name.
func (*PublishMessage) Intent() string { return "PUBLISH" }

// Intent is the original's name.
func (*BroadcastSignal) Intent() string { return "BROADCAST" }

// Intent is the original's name.
func (*OpenSubscription) Intent() string { return "CREATE" }

// Intent is the original's name.
func (*Correlate) Intent() string { return "CORRELATE" }

// Intent is the original's name.
func (*Correlated) Intent() string { return "CORRELATE" }

// Intent is the original's name.
func (*CloseSubscription) Intent() string { return "DELETE" }

func (c *PublishMessage) encode(b []byte) []byte {
	b = AppendString(AppendString(b, c.Name), c.CorrelationKey)
	b = AppendBytes(AppendString(AppendInt(b, c.TimeToLive), c.MessageID), c.Variables)
	return AppendUint(b, c.DeploymentSeq)
}

func (c *PublishMessage) decode(r *Reader) {
	*c = PublishMessage{
		Name: r.String(), CorrelationKey: r.String(), TimeToLive: r.Int(), MessageID: r.String(), Variables: r.Bytes(), DeploymentSeq: r.Uint(),
	}
}

func (c *BroadcastSignal) encode(b []byte) []byte {
	return AppendUint(AppendInt(AppendBytes(AppendString(b, c.Name), c.Variables), int64(c.Key)), c.DeploymentSeq)
}

func (c *BroadcastSignal) decode(r *Reader) {
	*c = BroadcastSignal{Name: r.String(), Variables: r.Bytes(), Key: r.Key(), DeploymentSeq: r.Uint()}
}

// AppendSubscription encodes s.
func AppendSubscription(b []byte, s *Subscription) []byte {
	b = AppendInt(AppendInt(AppendInt(b, int64(s.Key)), int64(s.Element)), int64(s.Instance))
	b = AppendString(AppendString(b, s.ProcessID), s.ElementID)
	return AppendBool(AppendString(AppendString(b, s.Name), s.CorrelationKey), s.Interrupting)
}

// ReadSubscription decodes what AppendSubscription made.
func ReadSubscription(r *Reader) Subscription {
	return Subscription{
		Key: r.Key(), Element: r.Key(), Instance: r.Key(), ProcessID: r.String(), ElementID: r.String(),
		Name: r.String(), CorrelationKey: r.String(), Interrupting: r.Bool(),
	}
}

func (c *OpenSubscription) encode(b []byte) []byte { return AppendSubscription(b, &c.Subscription) }
func (c *OpenSubscription) decode(r *Reader)       { c.Subscription = ReadSubscription(r) }

func (c *Correlate) encode(b []byte) []byte {
	b = AppendInt(AppendInt(AppendInt(b, int64(c.Element)), int64(c.Subscription)), int64(c.Message))
	b = AppendString(AppendString(AppendString(b, c.Name), c.CorrelationKey), c.ProcessID)
	return AppendBytes(b, c.Variables)
}

func (c *Correlate) decode(r *Reader) {
	*c = Correlate{
		Element: r.Key(), Subscription: r.Key(), Message: r.Key(),
		Name: r.String(), CorrelationKey: r.String(), ProcessID: r.String(), Variables: r.Bytes(),
	}
}

func (c *Correlated) encode(b []byte) []byte {
	b = AppendInt(AppendInt(AppendInt(b, int64(c.Element)), int64(c.Subscription)), int64(c.Message))
	b = AppendString(AppendString(AppendString(b, c.Name), c.CorrelationKey), c.ProcessID)
	return AppendBool(b, c.Refused)
}

func (c *Correlated) decode(r *Reader) {
	*c = Correlated{
		Element: r.Key(), Subscription: r.Key(), Message: r.Key(),
		Name: r.String(), CorrelationKey: r.String(), ProcessID: r.String(), Refused: r.Bool(),
	}
}

func (c *CloseSubscription) encode(b []byte) []byte {
	b = AppendInt(AppendInt(b, int64(c.Element)), int64(c.Subscription))
	return AppendString(AppendString(b, c.Name), c.CorrelationKey)
}

func (c *CloseSubscription) decode(r *Reader) {
	*c = CloseSubscription{Element: r.Key(), Subscription: r.Key(), Name: r.String(), CorrelationKey: r.String()}
}
