package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// httpTimeout is longer than a node waits for a partition that does not answer.
const httpTimeout = 5 * time.Second

// httpFlag adds --http. What is not given is GREVY_HTTP, or a node on this host.
func httpFlag(cmd *cobra.Command, addresses *[]string) {
	def := []string{"127.0.0.1:9600"}
	if v := os.Getenv("GREVY_HTTP"); v != "" {
		def = strings.Split(v, ",")
	}
	cmd.Flags().StringSliceVar(addresses, "http", def, "HTTP address HOST:PORT,… of nodes, asked in this order until one answers; also from GREVY_HTTP")
}

// silent is an address that did not answer, and why.
type silent struct{ address, reason string }

// fetch gets a document from the first node that answers.
func fetch(ctx context.Context, addresses []string, path string, v any) (from string, skipped []silent, err error) {
	for _, address := range addresses {
		err := fetchFrom(ctx, address, path, v)
		var refused *apiError
		if err == nil || errors.As(err, &refused) {
			return address, skipped, err
		}
		if ctx.Err() != nil {
			return "", skipped, errors.New("interrupted")
		}
		skipped = append(skipped, silent{address, reason(err)})
	}
	return "", skipped, unreachable("node", "--http", skipped)
}

// apiError is a node's answer that it can not say.
type apiError struct{ text string }

func (e *apiError) Error() string { return e.text }

func fetchFrom(ctx context.Context, address, path string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		said := struct{ Error string }{}
		if json.Unmarshal(body, &said) != nil || said.Error == "" {
			return fmt.Errorf("%s: is this a node's HTTP port?", resp.Status)
		}
		return &apiError{said.Error}
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("not an answer of a node: %w", err)
	}
	return nil
}

// reason takes the address and the verb out of an error, which are said already.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + httpTimeout.String()
	}
	text := err.Error()
	if _, after, ok := strings.Cut(text, "connect: "); ok {
		return after
	}
	return text
}
