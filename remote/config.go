package remote

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/grevy-io/grevy/internal/certs"
	"github.com/grevy-io/grevy/internal/linkfault"
	"github.com/grevy-io/grevy/protocol"
)

// Config is what a post needs to open.
type Config struct {
	NodeID   protocol.NodeID
	Bind     string            // host:port to listen on; not looked at if Listener is set
	Listener net.Listener      // optional; the post closes it
	Secure   *certs.Store      // nil: no TLS between nodes
	Faults   *linkfault.Switch // nil outside tests
	Logger   *slog.Logger      // nil: slog.Default()

	// Window is the number of bytes of requests and notices, without answer yet,
	// that one link takes, 4 MiB if 0. Beyond it a request fails at once with
	// ErrNotSent. A message is charged its size and 64 bytes, but never more than a
	// quarter of the window, so that the largest fits; those over 256 KiB together
	// get half the window, so that they never shut out the small ones.
	Window int

	// MaxHandlers bounds the handlers at work for one peer, 16,384 if 0. A request
	// beyond it is refused, and the requester gets ErrNotSent.
	MaxHandlers int
}

// Times of the link state. A cut is seen after silence plus one beat at most.
const (
	beatEvery    = 250 * time.Millisecond
	silence      = 1500 * time.Millisecond
	dialTimeout  = time.Second
	helloTimeout = silence
	backoffMin   = 50 * time.Millisecond
	backoffMax   = time.Second
)

const (
	defaultWindow      = 4 << 20
	defaultMaxHandlers = 1 << 14
	messageCharge      = 64
	// maxReplyBytes bounds the replies that wait for one peer's socket. Beyond it
	// a reply is replaced by word that it could not be carried.
	maxReplyBytes = 64 << 20
)

func (cfg *Config) setDefaults() error {
	if cfg.NodeID < 0 {
		return fmt.Errorf("open post: node id %d", cfg.NodeID)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Window <= 0 {
		cfg.Window = defaultWindow
	}
	if cfg.MaxHandlers <= 0 {
		cfg.MaxHandlers = defaultMaxHandlers
	}
	if cfg.Listener != nil {
		return nil
	}
	ln, err := net.Listen("tcp", cfg.Bind)
	if err != nil {
		return fmt.Errorf("open post: %w", err)
	}
	cfg.Listener = ln
	return nil
}
