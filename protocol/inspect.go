package protocol

// ListIncidents asks a partition for its incidents, oldest first. It is a read.
type ListIncidents struct {
	After     Key    // those with keys above
	ProcessID string // those of this process; empty: of all
	Limit     int32
}

// ListInstances asks a partition for its process instances, oldest first. It is
// a read.
type ListInstances struct {
	After     Key
	ProcessID string
	Limit     int32
}

// InspectInstance asks for all that is active in a process instance. The key is
// its own or that of an element instance, a job or an incident in it. It is a
// read.
type InspectInstance struct {
	Key Key
	// MaxValue is how many bytes of a variable's value the answer shows.
	MaxValue int32
}

// ListMessages asks a partition for the messages that it keeps, those first that
// are forgotten first. It is a read.
type ListMessages struct {
	After MessagePlace // those behind it
	Name  string       // those with this name; empty: all
	Limit int32
}

// MessagePlace is where a message stands in the order of a list.
type MessagePlace struct {
	Deadline int64 // ms since 1970
	Key      Key
}

// IncidentRow is one incident, and where it is. What has failed outside of
// instances has no element.
type IncidentRow struct {
	Key, Instance, Element, Job, Definition Key
	ProcessID                               string
	Version                                 int32
	ElementID, Type, Message                string
	Since                                   int64 // ms since 1970
}

// Incidents answers ListIncidents.
type Incidents struct {
	List []IncidentRow
	Next Key // the list goes on after it; 0: that was all
}

// InstanceRow is one process instance.
type InstanceRow struct {
	Key, Definition Key
	Caller          Key // the call activity that has started it, 0 if none has
	ProcessID       string
	Version         int32
	State           uint8    // state.ElementState
	Started         int64    // ms since 1970
	Children        int64    // active elements in it, not those in sub-processes
	Incidents       int64    // as far as was looked
	At              []string // ids of active elements, as far as was looked
}

// Instances answers ListInstances.
type Instances struct {
	List []InstanceRow
	Next Key // as in Incidents
}

// ElementRow is one active element instance with what it has and waits for.
type ElementRow struct {
	Key, Scope Key
	ElementID  string
	State      uint8 // state.ElementState
	Variables  []VariableRow
	MoreVars   int64 // variables that are not listed
	MoreInside int64 // element instances in it that are not listed
	Timers     []TimerRow
	Messages   []SubscriptionRow // and signals
	Joins      []JoinRow
	Job        *JobRow
	Incident   *IncidentRow
	Called     Key     // the instance that it has called
	UserTask   Key     // of a user task without a job
	Loop       []int64 // total, created, done, terminated; empty: it is no loop
	Listener   int64   // the number of the execution listener whose job this is
	Follows    string  // the event that goes on once all inside has ended
	Interrupts bool    // there is something that follows
	Compensate bool    // it waits for what it compensates
}

// VariableRow is a variable of a scope. Its value is cut if it is shorter than
// its size.
type VariableRow struct {
	Name  string
	Value []byte
	Size  int64
}

// TimerRow is a timer that an element waits for.
type TimerRow struct {
	Event   string // id: the element's own, that of a boundary event or of a start event inside
	Due     int64  // ms since 1970
	Repeats int64  // -1: for ever
}

// SubscriptionRow is a message or signal that an element waits for.
type SubscriptionRow struct {
	Event, Name, CorrelationKey string
	Signal                      bool
}

// JoinRow is a parallel gateway in a scope that some of its flows have reached.
type JoinRow struct {
	ElementID string
	Flows     []string
}

// JobRow is the job of an element.
type JobRow struct {
	Key          Key
	Type, Worker string
	State        uint8 // state.JobState
	Retries      int32
	Deadline     int64 // of the lock or of the back-off
}

// InstanceTree answers InspectInstance: the elements are listed with each scope
// before what is inside it.
type InstanceTree struct {
	Instance InstanceRow
	Elements []ElementRow
}

// MessageRow is one message that is kept.
type MessageRow struct {
	Place                    MessagePlace
	Name, CorrelationKey, ID string
	Size                     int64    // of its variables
	Had                      []string // processes of which an instance has had it
}

// Messages answers ListMessages.
type Messages struct {
	List []MessageRow
	Next MessagePlace // as in Incidents
}

// The kinds.
func (*ListIncidents) Kind() Kind   { return KindListIncidents }
func (*ListInstances) Kind() Kind   { return KindListInstances }
func (*InspectInstance) Kind() Kind { return KindInspectInstance }
func (*ListMessages) Kind() Kind    { return KindListMessages }

// Intent names are ours: the original has no like of them.
func (*ListIncidents) Intent() string   { return "LIST" }
func (*ListInstances) Intent() string   { return "LIST" }
func (*InspectInstance) Intent() string { return "INSPECT" }
func (*ListMessages) Intent() string    { return "LIST" }

// The kinds of the replies.
func (*Incidents) ReplyKind() ReplyKind    { return ReplyIncidents }
func (*Instances) ReplyKind() ReplyKind    { return ReplyInstances }
func (*InstanceTree) ReplyKind() ReplyKind { return ReplyInstanceTree }
func (*Messages) ReplyKind() ReplyKind     { return ReplyMessages }
